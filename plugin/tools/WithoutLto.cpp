//===- WithoutLto.cpp - ld.spacer has no optimiser ------------------------===//
//
// lld refers to LLVM's link-time optimiser and to all of its targets. Here are
// these names without what they stand for. The one that every way to the
// optimiser passes through, reading a bitcode file, hands over to ld.spacer-lto
// (LtoLinker.h).
//
//===----------------------------------------------------------------------===//

#include "LtoLinker.h"
#include "llvm/CodeGen/CommandFlags.h"
#include "llvm/LTO/LTO.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ManagedStatic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/StringSaver.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace spacer {

//===----------------------------------------------------------------------===//
// Held output
//===----------------------------------------------------------------------===//

/// What was said, and to which descriptor. Null: it goes there at once.
using Held = std::vector<std::pair<int, std::string>>;
static Held *held = new Held;

static void put(int fd, StringRef text) {
  while (!text.empty()) {
    ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR)
      return; // as lld: there is nobody to tell
    text = text.drop_front(n < 0 ? 0 : size_t(n));
  }
}

void releaseOutput() {
  if (Held *parts = std::exchange(held, nullptr))
    for (auto &[fd, text] : *parts)
      put(fd, text);
}

namespace {

class HeldStream final : public raw_ostream {
public:
  explicit HeldStream(int fd) : raw_ostream(/*unbuffered=*/true), fd(fd) {}
  bool is_displayed() const override { return ::isatty(fd); }
  bool has_colors() const override {
    return sys::Process::FileDescriptorHasColors(fd);
  }

private:
  void write_impl(const char *text, size_t bytes) override {
    position += bytes;
    if (!held)
      return put(fd, {text, bytes});
    if (held->empty() || held->back().first != fd)
      held->push_back({fd, ""});
    held->back().second.append(text, bytes);
  }
  uint64_t current_pos() const override { return position; }

  const int fd;
  uint64_t position = 0;
};

/// lld destroys ManagedStatics, and nothing else, however a link ends.
struct ReleaseAtEnd {
  ~ReleaseAtEnd() { releaseOutput(); }
};
ManagedStatic<ReleaseAtEnd> releaseAtEnd;

} // namespace

raw_ostream &heldOut() {
  static HeldStream stream(STDOUT_FILENO);
  return stream;
}

raw_ostream &heldErr() {
  static HeldStream stream(STDERR_FILENO);
  return stream;
}

//===----------------------------------------------------------------------===//
// Handing over
//===----------------------------------------------------------------------===//

static char **arguments;

// Beside the linker (lib/spacer) or in ../lib/spacer from it (bin).
static std::string findLtoLinker() {
  std::string self = sys::fs::getMainExecutable(
      nullptr, reinterpret_cast<void *>(&findLtoLinker));
  SmallString<128> path;
  for (StringRef folder : {"../lib/spacer", "."}) {
    path = sys::path::parent_path(self);
    sys::path::append(path, folder, "ld.spacer-lto");
    if (sys::fs::exists(path))
      break;
  }
  return path.str().str();
}

void handOver(StringRef why) {
  std::string linker = findLtoLinker();
  ::execv(linker.c_str(), arguments);
  int error = errno;
  releaseOutput();
  put(STDERR_FILENO, ("ld.lld: error: " + why + ": needs the optimiser, " +
                      linker + ": " + strerror(error) + "\n")
                         .str());
  ::_exit(1);
}

// Whether an argument is for the optimiser: lld does some of what they ask for
// without bitcode, too. What GCC says to its own plugin means nothing.
static bool isForOptimiser(StringRef arg) {
  if (!arg.consume_front("-"))
    return false;
  bool isLong = arg.consume_front("-"); // -lto... may be a library
  if (arg.starts_with("mllvm") || arg.starts_with("thinlto") ||
      (isLong && arg.starts_with("lto")))
    return true;
  if (!arg.consume_front("plugin-opt"))
    return false;
  arg.consume_front("=");
  return !arg.starts_with("-fresolution=") &&
         !arg.starts_with("-pass-through=") && !arg.ends_with("lto-wrapper");
}

// An input, or the value of --script=FILE or -TFILE.
static bool isPipe(StringRef arg) {
  if (arg.starts_with("-"))
    arg = arg.contains('=') ? arg.split('=').second : arg.drop_front(2);
  struct stat status;
  return !arg.empty() && ::stat(arg.str().c_str(), &status) == 0 &&
         (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

void handOverIfAsked(int argc, char **argv) {
  arguments = argv;
  (void)*releaseAtEnd;
  sys::AddSignalHandler([](void *) { releaseOutput(); }, nullptr);
  BumpPtrAllocator memory;
  SmallVector<const char *, 256> args(argv + 1, argv + argc);
  if (llvm::any_of(args, [](const char *a) { return *a == '@'; }))
    consumeError( // lld says what it cannot read
        cl::ExpansionContext(memory, cl::TokenizeGNUCommandLine)
            .expandResponseFiles(args));
  for (const char *arg : args)
    if (isForOptimiser(arg) || isPipe(arg))
      handOver(arg);
}

} // namespace spacer

//===----------------------------------------------------------------------===//
// Names of the optimiser and of LLVM's targets
//===----------------------------------------------------------------------===//

Expected<std::unique_ptr<lto::InputFile>>
lto::InputFile::create(MemoryBufferRef file) {
  spacer::handOver(file.getBufferIdentifier());
}

lto::InputFile::~InputFile() = default;
StringRef lto::InputFile::getName() const {
  llvm_unreachable("there are no bitcode files");
}
SmallVector<const char *> lto::LTO::getRuntimeLibcallSymbols(const Triple &) {
  llvm_unreachable("there are no bitcode files");
}

codegen::RegisterCodeGenFlags::RegisterCodeGenFlags() {}

// lld's own part of the optimiser. It makes one for each link and asks it for
// the compiled files; without bitcode there are none. A stand-in for the class,
// with what lld calls: nothing else looks into it.
namespace lld::elf {
class InputFile;
class BitcodeFile;
class BitcodeCompiler {
public:
  BitcodeCompiler();
  ~BitcodeCompiler();
  void add(BitcodeFile &);
  std::vector<InputFile *> compile();
};
BitcodeCompiler::BitcodeCompiler() {}
BitcodeCompiler::~BitcodeCompiler() {}
void BitcodeCompiler::add(BitcodeFile &) {
  llvm_unreachable("there are no bitcode files");
}
std::vector<InputFile *> BitcodeCompiler::compile() { return {}; }
} // namespace lld::elf

#define LLVM_TARGET(T)                                                         \
  extern "C" void LLVMInitialize##T##TargetInfo() {}                           \
  extern "C" void LLVMInitialize##T##Target() {}                               \
  extern "C" void LLVMInitialize##T##TargetMC() {}
#include "llvm/Config/Targets.def"
#define LLVM_ASM_PRINTER(T)                                                    \
  extern "C" void LLVMInitialize##T##AsmPrinter() {}
#include "llvm/Config/AsmPrinters.def"
#define LLVM_ASM_PARSER(T)                                                     \
  extern "C" void LLVMInitialize##T##AsmParser() {}
#include "llvm/Config/AsmParsers.def"
