//===- Machine.cpp - a microVM of the stand-in ----------------------------===//

#include "Machine.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fstream>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace standin {

static constexpr uint64_t pageBytes = 4096, hugeBytes = 2 << 20;

static std::string osError(int number = errno) {
  return std::string(std::strerror(number)) + " (os error " +
         std::to_string(number) + ")";
}

/// As serde does: every key must be known, the needed ones there.
static void fields(const Json &body, std::initializer_list<const char *> needed,
                   std::initializer_list<const char *> optional) {
  const std::string prefix =
      "An error occurred when deserializing the json body of a request: ";
  if (!body.is_object())
    throw Fault(prefix + "invalid type, expected struct.");
  for (auto &[key, value] : body.items()) {
    auto is = [&, &key = key](const char *name) { return key == name; };
    if (std::ranges::none_of(needed, is) && std::ranges::none_of(optional, is))
      throw Fault(prefix + "unknown field `" + key + "`.");
  }
  for (const char *name : needed)
    if (!body.contains(name))
      throw Fault(prefix + "missing field `" + name + "`.");
}

static const char afterBoot[] =
    "The requested operation is not supported after starting the microVM.";
static const char beforeBoot[] =
    "The requested operation is not supported before starting the microVM.";

Json Machine::handle(const std::string &method, const std::string &path,
                     const Json &body) {
  const std::string call = method + " " + path;
  auto beforeOnly = [&] {
    if (started())
      throw Fault(afterBoot);
    configured = true;
  };
  if (call == "GET /")
    return describe();
  if (call == "GET /version")
    return {{"firecracker_version", describe()["vmm_version"]}};
  if (call == "GET /machine-config")
    return {{"vcpu_count", vcpus},
            {"mem_size_mib", memoryMib},
            {"smt", false},
            {"track_dirty_pages", false},
            {"huge_pages", hugePages}};
  if (call == "PUT /machine-config" || call == "PATCH /machine-config") {
    beforeOnly();
    configure(body, method == "PATCH");
  } else if (call == "PUT /boot-source") {
    beforeOnly();
    fields(body, {"kernel_image_path"}, {"boot_args", "initrd_path"});
    kernel = body["kernel_image_path"];
    if (access(kernel.c_str(), R_OK))
      throw Fault("Boot source error: The kernel file cannot be opened: " +
                  osError());
    bootArguments = body.value("boot_args", "");
  } else if (call == "PUT /balloon") {
    beforeOnly();
    balloon = true;
  } else if (call == "PUT /actions") {
    fields(body, {"action_type"}, {});
    if (body["action_type"] == "InstanceStart") {
      beforeOnly();
      start();
    } else if (body["action_type"] == "SendCtrlAltDel") {
      if (!started())
        throw Fault(beforeBoot);
      _exit(0); // a guest that reboots ends the VMM
    }
  } else if (call == "PATCH /vm") {
    setState(body);
  } else if (call == "PUT /snapshot/create") {
    createSnapshot(body);
  } else if (call == "PUT /snapshot/load") {
    loadSnapshot(body);
  } else if (call != "PUT /logger" && call != "PUT /metrics") {
    throw Fault("Invalid request method and/or path: " + call + ".");
  }
  return nullptr;
}

Json Machine::describe() const {
  const char *const states[] = {"Not started", "Running", "Paused"};
  return {{"app_name", "Firecracker"},
          {"id", id},
          {"state", states[int(state)]},
          {"vmm_version", std::to_string(release.major) + "." +
                              std::to_string(release.minor) + ".0-standin"}};
}

void Machine::configure(const Json &body, bool partly) {
  if (partly)
    fields(body, {},
           {"vcpu_count", "mem_size_mib", "smt", "cpu_template",
            "track_dirty_pages", "huge_pages"});
  else
    fields(body, {"vcpu_count", "mem_size_mib"},
           {"smt", "cpu_template", "track_dirty_pages", "huge_pages"});
  uint64_t mib = body.value("mem_size_mib", memoryMib);
  std::string huge = body.value("huge_pages", hugePages);
  if (huge != "None" && !release.atLeast(7))
    throw Fault("unknown field `huge_pages`");
  if (!mib || (huge == "2M" && mib % 2))
    throw Fault("Machine config error: The memory size (MiB) is either 0, or "
                "not a multiple of the configured page size.");
  memoryMib = mib;
  hugePages = huge;
  vcpus = body.value("vcpu_count", vcpus);
}

void Machine::start() {
  if (kernel.empty())
    throw Fault("Start microvm error: Cannot start microvm without kernel "
                "configuration.");
  layOut(-1);
  loadKernel();
  std::lock_guard lock(vcpu);
  state = State::Running;
  changed.notify_all();
}

/// The program's segments at their physical addresses, as the real one's loader
/// does; and the command line where it puts it.
void Machine::loadKernel() {
  std::ifstream in(kernel, std::ios::binary);
  std::string file(std::istreambuf_iterator<char>(in), {});
  Elf64_Ehdr header;
  if (file.size() < sizeof header || file.compare(0, 4, ELFMAG))
    throw Fault("Start microvm error: Cannot load kernel due to invalid memory "
                "configuration or invalid kernel image: Invalid Elf magic "
                "number");
  std::memcpy(&header, file.data(), sizeof header);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (header.e_phoff + (i + 1) * sizeof segment > file.size())
      throw Fault("Start microvm error: Cannot load kernel: headers");
    std::memcpy(&segment, file.data() + header.e_phoff + i * sizeof segment,
                sizeof segment);
    if (segment.p_type != PT_LOAD || !segment.p_filesz)
      continue;
    if (segment.p_offset + segment.p_filesz > file.size())
      throw Fault("Start microvm error: Cannot load kernel: segment");
    std::memcpy(at(segment.p_paddr, segment.p_filesz),
                file.data() + segment.p_offset, segment.p_filesz);
  }
  std::string line = bootArguments + '\0';
  std::memcpy(at(0x20000, line.size()), line.data(), line.size());
}

void Machine::setState(const Json &body) {
  fields(body, {"state"}, {});
  if (!started())
    throw Fault(beforeBoot);
  if (body["state"] != "Paused" && body["state"] != "Resumed")
    throw Fault("An error occurred when deserializing the json body of a "
                "request: unknown variant, expected `Paused` or `Resumed`.");
  std::lock_guard lock(vcpu); // waits for the command in progress
  state = body["state"] == "Paused" ? State::Paused : State::Running;
  changed.notify_all();
}

std::unique_lock<std::mutex> Machine::run() {
  std::unique_lock lock(vcpu);
  changed.wait(lock, [&] { return state == State::Running; });
  return lock;
}

// Memory

/// Maps the regions: privately from \p fd, or anonymous memory for -1.
void Machine::layOut(int fd) {
  uint64_t grain = hugePages == "2M" ? hugeBytes : pageBytes;
  uint64_t left = memoryBytes(), guest = 0;
  for (unsigned i = 0; i < regionCount; ++i) {
    uint64_t bytes = i + 1 == regionCount
                         ? left
                         : memoryBytes() / regionCount / grain * grain;
    int flags = MAP_PRIVATE | MAP_NORESERVE;
    if (fd < 0)
      flags |=
          MAP_ANONYMOUS | (hugePages == "2M" ? MAP_HUGETLB | (21 << 26) : 0);
    // With room around it: the C library has mappings of the same kind, with
    // which the kernel would join it. (The real one has musl, which has not.)
    auto *room = static_cast<uint8_t *>(
        mmap(nullptr, bytes + 2 * grain, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    uintptr_t inside = (uintptr_t(room) + grain) & ~(grain - 1);
    void *host =
        mmap(reinterpret_cast<void *>(inside), bytes, PROT_READ | PROT_WRITE,
             flags | MAP_FIXED, fd, fd < 0 ? 0 : off_t(memoryBytes() - left));
    if (host == MAP_FAILED)
      throw Fault("Cannot create mmap region: " + osError());
    regions.push_back({static_cast<uint8_t *>(host), guest, bytes});
    left -= bytes;
    guest += bytes;
  }
}

uint8_t *Machine::at(uint64_t offset, uint64_t bytes) const {
  for (const GuestRegion &r : regions)
    if (offset >= r.guest && offset - r.guest < r.bytes &&
        bytes <= r.bytes - (offset - r.guest))
      return r.host + (offset - r.guest);
  throw Fault("no such memory");
}

void Machine::discard(uint64_t offset, uint64_t bytes) {
  uint8_t *host = at(offset, bytes);
  // To 1.10 a restored machine's range was mapped over, which takes it out of
  // the userfaultfd's hands; later only where it comes from a file.
  if (restored && (fromFile || !release.atLeast(11)) &&
      mmap(host, bytes, PROT_READ | PROT_WRITE,
           MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE, -1, 0) == MAP_FAILED)
    throw Fault("mmap: " + osError());
  if (madvise(host, bytes, MADV_DONTNEED))
    throw Fault("madvise: " + osError());
}

// Snapshots

void Machine::createSnapshot(const Json &body) {
  fields(body, {"snapshot_path", "mem_file_path"},
         {"snapshot_type", "version"});
  if (!started())
    throw Fault(beforeBoot);
  if (state != State::Paused)
    throw Fault("Create snapshot error: Cannot save microvm state: Operation "
                "not allowed: save/restore unavailable while running");
  std::string path = body["mem_file_path"];
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    throw Fault("Create snapshot error: Cannot perform open on the memory "
                "backing file: " +
                osError());
  bool fine = ftruncate(fd, off_t(memoryBytes())) == 0;
  for (const GuestRegion &r : regions)
    for (uint64_t done = 0; fine && done < r.bytes;) {
      ssize_t n =
          pwrite(fd, r.host + done, r.bytes - done, off_t(r.guest + done));
      fine = n > 0;
      done += fine ? uint64_t(n) : 0;
    }
  int error = errno;
  close(fd);
  if (!fine)
    throw Fault("Create snapshot error: Cannot perform dump on the memory "
                "backing file: " +
                osError(error));
  std::ofstream out(body["snapshot_path"].get<std::string>());
  out << Json{{"standin", 1},           {"mem_size_mib", memoryMib},
              {"vcpu_count", vcpus},    {"huge_pages", hugePages},
              {"regions", regionCount}, {"balloon", balloon}}
             .dump()
      << '\n';
  if (!out.flush())
    throw Fault("Create snapshot error: Cannot open snapshot file");
}

void Machine::loadSnapshot(const Json &body) {
  if (release.atLeast(1))
    fields(body, {"snapshot_path"},
           {"mem_backend", "mem_file_path", "enable_diff_snapshots",
            "track_dirty_pages", "resume_vm", "network_overrides"});
  else
    fields(body, {"snapshot_path", "mem_file_path"},
           {"enable_diff_snapshots", "resume_vm"});
  if (started())
    throw Fault(afterBoot);
  if (configured)
    throw Fault("Load snapshot error: Loading a microVM snapshot not allowed "
                "after configuring boot-specific resources.");
  std::string backend = "File", path;
  if (body.contains("mem_backend") == body.contains("mem_file_path"))
    throw Fault("An error occurred when deserializing the json body of a "
                "request: either `mem_backend` or `mem_file_path` is "
                "required.");
  if (body.contains("mem_backend")) {
    fields(body["mem_backend"], {"backend_type", "backend_path"}, {});
    backend = body["mem_backend"]["backend_type"];
    path = body["mem_backend"]["backend_path"];
  } else {
    path = body["mem_file_path"];
  }
  const std::string prefix =
      "Load snapshot error: Failed to restore from snapshot: ";
  std::ifstream in(body["snapshot_path"].get<std::string>());
  Json saved = Json::parse(in, nullptr, false);
  if (!saved.is_object() || saved.value("standin", 0) != 1)
    throw Fault(prefix + "Failed to get snapshot state from file");
  memoryMib = saved["mem_size_mib"];
  vcpus = saved["vcpu_count"];
  hugePages = saved["huge_pages"];
  regionCount = saved["regions"];
  balloon = saved["balloon"];
  configured = true;
  if (backend == "File") {
    if (hugePages == "2M" && release.atLeast(11))
      throw Fault(prefix +
                  "Cannot restore hugetlbfs backed snapshot by mapping the "
                  "memory file. Please use uffd.");
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC); // stays open, as there
    struct stat status;
    if (fd < 0 || fstat(fd, &status))
      throw Fault(prefix + "Failed to load guest memory: " + osError());
    if (uint64_t(status.st_size) < memoryBytes())
      throw Fault(prefix + "Failed to restore guest memory: the file is too "
                           "small");
    layOut(fd);
    fromFile = true;
  } else if (backend == "Uffd") {
    layOut(-1);
    sendUffd(path);
  } else {
    throw Fault("An error occurred when deserializing the json body of a "
                "request: unknown variant `" +
                backend + "`, expected `File` or `Uffd`.");
  }
  restored = true;
  std::lock_guard lock(vcpu);
  state = body.value("resume_vm", false) ? State::Running : State::Paused;
  changed.notify_all();
}

void Machine::sendUffd(const std::string &path) {
  const std::string prefix =
      "Load snapshot error: Failed to restore from snapshot: ";
  int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
  uffd = device >= 0
             ? ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK)
             : int(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
  if (device >= 0)
    close(device);
  uffdio_api api{UFFD_API, 0, 0};
  if (balloon || release.atLeast(12))
    api.features = UFFD_FEATURE_EVENT_REMOVE;
  if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
    throw Fault(prefix + "Failed to UFFD object: " + osError());

  Json list = Json::array();
  uint64_t size = hugePages == "2M" ? hugeBytes : pageBytes;
  for (const GuestRegion &r : regions) {
    uffdio_register range{
        {uint64_t(r.host), r.bytes}, UFFDIO_REGISTER_MODE_MISSING, 0};
    if (ioctl(uffd, UFFDIO_REGISTER, &range))
      throw Fault(prefix + "Failed to register memory: " + osError());
    Json row = {{"base_host_virt_addr", uint64_t(r.host)},
                {"size", r.bytes},
                {"offset", r.guest}};
    if (release.atLeast(7))
      row["page_size_kib"] = size; // bytes: the name is wrong there too
    if (release.atLeast(12))
      row["page_size"] = size;
    list.push_back(row);
  }

  handlerSocket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{AF_UNIX, {}};
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (connect(handlerSocket, reinterpret_cast<sockaddr *>(&address),
              sizeof address))
    throw Fault(prefix + "Failed to connect to UDS Unix stream: " + osError());
  std::string text = list.dump();
  for (size_t done = 0; done < text.size();) {
    size_t piece = pieceBytes ? std::min<size_t>(pieceBytes, text.size() - done)
                              : text.size();
    iovec part{text.data() + done, piece};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!done) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr *c = CMSG_FIRSTHDR(&message);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(c), &uffd, sizeof uffd);
    }
    ssize_t n = sendmsg(handlerSocket, &message, MSG_NOSIGNAL);
    if (n <= 0)
      throw Fault(prefix + "Failed to sends file descriptor: " + osError());
    done += size_t(n);
    if (done < text.size())
      usleep(1000);
  }
  if (!release.atLeast(12)) {
    close(handlerSocket);
    handlerSocket = -1;
  }
}

} // namespace standin
