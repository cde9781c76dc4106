//===- Snapshot.cpp - a VM's memory and devices at one instant ------------===//
//
// Steps of a snapshot: 1. pause; 2. the driver writes the devices' state; 3.
// guest memory goes from the paused process into the pool, page by page, where
// every page that an image or another snapshot brought before is found and
// shared; 4. resume; 5. digests, config.json, rename. The pause lasts through 2
// and 3. Whatever fails or interrupts, the guest is resumed, and folder and
// pool object are taken back.
//
//===----------------------------------------------------------------------===//

#include "Snapshot.h"
#include "Files.h"
#include "GuestMemory.h"
#include "Interrupt.h"
#include "JsonFields.h"
#include <algorithm>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace spacer {
namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr char configName[] = "config.json";

Result<SnapshotFile> measure(const fs::path &path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat st;
  if (!fd || fstat(fd.get(), &st))
    return systemError(path.string());
  std::vector<uint8_t> bytes(size_t(st.st_size));
  for (size_t done = 0; done < bytes.size();) {
    ssize_t n =
        pread(fd.get(), bytes.data() + done, bytes.size() - done, off_t(done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return systemError(path.string());
    if (n == 0)
      return Error{EBADMSG, path.string() + ": ends after " +
                                std::to_string(done) + " of " +
                                std::to_string(bytes.size()) + " bytes"};
    done += size_t(n);
  }
  return SnapshotFile{bytes.size(), digestOf(bytes)};
}

Result<void> check(const fs::path &path, const SnapshotFile &expected) {
  auto found = measure(path);
  if (!found)
    return found.takeError();
  if (found->bytes != expected.bytes)
    return Error{EBADMSG, path.string() + ": " + std::to_string(found->bytes) +
                              " bytes, expected " +
                              std::to_string(expected.bytes)};
  if (found->digest != expected.digest)
    return Error{EBADMSG, path.string() + ": digest " + found->digest.hex() +
                              ", expected " + expected.digest.hex() +
                              ": changed after the snapshot was made"};
  return {};
}

bool parseDigest(const std::string &text, Digest &digest) {
  if (text.size() != 32)
    return false;
  for (size_t i = 0; i < 16; ++i) {
    unsigned byte;
    char pair[] = {text[2 * i], text[2 * i + 1], 0};
    if (!isxdigit(pair[0]) || !isxdigit(pair[1]) ||
        std::sscanf(pair, "%x", &byte) != 1)
      return false;
    digest.bytes[i] = uint8_t(byte);
  }
  return true;
}

ordered_json toJson(const Snapshot &s) {
  return {{"format", 1},
          {"name", s.name},
          {"created", s.created},
          {"stateBytes", s.state.bytes},
          {"stateDigest", s.state.digest.hex()},
          {"imageBytes", s.image.bytes},
          {"imageDigest", s.image.digest.hex()},
          {"vm", s.vm.json()}};
}

} // namespace

Result<Snapshot> Snapshot::open(const fs::path &root, std::string_view name) {
  if (auto good = checkName(name, "snapshot name"); !good)
    return good.takeError();
  Snapshot s;
  s.directory = root / "snapshots" / name;
  std::string file = s.directory / configName;
  std::error_code failed;
  if (!fs::is_directory(s.directory, failed))
    return Error{ENOENT, s.directory.string() + ": no such snapshot"};
  auto text = readFile(file);
  if (!text)
    return text.takeError();
  JsonFields fields(*text, file);
  uint64_t format = 0, created = 0;
  std::string stateDigest, imageDigest, vm;
  fields.number("format", format, 1, 1);
  fields.text("name", s.name);
  fields.number("created", created, 0, INT64_MAX);
  fields.number("stateBytes", s.state.bytes, 0, UINT64_MAX);
  fields.text("stateDigest", stateDigest);
  fields.number("imageBytes", s.image.bytes, 0, UINT64_MAX);
  fields.text("imageDigest", imageDigest);
  fields.text("vm", vm);
  if (auto problem = fields.problem())
    return *problem;
  if (s.name != name || !parseDigest(stateDigest, s.state.digest) ||
      !parseDigest(imageDigest, s.image.digest))
    return Error{EBADMSG, file + ": not what a snapshot named '" +
                              std::string(name) + "' has"};
  auto config = VmConfig::parse(vm, file + ": vm");
  if (!config)
    return config.takeError();
  s.vm = std::move(*config);
  s.created = int64_t(created);
  if (auto fine = check(s.stateFile(), s.state); !fine)
    return fine.takeError();
  if (s.image.bytes)
    if (auto fine = check(s.imageFile(), s.image); !fine)
      return fine.takeError();
  return s;
}

std::vector<Snapshot> Snapshot::list(const fs::path &root,
                                     std::vector<std::string> &problems) {
  std::vector<Snapshot> all;
  std::error_code failed;
  for (fs::directory_iterator it(root / "snapshots", failed), end;
       !failed && it != end; it.increment(failed)) {
    std::string name = it->path().filename();
    if (name[0] == '.')
      continue;
    if (auto s = open(root, name))
      all.push_back(std::move(*s));
    else
      problems.push_back(s.error().context);
  }
  std::sort(all.begin(), all.end(), [](const Snapshot &a, const Snapshot &b) {
    return a.name < b.name;
  });
  return all;
}

namespace {

/// What must be undone if the snapshot does not come about.
struct Undo {
  Driver &driver;
  const VmPaths &paths;
  fs::path folder;
  PagePool *pool = nullptr;
  std::string object; ///< in the pool; "" while it is not
  bool resume = false;

  ~Undo() {
    Uninterrupted hold; // a guest must not stay paused
    std::error_code ignored;
    if (!folder.empty())
      fs::remove_all(folder, ignored);
    if (pool && !object.empty())
      (void)pool->remove(object);
    if (resume)
      (void)driver.resume(paths);
  }
};

Result<ImportSummary> importMemory(PagePool &pool, Driver &driver, const Vm &vm,
                                   const ProcessId &process,
                                   const std::string &name,
                                   const Progress &progress) {
  auto blocks = driver.memory(vm.paths(), vm.config(), process);
  if (!blocks)
    return blocks.takeError();
  auto source = openGuestMemory(process, *blocks, "memory of VM " + vm.name());
  if (!source)
    return source.takeError();
  if ((*source)->guestPages() * pageBytes != vm.config().memoryBytes())
    return Error{EBADMSG,
                 "memory of VM " + vm.name() + ": " +
                     std::to_string((*source)->guestPages()) +
                     " pages, expected " +
                     std::to_string(vm.config().memoryBytes() / pageBytes)};
  return pool.add(name, **source, [&](uint64_t done, uint64_t all) {
    return !interrupted() && (!progress || progress(done, all));
  });
}

Result<void> makeSnapshotFolder(const fs::path &folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed)
    return Error{failed.value(), folder.string() + ": " + failed.message()};
  return {};
}

} // namespace

Result<SnapshotResult> createSnapshot(const fs::path &root, Vm &vm,
                                      std::string_view wanted,
                                      const SnapshotOptions &options) {
  if (auto good = checkName(wanted, "snapshot name"); !good)
    return good.takeError();
  SnapshotResult result;
  Snapshot &s = result.snapshot;
  s.name = wanted;
  s.vm = vm.config();
  s.created = std::time(nullptr);
  fs::path place = root / "snapshots" / s.name;
  if (access(place.c_str(), F_OK) == 0)
    return Error{EEXIST, place.string() + ": the name is taken"};
  auto process = vm.running();
  if (!process)
    return process.takeError();
  auto driver = makeDriver(vm.config().driver);
  if (!driver)
    return driver.takeError();
  auto pool = PagePool::open(root / "pool", vm.config().domain,
                             PagePool::Access::Write);
  if (!pool)
    return pool.takeError();

  Undo undo{**driver,    vm.paths(), root / "snapshots" / randomName(".new-"),
            pool->get(), "",         false};
  s.directory = undo.folder;
  if (auto made = makeSnapshotFolder(s.directory); !made)
    return made.takeError();
  auto status = (*driver)->status(vm.paths());
  if (!status)
    return status.takeError();
  auto start = std::chrono::steady_clock::now();
  undo.resume = *status == VmStatus::Running;
  if (undo.resume)
    if (auto done = (*driver)->pause(vm.paths()); !done)
      return done.takeError();
  if (auto done = (*driver)->saveState(vm.paths(), vm.config(), s.stateFile());
      !done)
    return done.takeError();
  auto imported =
      importMemory(**pool, **driver, vm, *process, s.name, options.progress);
  if (!imported)
    return imported.takeError();
  undo.object = s.name;
  result.memory = *imported;

  if (!options.stop && undo.resume) {
    Uninterrupted hold;
    if (auto done = (*driver)->resume(vm.paths()); !done)
      return done.takeError(); // Undo tries again
    undo.resume = false;
  }
  result.pausedSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  if ((*driver)->cloneNeedsImage(vm.config())) {
    std::error_code failed;
    fs::copy_file(vm.config().image, s.imageFile(), failed);
    if (failed)
      return Error{failed.value(), vm.config().image + ": " + failed.message()};
  }
  for (auto [file, path] :
       {std::pair(&s.state, s.stateFile()), {&s.image, s.imageFile()}}) {
    if (access(path.c_str(), F_OK))
      continue;
    auto measured = measure(path);
    if (!measured)
      return measured.takeError();
    *file = *measured;
  }
  if (auto done = writeFile(s.directory / configName, dumpJson(toJson(s)));
      !done)
    return done.takeError();
  if (interrupted())
    return interruptError();
  if (renameat2(AT_FDCWD, s.directory.c_str(), AT_FDCWD, place.c_str(),
                RENAME_NOREPLACE))
    return systemError(place.string());
  s.directory = place;
  undo.folder.clear();
  undo.object.clear();
  undo.resume = false;
  if (options.stop)
    (void)(*driver)->quit(vm.paths());
  return result;
}

Result<void> removeSnapshot(const fs::path &root, std::string_view domain,
                            std::string_view name) {
  if (auto good = checkName(name, "snapshot name"); !good)
    return good.takeError();
  fs::path place = root / "snapshots" / name;
  std::string where(domain);
  bool found = access(place.c_str(), F_OK) == 0;
  if (found) // a damaged one can be removed too
    if (auto s = Snapshot::open(root, name))
      where = s->vm.domain;
  auto pool = PagePool::open(root / "pool", where, PagePool::Access::Write);
  if (pool) {
    auto removed = (*pool)->remove(name);
    if (!removed && removed.error().sysErrno != ENOENT)
      return removed.takeError();
    found |= bool(removed);
  } else if (pool.error().sysErrno != ENOENT) {
    return pool.takeError();
  }
  if (!found)
    return Error{ENOENT, place.string() + ": no such snapshot"};
  std::error_code failed;
  fs::remove_all(place, failed);
  if (failed)
    return Error{failed.value(), place.string() + ": " + failed.message()};
  return {};
}

} // namespace spacer
