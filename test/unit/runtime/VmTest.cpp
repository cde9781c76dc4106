//===- VmTest.cpp - VMs' configuration, folders, processes ----------------===//

#include "Vm.h"
#include "Console.h"
#include "Files.h"
#include "Snapshot.h"
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace spacer;
namespace fs = std::filesystem;

namespace {

class VmTest : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/spacer-vm-test-XXXXXX";
    root = mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(root); }

  VmConfig config(const std::string &name) {
    VmConfig c;
    c.name = name;
    c.image = "/images/\"odd\" name,with=comma.elf";
    c.arguments = "a b=c";
    c.memoryMiB = 192;
    c.created = 1234567890;
    return c;
  }
  std::vector<std::string> names() {
    std::vector<std::string> problems, result;
    for (const Vm &vm : Vm::list(root, problems))
      result.push_back(vm.name());
    EXPECT_EQ(problems, std::vector<std::string>());
    return result;
  }

  fs::path root;
};

TEST_F(VmTest, configurationComesBack) {
  VmConfig c = config("web");
  auto back = VmConfig::parse(c.json(), "config.json");
  ASSERT_TRUE(back) << back.error().context;
  EXPECT_EQ(back->json(), c.json());
  EXPECT_EQ(back->memoryBytes(), 192u << 20);
}

TEST_F(VmTest, brokenConfigurationsAreRefusedWithTheField) {
  std::string good = config("web").json();
  for (size_t n = 0; n + 2 < good.size(); ++n)
    EXPECT_FALSE(VmConfig::parse(good.substr(0, n), "f")) << n;
  auto expect = [&](const std::string &from, const std::string &to,
                    const std::string &says) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    auto result = VmConfig::parse(text, "dir/config.json");
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().sysErrno, EBADMSG);
    EXPECT_NE(result.error().context.find("dir/config.json"),
              std::string::npos);
    EXPECT_NE(result.error().context.find(says), std::string::npos)
        << result.error().context;
  };
  expect("\"memoryMiB\": 192", "\"memoryMiB\": \"192\"", "memoryMiB");
  expect("\"memoryMiB\": 192", "\"memoryMiB\": 0", "expected 1 to");
  expect("\"memoryMiB\": 192", "\"memoryMiB\": -1", "memoryMiB");
  expect("\"driver\"", "\"drivel\"", "driver is missing");
  expect("\"format\": 1", "\"format\": 2", "format");
  EXPECT_FALSE(VmConfig::parse(std::string(1 << 19, '['), "f"));
  EXPECT_FALSE(VmConfig::parse(std::string(1 << 19, '{'), "f"));
}

TEST_F(VmTest, namesAreChecked) {
  for (const char *good : {"a", "web-1", "A.b_c@d+e", "9"})
    EXPECT_TRUE(checkName(good, "VM name")) << good;
  for (std::string bad : {"", ".", "..", ".x", "a/b", "a b", "a\n", "\xc3\xa4"})
    EXPECT_FALSE(checkName(bad, "VM name")) << bad;
  EXPECT_TRUE(checkName(std::string(200, 'x'), "VM name"));
  EXPECT_FALSE(checkName(std::string(201, 'x'), "VM name"));
  EXPECT_FALSE(checkName(std::string_view("a\0b", 3), "VM name"));
}

TEST_F(VmTest, aNameIsTakenUntilItIsRemoved) {
  auto vm = Vm::create(root, config("web"));
  ASSERT_TRUE(vm) << vm.error().context;
  auto second = Vm::create(root, config("web"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().sysErrno, EEXIST);
  EXPECT_EQ(names(), std::vector<std::string>{"web"}); // locked: not abandoned
  ASSERT_TRUE(vm->remove());
  EXPECT_EQ(names(), std::vector<std::string>());
  EXPECT_TRUE(fs::is_empty(root / "vms"));
  EXPECT_TRUE(Vm::create(root, config("web")));
}

TEST_F(VmTest, whatAKilledCommandLeftIsRemoved) {
  ASSERT_TRUE(Vm::create(root, config("half"))); // the lock goes with the Vm
  fs::create_directory(root / "vms" / ".gone-x");
  fs::create_directory(root / "vms" / ".new-fresh");
  EXPECT_EQ(names(), std::vector<std::string>());
  EXPECT_FALSE(fs::exists(root / "vms" / "half"));
  EXPECT_FALSE(fs::exists(root / "vms" / ".gone-x"));
  EXPECT_TRUE(fs::exists(root / "vms" / ".new-fresh")); // someone is at it
}

TEST_F(VmTest, anUnreadableVmIsAProblemNotAnEnd) {
  {
    auto vm = *Vm::create(root, config("good"));
    ASSERT_TRUE(vm.setProcess(*identify(getpid())));
  }
  {
    auto vm = *Vm::create(root, config("bad"));
    ASSERT_TRUE(vm.setProcess(*identify(getpid())));
    std::ofstream(vm.paths().config()) << "{";
  }
  std::vector<std::string> problems;
  auto all = Vm::list(root, problems);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].name(), "good");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("bad/config.json"), std::string::npos);
}

TEST_F(VmTest, aReusedProcessNumberIsAnotherProcess) {
  auto vm = *Vm::create(root, config("web"));
  ProcessId self = *identify(getpid());
  EXPECT_TRUE(alive(self));
  EXPECT_TRUE(openProcess(self));
  ASSERT_TRUE(vm.setProcess(self));
  EXPECT_TRUE(vm.process());
  ProcessId other = self;
  ++other.startTicks;
  EXPECT_FALSE(alive(other));
  EXPECT_FALSE(openProcess(other));
  ASSERT_TRUE(vm.setProcess(other));
  EXPECT_FALSE(vm.process());
  auto end = vm.exit();
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->known);
  EXPECT_EQ(end->text, "exited");
}

TEST_F(VmTest, anEndIsNotedWithItsStatusAndSocketsGo) {
  auto vm = *Vm::create(root, config("web"));
  ASSERT_TRUE(listenAt(vm.paths().qmpSocket()));
  ASSERT_TRUE(fs::exists(vm.paths().qmpSocket()));
  vm.noteExit(SIGKILL);
  EXPECT_EQ(vm.exit()->text, "killed by signal 9");
  EXPECT_FALSE(fs::exists(vm.paths().qmpSocket()));
  vm.noteExit(7 << 8); // isa-debug-exit: twice the guest's status and one
  EXPECT_EQ(vm.exit()->text, "exited 3");
}

TEST_F(VmTest, spawnGivesNothingButWhatIsKept) {
  int kept = open("/dev/null", O_RDONLY), other = open("/dev/zero", O_RDONLY);
  auto process =
      spawn({.argv = {"sh", "-c",
                      "for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do [ -e "
                      "/proc/$$/fd/$i ] && echo $i; done; echo $SPACER_TEST"},
             .environment = {"SPACER_TEST=yes"},
             .keep = {kept},
             .log = root / "log"});
  ASSERT_TRUE(process) << process.error().context;
  int status = -1;
  waitpid(process->pid, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(alive(*process));
  EXPECT_EQ(*readFile(root / "log"),
            "0\n1\n2\n" + std::to_string(kept) + "\nyes\n");
  close(kept);
  close(other);
  auto none = spawn({.argv = {"spacer-no-such-program"},
                     .environment = {},
                     .keep = {},
                     .log = root / "log"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().sysErrno, ENOENT);
}

TEST_F(VmTest, socketsInFoldersWithLongNames) {
  fs::path deep = root;
  for (int i = 0; i < 4; ++i)
    deep /= std::string(60, char('a' + i));
  fs::create_directories(deep);
  auto listening = listenAt(deep / "console.sock");
  ASSERT_TRUE(listening) << listening.error().context;
  EXPECT_TRUE(connectStream(deep / "console.sock"));
  EXPECT_FALSE(connectStream(deep / "none.sock"));
}

TEST_F(VmTest, lastLineIsWithoutControlCharacters) {
  std::ofstream(root / "log") << "first\nqemu: \33[31mbad\33[0m thing\n\n  \n";
  EXPECT_EQ(lastLine(root / "log"), "qemu:  [31mbad [0m thing");
  EXPECT_EQ(lastLine(root / "none"), "");
}

TEST(DetachKeysTest, ctrlPCtrlQLeavesAndNothingElseIsLost) {
  DetachKeys keys;
  std::string typed = "ab\x10"
                      "c";
  EXPECT_FALSE(keys.filter(typed));
  EXPECT_EQ(typed, "ab\x10"
                   "c");
  typed = "x\x10";
  EXPECT_FALSE(keys.filter(typed));
  EXPECT_EQ(typed, "x");
  typed = "y";
  EXPECT_FALSE(keys.filter(typed));
  EXPECT_EQ(typed, "\x10y");
  typed = "z\x10";
  EXPECT_FALSE(keys.filter(typed));
  typed = "\x11rest";
  EXPECT_TRUE(keys.filter(typed));
  EXPECT_EQ(typed, "");
}

TEST_F(VmTest, snapshotsThatAreNoneOrDamaged) {
  EXPECT_EQ(Snapshot::open(root, "none").error().sysErrno, ENOENT);
  EXPECT_EQ(Snapshot::open(root, "../x").error().sysErrno, EINVAL);
  fs::create_directories(root / "snapshots" / "s");
  EXPECT_FALSE(Snapshot::open(root, "s"));
  for (const char *text : {"", "[]", "{}", "{\"format\": 1}"}) {
    std::ofstream(root / "snapshots" / "s" / "config.json") << text;
    auto s = Snapshot::open(root, "s");
    ASSERT_FALSE(s);
    EXPECT_EQ(s.error().sysErrno, EBADMSG);
  }
}

} // namespace
