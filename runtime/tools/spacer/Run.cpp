//===- Run.cpp - spacer run -----------------------------------------------===//

#include "Interrupt.h"
#include "Monitor.h"
#include "Vms.h"
#include <ctime>
#include <fstream>
#include <iostream>
#include <sys/wait.h>

namespace spacer {
namespace fs = std::filesystem;

namespace {

struct RunOptions {
  VmConfig config;
  std::string memory = "256M", accel = "auto", image;
  std::vector<std::string> arguments;
  bool attach = false, removeAtEnd = false;
};

/// Before anything is made: is it a kernel at all?
void checkImage(const fs::path &image) {
  std::error_code failed;
  if (!fs::exists(image, failed))
    throw Failure(image.string() + ": no such file");
  std::ifstream file(image, std::ios::binary);
  char magic[4] = {};
  if (!fs::is_regular_file(image, failed) || !file.read(magic, sizeof magic))
    throw Failure(image.string() + ": cannot be read as an image");
  if (std::string_view(magic, 4) != "\177ELF")
    throw Failure(image.string() + ": no ELF image: starts with bytes other "
                                   "than 7f 45 4c 46");
}

struct Undo {
  Vm &vm;
  Monitor &monitor;
  ProcessId process;
  bool armed = true;
  ~Undo() {
    if (!armed)
      return;
    if (process) {
      monitor.forget(process);
      killProcess(process);
      waitpid(process.pid, nullptr, 0);
    }
    (void)vm.remove();
  }
};

int startVm(const RunOptions &options, const Session &session,
            Monitor &monitor) {
  VmConfig config = options.config;
  auto driver = need(makeDriver(config.driver));
  need(driver->check(config, false));
  Vm vm = need(Vm::create(rootPath(session), config));
  Undo undo{vm, monitor, {}};
  VmLaunch launch{.config = vm.config(), .paths = vm.paths()};
  launch.spawned = [&](const ProcessId &process) {
    (void)vm.setProcess(process);
  };
  undo.process = need(driver->start(launch));
  need(vm.setProcess(undo.process));
  if (interrupted())
    throw Failure("interrupted");
  monitor.watch(vm, undo.process, options.removeAtEnd);
  undo.armed = false;
  if (session.json)
    session.print({{"name", vm.name()}, {"pid", undo.process.pid}});
  else if (!options.attach)
    std::cout << vm.name() << '\n';
  vm.unlock();
  return exitYes;
}

void run(RunOptions &options, Session &session) {
  VmConfig &c = options.config;
  if (c.name.empty())
    c.name = randomName("vm-");
  need(checkName(c.name, "VM name"));
  need(checkName(session.domain, "domain name"));
  c.domain = session.domain;
  c.memoryMiB = parseMiB(options.memory);
  c.accel = need(resolveAccel(options.accel));
  c.image = fs::absolute(options.image).lexically_normal();
  c.created = std::time(nullptr);
  for (const std::string &word : options.arguments)
    c.arguments += (c.arguments.empty() ? "" : " ") + word;
  checkImage(c.image);
  session.exitCode = withMonitor([&](Monitor &monitor) -> int {
    try {
      return startVm(options, session, monitor);
    } catch (const std::exception &e) {
      std::cerr << "spacer: " << e.what() << '\n';
      return exitTrouble;
    }
  });
  if (session.exitCode == exitYes && options.attach) {
    auto vm = Vm::open(rootPath(session), c.name, false);
    if (vm) // else it has ended and, with --rm, is gone
      session.exitCode = attachTo(*vm, 0, 1);
  }
}

} // namespace

void addRun(CLI::App &app, Session &session) {
  auto *command = app.add_subcommand("run", "Boot an image");
  auto options = std::make_shared<RunOptions>();
  command->add_option("--name", options->config.name,
                      "Name of the VM [vm-xxxxxxxx]");
  command->add_option("--memory", options->memory, "Guest memory")
      ->capture_default_str();
  command->add_option("--accel", options->accel, "auto, tcg or kvm")
      ->capture_default_str();
  command->add_option("--machine", options->config.machine, "microvm or pc")
      ->capture_default_str();
  command->add_option("--driver", options->config.driver, "qemu or firecracker")
      ->capture_default_str();
  command->add_flag("-i,--attach", options->attach,
                    "Stay on its console (leave with ctrl-p ctrl-q)");
  command->add_flag("--rm", options->removeAtEnd, "Remove it when it ends");
  command
      ->add_option("--arg", options->arguments,
                   "Words for the guest's command line; repeatable")
      ->allow_extra_args(false);
  command->add_option("IMAGE", options->image, "Kernel image")->required();
  command->callback([options, &session] { run(*options, session); });
}

} // namespace spacer
