//===- DeltaInputs.cpp - delta objects among a link's inputs --------------===//

#include "DeltaInputs.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFTypes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace llvm::ELF;

namespace spacer {
namespace {

Error bad(const Twine &text) {
  return make_error<StringError>(text, inconvertibleErrorCode());
}

// Options of lld whose next argument may be an existing file that is no input.
bool takesFile(StringRef option) {
  if (!option.consume_front("-"))
    return false;
  option.consume_front("-");
  return StringSwitch<bool>(option)
      .Cases("o", "T", "dT", "R", "L", "h", "e", "Map", true)
      .Cases("output", "script", "default-script", "just-symbols", true)
      .Cases("version-script", "dynamic-list", "library-path", true)
      .Cases("symbol-ordering-file", "call-graph-ordering-file", true)
      .Cases("retain-symbols-file", "dependency-file", "reproduce", true)
      .Cases("export-dynamic-symbol-list", "print-archive-stats", true)
      .Default(false);
}

// Delta objects have their section headers right behind the ELF header, as no
// compiler does: 64 bytes tell almost every other file.
bool mayBeDelta(StringRef path) {
  sys::fs::file_status status;
  if (sys::fs::status(path, status) || !sys::fs::is_regular_file(status))
    return false;
  Expected<sys::fs::file_t> f = sys::fs::openNativeFileForRead(path);
  if (!f) {
    consumeError(f.takeError());
    return false;
  }
  object::ELF64LE::Ehdr e{};
  Expected<size_t> n =
      sys::fs::readNativeFile(*f, {reinterpret_cast<char *>(&e), sizeof e});
  sys::fs::closeFile(*f);
  if (!n) {
    consumeError(n.takeError());
    return false;
  }
  return *n == sizeof e && !memcmp(e.e_ident, ElfMagic, 4) &&
         e.e_type == ET_REL && e.e_shoff == sizeof e;
}

bool isLibraryFile(StringRef bytes) {
  return bytes.starts_with("!<arch>\n") || bytes.starts_with(ElfMagic);
}

} // namespace

Error DeltaInputs::scan(SmallVectorImpl<const char *> &args) {
  Error failure = Error::success();
  StringRef previous;
  llvm::erase_if(args, [&](const char *arg) {
    StringRef path = arg ? StringRef(arg) : StringRef();
    bool isValue = takesFile(previous);
    previous = path;
    if (isValue || path.empty() || path.starts_with("-") || !mayBeDelta(path))
      return false;
    auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                        /*RequiresNullTerminator=*/false);
    if (!buffer || !isDelta((*buffer)->getBuffer()))
      return false;
    Expected<Delta> d = readDelta((*buffer)->getMemBufferRef());
    if (!d) {
      failure = joinErrors(std::move(failure), d.takeError());
      return true;
    }
    deltas.push_back(std::make_unique<Entry>());
    deltas.back()->buffer = std::move(*buffer);
    deltas.back()->delta = std::move(*d);
    return true;
  });
  return failure;
}

// The delta that continues from \p current, if any; each one once.
Expected<DeltaInputs::Entry *> DeltaInputs::next(MemoryBufferRef current,
                                                 ArrayRef<Entry *> done) {
  Entry *found = nullptr;
  std::optional<Hash128> hash;
  for (auto &e : deltas) {
    const Delta &d = e->delta;
    if (d.baseBytes != current.getBufferSize() || is_contained(done, e.get()))
      continue;
    if (!hash)
      hash = hashBytes(current.getBuffer());
    if (*hash != d.baseHash)
      continue;
    if (!found || found->delta.nextHash == found->delta.baseHash)
      found = e.get();
    else if (d.nextHash != found->delta.nextHash && d.nextHash != d.baseHash)
      return bad(found->delta.file + " and " + d.file + ": two deltas of " +
                 d.library + " against the same base " + hash->hex() +
                 "; link one of them");
    e->used = true; // also what is given twice or changes nothing
    found->used = true;
  }
  return found;
}

Expected<MemoryBufferRef> DeltaInputs::replace(MemoryBufferRef input) {
  if (isDelta(input.getBuffer()))
    return bad(input.getBufferIdentifier() +
               ": a delta object must be named as a file of its own and be "
               "left as it was written");
  MemoryBufferRef current = input;
  SmallVector<Entry *, 4> done;
  for (;;) {
    Expected<Entry *> e = next(current, done);
    if (!e)
      return e.takeError();
    if (!*e)
      break;
    done.push_back(*e);
    auto bytes = applyDelta(current, (*e)->delta);
    if (!bytes)
      return bytes.takeError();
    made.push_back(std::move(*bytes));
    current = made.back()->getMemBufferRef();
  }
  inputs.push_back({input, current});
  return current;
}

Error DeltaInputs::finish() const {
  for (auto &e : deltas) {
    if (e->used)
      continue;
    const Delta &d = e->delta;
    std::string text = (d.file + ": delta of " + d.library + " against base " +
                        d.baseHash.hex() + ", but ")
                           .str();
    for (const Input &i : inputs) {
      StringRef path = i.read.getBufferIdentifier();
      if (i.used.getBufferSize() == d.nextBytes &&
          hashBytes(i.used.getBuffer()) == d.nextHash)
        return bad(text + path + " is already what it makes of it");
    }
    for (const Input &i : inputs) {
      StringRef path = i.read.getBufferIdentifier();
      if (sys::path::filename(path) == d.baseName ||
          (isLibraryFile(i.read.getBuffer()) &&
           libraryOfFile(path) == d.library))
        return bad(text + path + " is " + hashBytes(i.read.getBuffer()).hex());
    }
    return bad(text + "no input is " + d.baseName);
  }
  return Error::success();
}

static StringRef ruledLibrary(StringRef path, ArrayRef<LibraryRule> rules) {
  for (const LibraryRule &r : rules)
    if (r.glob.match(path) || r.glob.match(sys::path::filename(path)))
      return r.name;
  return libraryOfFile(path);
}

Error DeltaInputs::write(StringRef baseFile, StringRef out,
                         ArrayRef<LibraryRule> rules) const {
  auto base = MemoryBuffer::getFile(baseFile, /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!base)
    return bad("--spacer-delta-base=" + baseFile + ": " +
               base.getError().message());
  StringRef library = ruledLibrary(baseFile, rules);
  auto search = [&](auto fits) {
    std::vector<MemoryBufferRef> found;
    for (const Input &i : inputs)
      if (isLibraryFile(i.used.getBuffer()) &&
          fits(i.used.getBufferIdentifier()) &&
          llvm::none_of(found, [&](MemoryBufferRef f) {
            return f.getBuffer() == i.used.getBuffer();
          }))
        found.push_back(i.used);
    return found;
  };
  std::vector<MemoryBufferRef> found = search([&](StringRef path) {
    return sys::path::filename(path) == sys::path::filename(baseFile);
  });
  if (found.empty())
    found = search(
        [&](StringRef path) { return ruledLibrary(path, rules) == library; });
  if (found.empty())
    return bad("--spacer-delta-base=" + baseFile + ": no input is named " +
               sys::path::filename(baseFile) + " or is library " + library);
  if (found.size() > 1)
    return bad("--spacer-delta-base=" + baseFile + ": both " +
               found[0].getBufferIdentifier() + " and " +
               found[1].getBufferIdentifier() +
               " could replace it; make the delta with `spacer delta`");
  auto delta = makeDelta((*base)->getMemBufferRef(), found[0], library);
  if (!delta)
    return delta.takeError();
  return writeFile(out, (*delta)->getBuffer());
}

} // namespace spacer
