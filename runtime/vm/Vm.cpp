//===- Vm.cpp - a VM's directory and what became of its process -----------===//

#include "Vm.h"
#include "Files.h"
#include "Interrupt.h"
#include "JsonFields.h"
#include <algorithm>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace spacer {
namespace fs = std::filesystem;

namespace {

/// \p dir and the folders above it; 0700 for the last.
Result<void> makeFolders(const fs::path &dir) {
  std::error_code failed;
  fs::create_directories(dir.parent_path(), failed);
  if (mkdir(dir.c_str(), 0700) && errno != EEXIST)
    return systemError(dir.string());
  return {};
}

std::string statusText(int status) {
  if (WIFSIGNALED(status))
    return "killed by signal " + std::to_string(WTERMSIG(status));
  return "exited " + std::to_string(WEXITSTATUS(status));
}

} // namespace

std::string randomName(std::string_view prefix) {
  uint32_t number = 0;
  (void)!getrandom(&number, sizeof number, 0);
  char digits[12];
  std::snprintf(digits, sizeof digits, "%08x", number);
  return std::string(prefix) + digits;
}

Result<void> Vm::takeLock() {
  lockFd.reset(
      ::open(files.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lockFd)
    return systemError(files.lock().string());
  Deadline end = deadlineIn(std::chrono::seconds(10));
  while (flock(lockFd.get(), LOCK_EX | LOCK_NB)) {
    if (errno != EWOULDBLOCK)
      return systemError(files.lock().string());
    if (interrupted())
      return interruptError();
    if (std::chrono::steady_clock::now() > end)
      return Error{EBUSY,
                   "VM " + name() + ": another command is at work on it"};
    usleep(10'000);
  }
  // Removed (and perhaps made anew) while we waited?
  struct stat held, named;
  if (fstat(lockFd.get(), &held) || stat(files.lock().c_str(), &named) ||
      held.st_ino != named.st_ino)
    return Error{ENOENT, "VM " + name() + ": was removed meanwhile"};
  return {};
}

Result<Vm> Vm::create(const fs::path &root, VmConfig config) {
  if (auto good = checkName(config.name, "VM name"); !good)
    return good.takeError();
  fs::path vms = root / "vms";
  if (auto made = makeFolders(vms); !made)
    return made.takeError();
  Vm vm;
  vm.settings = std::move(config);
  vm.files.directory = vms / randomName(".new-");
  if (mkdir(vm.files.directory.c_str(), 0700))
    return systemError(vm.files.directory.string());
  auto done = vm.takeLock();
  if (done)
    done = writeFile(vm.files.config(), vm.settings.json());
  fs::path place = vms / vm.name();
  if (done && renameat2(AT_FDCWD, vm.files.directory.c_str(), AT_FDCWD,
                        place.c_str(), RENAME_NOREPLACE))
    done = errno == EEXIST
               ? Result<void>(
                     Error{EEXIST, place.string() + ": the name is taken"})
               : systemError(place.string());
  if (!done) {
    std::error_code ignored;
    fs::remove_all(vm.files.directory, ignored);
    return done.takeError();
  }
  vm.files.directory = place;
  return vm;
}

Result<Vm> Vm::open(const fs::path &root, std::string_view name, bool lock) {
  if (auto good = checkName(name, "VM name"); !good)
    return good.takeError();
  Vm vm;
  vm.settings.name = name;
  vm.files.directory = root / "vms" / name;
  std::error_code failed;
  if (!fs::is_directory(vm.files.directory, failed))
    return Error{ENOENT, vm.files.directory.string() + ": no such VM"};
  if (lock)
    if (auto taken = vm.takeLock(); !taken)
      return taken.takeError();
  auto text = readFile(vm.files.config());
  if (!text)
    return text.takeError();
  auto config = VmConfig::parse(*text, vm.files.config().string());
  if (!config)
    return config.takeError();
  vm.settings = std::move(*config);
  if (vm.settings.name != name)
    return Error{EBADMSG, vm.files.config().string() + ": name is '" +
                              vm.settings.name + "', expected '" +
                              std::string(name) + "'"};
  return vm;
}

namespace {

/// Left by a command that was killed before its VM ran, or while it removed it.
bool isAbandoned(const VmPaths &files) {
  std::string name = files.directory.filename();
  struct stat st;
  if (name.starts_with(".gone-"))
    return true;
  if (name.starts_with(".new-") &&
      (stat(files.directory.c_str(), &st) || st.st_mtime + 60 > time(nullptr)))
    return false; // its maker may not have locked it yet
  if (access(files.process().c_str(), F_OK) == 0 ||
      access(files.exit().c_str(), F_OK) == 0)
    return false;
  UniqueFd lock(open(files.lock().c_str(), O_RDWR | O_CLOEXEC));
  if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB))
    return false;
  return access(files.process().c_str(), F_OK) != 0; // still
}

} // namespace

std::vector<Vm> Vm::list(const fs::path &root,
                         std::vector<std::string> &problems) {
  std::vector<Vm> vms;
  std::error_code failed;
  for (fs::directory_iterator it(root / "vms", failed), end;
       !failed && it != end; it.increment(failed)) {
    std::string name = it->path().filename();
    std::error_code ignored;
    if (isAbandoned({it->path()})) {
      fs::remove_all(it->path(), ignored);
      continue;
    }
    if (name[0] == '.' || !it->is_directory(ignored))
      continue;
    if (auto vm = open(root, name, false))
      vms.push_back(std::move(*vm));
    else if (fs::exists(it->path(), ignored)) // else removed meanwhile
      problems.push_back(vm.error().context);
  }
  // web-2 before web-10.
  std::sort(vms.begin(), vms.end(), [](const Vm &a, const Vm &b) {
    return strverscmp(a.name().c_str(), b.name().c_str()) < 0;
  });
  return vms;
}

Result<void> Vm::setProcess(const ProcessId &process) {
  return writeFile(files.process(),
                   dumpJson(nlohmann::ordered_json{
                       {"pid", process.pid}, {"start", process.startTicks}}));
}

std::optional<ProcessId> Vm::process() const {
  auto text = readFile(files.process());
  if (!text || access(files.exit().c_str(), F_OK) == 0)
    return std::nullopt;
  JsonFields fields(*text, files.process().string());
  uint64_t pid = 0, start = 0;
  fields.number("pid", pid, 1, INT32_MAX);
  fields.number("start", start, 0, UINT64_MAX);
  ProcessId id{int(pid), start};
  if (fields.problem())
    return std::nullopt;
  if (alive(id))
    return id;
  // The monitor, who knows the status, may be about to write it.
  for (int i = 0; i < 20 && access(files.exit().c_str(), F_OK); ++i)
    usleep(5'000);
  if (access(files.exit().c_str(), F_OK))
    noteExit(std::nullopt);
  return std::nullopt;
}

std::optional<VmExit> Vm::exit() const {
  process(); // notes it if need be
  auto text = readFile(files.exit());
  if (!text)
    return std::nullopt;
  JsonFields fields(*text, files.exit().string());
  VmExit result;
  uint64_t known = 0, status = 0, when = 0;
  fields.number("known", known, 0, 1);
  fields.number("waitStatus", status, 0, 0xffff);
  fields.number("when", when, 0, INT64_MAX);
  fields.text("text", result.text);
  result.known = known;
  result.waitStatus = int(status);
  result.when = int64_t(when);
  return result;
}

Result<ProcessId> Vm::running() const {
  if (auto p = process())
    return *p;
  auto end = exit();
  return Error{ESRCH, "VM " + name() + ": not running (" +
                          (end ? end->text : std::string("never started")) +
                          ")"};
}

void Vm::noteExit(std::optional<int> waitStatus) const {
  std::string text = "exited";
  if (waitStatus) {
    text = statusText(*waitStatus);
    if (auto driver = makeDriver(settings.driver))
      if (auto better = (*driver)->describeExit(files, *waitStatus);
          !better.empty())
        text = better;
  }
  (void)writeFile(files.exit(),
                  dumpJson(nlohmann::ordered_json{
                      {"known", waitStatus ? 1 : 0},
                      {"waitStatus", waitStatus ? *waitStatus & 0xffff : 0},
                      {"when", int64_t(std::time(nullptr))},
                      {"text", text}}));
  for (const char *gone : {"console.sock", "qmp.sock", "api.sock", "memory",
                           "console.lock", "console.in"})
    unlink((files.directory / gone).c_str());
}

Result<void> Vm::remove() {
  // Out of sight first: nobody meets half a VM.
  fs::path hidden = files.directory.parent_path() / randomName(".gone-");
  if (rename(files.directory.c_str(), hidden.c_str()))
    return systemError(files.directory.string());
  std::error_code failed;
  fs::remove_all(hidden, failed);
  if (failed)
    return Error{failed.value(), hidden.string() + ": " + failed.message()};
  return {};
}

} // namespace spacer
