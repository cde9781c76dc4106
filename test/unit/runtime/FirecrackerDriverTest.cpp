//===- FirecrackerDriverTest.cpp - also FirecrackerApi --------------------===//

#include "FirecrackerDriver.h"
#include "FirecrackerApi.h"
#include "PagePool.h"
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>

using namespace spacer;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

class FirecrackerTest : public testing::Test {
protected:
  FirecrackerTest() {
    char name[] = "/tmp/spacer-test-XXXXXX";
    directory = mkdtemp(name);
  }
  ~FirecrackerTest() override { fs::remove_all(directory); }
  fs::path directory;
};

// The client against a server that says what the test wants.

class FirecrackerApiTest : public FirecrackerTest {
protected:
  void answer(std::string text) {
    listener.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{AF_UNIX, {}};
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr *>(&address),
                   sizeof address),
              0);
    ASSERT_EQ(listen(listener.get(), 1), 0);
    server = std::thread([this, text = std::move(text)] {
      UniqueFd connection(accept(listener.get(), nullptr, nullptr));
      char bytes[4096];
      while (request.find("\r\n\r\n") == std::string::npos ||
             (request[0] == 'P' && request.back() != '}')) {
        ssize_t n = read(connection.get(), bytes, sizeof bytes);
        if (n <= 0)
          return;
        request.append(bytes, size_t(n));
      }
      if (text.empty()) { // says nothing until the client goes
        (void)!read(connection.get(), bytes, 1);
        return;
      }
      (void)!send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
    });
  }
  void TearDown() override {
    if (server.joinable())
      server.join();
  }
  fs::path path() const { return directory / "api"; }

  UniqueFd listener;
  std::thread server;
  std::string request;
};

TEST_F(FirecrackerApiTest, sendsJsonAndTakesAnEmptyAnswer) {
  answer("HTTP/1.1 204 No Content\r\n\r\n");
  auto done = FirecrackerApi(path()).put("/vm", {{"state", "Paused"}});
  ASSERT_TRUE(done) << done.error().context;
  server.join();
  EXPECT_THAT(request, testing::StartsWith("PUT /vm HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Type: application/json"));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n{\"state\":\"Paused\"}"));
}

TEST_F(FirecrackerApiTest, reportsTheFaultMessage) {
  answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 30\r\n\r\n"
         "{\"fault_message\":\"no\\nkernel\"} ");
  auto done = FirecrackerApi(path()).patch("/vm", {{"state", "Paused"}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().sysErrno, EPROTO);
  EXPECT_THAT(done.error().context, HasSubstr("PATCH /vm: no kernel"));
}

TEST_F(FirecrackerApiTest, refusesWhatIsNoFirecracker) {
  std::string deep(100, '[');
  answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + deep);
  auto got = FirecrackerApi(path()).get("/");
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().context, HasSubstr("the answer is no JSON object"));
}

TEST_F(FirecrackerApiTest, doesNotWaitForEver) {
  answer("");
  auto got =
      FirecrackerApi(path(), std::chrono::milliseconds(50)).get("/version");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().sysErrno, ETIMEDOUT);
}

TEST_F(FirecrackerApiTest, saysThatNobodyListensOrTheNameIsTooLong) {
  auto got = FirecrackerApi(path()).get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().sysErrno, ECONNREFUSED);
  got = FirecrackerApi(std::string(200, 'x')).get("/");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().sysErrno, ENAMETOOLONG);
}

// Where guest memory lies.

std::string mapping(uint64_t start, uint64_t bytes, const char *flags) {
  char line[200];
  std::snprintf(line, sizeof line,
                "%llx-%llx rw-p 00000000 00:00 0 \nRss: 4 kB\nVmFlags: %s\n",
                (unsigned long long)start, (unsigned long long)(start + bytes),
                flags);
  return line;
}

TEST(FirecrackerMemoryTest, isTheMappingWithoutReserve) {
  std::string smaps = mapping(0x1000, 0x5000, "rd wr mr mw me ac sd") +
                      mapping(0x100000, 0x4000, "rd wr mr mw me nr sd") +
                      mapping(0x200000, 0x4000, "rd wr mr mw me ac sd");
  auto blocks = findFirecrackerMemory(smaps, 0x4000);
  ASSERT_TRUE(blocks) << blocks.error().context;
  ASSERT_EQ(blocks->size(), 1u);
  EXPECT_EQ((*blocks)[0].start.value, 0x100000u);
  auto wrong = findFirecrackerMemory(smaps, 0x8000);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(
      wrong.error().context,
      "guest memory: found mappings of 16384 bytes, expected one of 32768");
}

TEST(FirecrackerMemoryTest, includesWhatABalloonMappedOver) {
  auto blocks =
      findFirecrackerMemory(mapping(0x100000, 0x1000, "rd wr nr") +
                                mapping(0x101000, 0x2000, "rd wr ac") +
                                mapping(0x103000, 0x1000, "rd wr nr"),
                            0x4000);
  ASSERT_TRUE(blocks) << blocks.error().context;
  EXPECT_FALSE(findFirecrackerMemory(mapping(0x100000, 0x2000, "rd wr nr") +
                                         mapping(0x200000, 0x2000, "rd wr nr"),
                                     0x4000));
  EXPECT_FALSE(findFirecrackerMemory("", 0x4000));
  EXPECT_FALSE(findFirecrackerMemory(mapping(0x100000, 0x4000, "rd wr nr") +
                                         mapping(0x200000, 0x4000, "rd wr nr"),
                                     0x4000));
}

// The driver against the stand-in.

class FirecrackerDriverTest : public FirecrackerTest {
protected:
  FirecrackerDriverTest() {
    FirecrackerOptions options;
    options.program = STANDIN_FIRECRACKER;
    driver = makeFirecrackerDriver(options);
    launch.config.name = "test_vm";
    launch.config.memoryMiB = 8;
    launch.config.image = "/proc/self/exe";
    launch.config.arguments = "the arguments";
    launch.paths.directory = directory;
    launch.patience = std::chrono::seconds(20);
  }
  ~FirecrackerDriverTest() override {
    if (!process)
      return;
    killProcess(process);
    waitpid(process.pid, nullptr, 0);
  }

  std::string command(ConsoleEnds &console, const std::string &line) {
    std::string text = line + "\n", answer;
    (void)!write(console.input.get(), text.data(), text.size());
    for (int i = 0; i < 2000; ++i) {
      char bytes[256];
      ssize_t n = read(console.output.get(), bytes, sizeof bytes);
      if (n > 0)
        answer.append(bytes, size_t(n));
      if (answer.ends_with('\n'))
        return answer;
      usleep(1000);
    }
    return "no answer: " + answer;
  }

  std::unique_ptr<Driver> driver;
  VmLaunch launch;
  ProcessId process;
};

TEST_F(FirecrackerDriverTest, checksTheProgram) {
  auto fine = driver->check(launch.config, false);
  ASSERT_TRUE(fine) << fine.error().context;
  EXPECT_EQ(launch.config.accel, "kvm");
  FirecrackerOptions options;
  options.program = "/bin/true";
  auto wrong = makeFirecrackerDriver(options)->check(launch.config, false);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().sysErrno, ENOTSUP);
  options.program = "no-such-firecracker";
  wrong = makeFirecrackerDriver(options)->check(launch.config, false);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().sysErrno, ENOENT);
}

TEST_F(FirecrackerDriverTest, startsPausesSavesAndStops) {
  // A small kernel: the stand-in loads it at its physical addresses.
  launch.config.memoryMiB = 64;
  launch.config.image = directory / "kernel";
  // One PT_LOAD of 16 bytes at 1 MiB.
  uint8_t kernel[0x100] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  kernel[16] = 2, kernel[18] = 62, kernel[20] = 1;
  kernel[32] = 64, kernel[52] = 64, kernel[54] = 56, kernel[56] = 1;
  kernel[64] = 1, kernel[72] = 0x80, kernel[64 + 26] = 0x10;
  kernel[64 + 32] = 16, kernel[64 + 40] = 16;
  std::memcpy(kernel + 0x80, "kernel's content", 16);
  std::ofstream(launch.config.image, std::ios::binary)
      .write(reinterpret_cast<char *>(kernel), sizeof kernel)
      .flush();

  auto started = driver->start(launch);
  ASSERT_TRUE(started) << started.error().context;
  process = *started;
  auto status = driver->status(launch.paths);
  ASSERT_TRUE(status) << status.error().context;
  EXPECT_EQ(*status, VmStatus::Running);

  auto console = driver->openConsole(launch.paths);
  ASSERT_TRUE(console) << console.error().context;
  EXPECT_EQ(command(*console, "args"), "ok the arguments\n");
  EXPECT_EQ(command(*console, "fill 1000 4 1"), "ok\n");
  auto second = driver->openConsole(launch.paths);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().sysErrno, EBUSY);

  // Running: refused. Paused: done, and nothing but the state stays.
  auto saved =
      driver->saveState(launch.paths, launch.config, directory / "state");
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().context, HasSubstr("save/restore unavailable"));
  ASSERT_TRUE(driver->pause(launch.paths));
  EXPECT_EQ(*driver->status(launch.paths), VmStatus::Paused);
  saved = driver->saveState(launch.paths, launch.config, directory / "state");
  ASSERT_TRUE(saved) << saved.error().context;
  EXPECT_TRUE(fs::exists(directory / "state"));

  // Memory where the driver says it is.
  auto memory = driver->memory(launch.paths, launch.config, process);
  ASSERT_TRUE(memory) << memory.error().context;
  ASSERT_EQ(memory->size(), 1u);
  UniqueFd mem(open(("/proc/" + std::to_string(process.pid) + "/mem").c_str(),
                    O_RDONLY));
  char content[17] = {};
  ASSERT_EQ(pread(mem.get(), content, 16,
                  off_t((*memory)[0].start.value + (1 << 20))),
            16);
  EXPECT_STREQ(content, "kernel's content");

  ASSERT_TRUE(driver->resume(launch.paths));
  EXPECT_EQ(*driver->status(launch.paths), VmStatus::Running);
  auto quit = driver->quit(launch.paths);
  ASSERT_TRUE(quit) << quit.error().context;
  EXPECT_TRUE(waitForEnd(process, std::chrono::seconds(10)));
}

TEST_F(FirecrackerDriverTest, leavesNothingWhenTheStartFails) {
  launch.config.image = directory / "no-kernel";
  auto started = driver->start(launch);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().context,
              HasSubstr("The kernel file cannot be opened"));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1); // no child
  launch.paths.directory = directory / std::string(150, 'd');
  fs::create_directory(launch.paths.directory);
  started = driver->start(launch);
  ASSERT_FALSE(started);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

/// A snapshot in a pool, and clones of it by either backend.
class FirecrackerCloneTest : public FirecrackerDriverTest {
protected:
  void makeSnapshot() {
    // The state as the stand-in writes it, the memory of our choice.
    stateFile = directory / "state";
    std::ofstream(stateFile) << R"({"standin":1,"mem_size_mib":12,)"
                                R"("vcpu_count":1,"huge_pages":"None",)"
                                R"("regions":1,"balloon":true})";
    content.assign(12 << 20, 0);
    launch.config.memoryMiB = 12;
    for (size_t i = 1 << 20; i < 3 << 20; ++i)
      content[i] = char(i * 2654435761u >> 13);
    std::ofstream(directory / "memory-file", std::ios::binary) << content;
    auto opened =
        PagePool::open(directory / "pool", "default", PagePool::Access::Write);
    ASSERT_TRUE(opened) << opened.error().context;
    pool = std::move(*opened);
    auto source = openRaw(directory / "memory-file", ObjectKind::Snapshot);
    ASSERT_TRUE(source) << source.error().context;
    auto added = pool->add("ready", **source);
    ASSERT_TRUE(added) << added.error().context;
    map = *pool->map("ready");
    memory.object = "ready";
    memory.domain = "default";
    memory.map = &map;
    memory.pool = pool.get();
  }

  void clone(const FirecrackerOptions &options, const char *name) {
    driver = makeFirecrackerDriver(options);
    launch.config.name = name;
    launch.paths.directory = directory / "vms" / name;
    fs::create_directories(launch.paths.directory);
    auto started = driver->startFromSnapshot(launch, stateFile, memory);
    ASSERT_TRUE(started) << started.error().context;
    process = *started;
    EXPECT_EQ(*driver->status(launch.paths), VmStatus::Running);
    auto console = driver->openConsole(launch.paths);
    ASSERT_TRUE(console) << console.error().context;
    fs::path dump = directory / "dump";
    EXPECT_EQ(command(*console, "dirty 3 1 7"), "ok\n");
    EXPECT_EQ(command(*console, "dump 0 3072 " + dump.string()), "ok\n");
    std::string expected = content;
    expected[3 * 4096] = 7;
    std::ifstream in(dump, std::ios::binary);
    EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(in), {}) ==
                expected);
    auto blocks = driver->memory(launch.paths, launch.config, process);
    ASSERT_TRUE(blocks) << blocks.error().context;
    EXPECT_EQ(blocks->front().bytes, 12u << 20);
  }

  fs::path stateFile;
  std::string content;
  std::unique_ptr<PagePool> pool;
  PageMap map;
  MemoryProvider memory;
};

TEST_F(FirecrackerCloneTest, mapsAFileThatItsClonesShare) {
  makeSnapshot();
  FirecrackerOptions options;
  options.program = STANDIN_FIRECRACKER;
  clone(options, "first");
  // The file is what the mapping in the process is of.
  std::ifstream maps("/proc/" + std::to_string(process.pid) + "/maps");
  std::string text(std::istreambuf_iterator<char>(maps), {});
  EXPECT_THAT(text, HasSubstr("/memfd:spacer-ready"));
}

TEST_F(FirecrackerCloneTest, hasAHandlerThatEndsWithIt) {
  makeSnapshot();
  FirecrackerOptions options;
  options.program = STANDIN_FIRECRACKER;
  options.handler = SPACER_COMMAND;
  options.backend = FirecrackerOptions::Backend::Uffd;
  clone(options, "lazy");
  ASSERT_FALSE(HasFailure());
  // Only children: the VMM and its handler. The first ends, then the second.
  ASSERT_TRUE(driver->quit(launch.paths));
  EXPECT_EQ(waitpid(process.pid, nullptr, 0), process.pid);
  process = {};
  int status = -1;
  for (int i = 0; i < 1000 && waitpid(-1, &status, WNOHANG) == 0; ++i)
    usleep(10'000);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(fs::exists(launch.paths.directory / "uffd.sock"));
}

TEST_F(FirecrackerCloneTest, refusesMemoryOfAnotherSize) {
  makeSnapshot();
  launch.config.memoryMiB = 16;
  auto started = driver->startFromSnapshot(launch, stateFile, memory);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().context,
              HasSubstr("has 3072 pages, expected 4096"));
}

TEST_F(FirecrackerCloneTest, saysWhyThereIsNoHandler) {
  makeSnapshot();
  FirecrackerOptions options;
  options.program = STANDIN_FIRECRACKER;
  options.handler = "/bin/false";
  options.backend = FirecrackerOptions::Backend::Uffd;
  driver = makeFirecrackerDriver(options);
  auto started = driver->startFromSnapshot(launch, stateFile, memory);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().context, HasSubstr("no fault handler"));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

} // namespace
