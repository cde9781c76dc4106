//===- ConsoleCommands.cpp - spacer logs, attach --------------------------===//

#include "Console.h"
#include "Interrupt.h"
#include "Vms.h"
#include <iostream>

namespace spacer {
namespace {

struct LogsOptions {
  std::string name;
  bool follow = false, vmm = false;
};

void logs(const LogsOptions &o, Session &session) {
  catchInterrupts();
  Vm vm = need(Vm::open(rootPath(session), o.name, false));
  auto process = o.follow ? vm.process() : std::nullopt;
  need(followFile(o.vmm ? vm.paths().vmmLog() : vm.paths().consoleLog(),
                  STDOUT_FILENO, process));
}

struct AttachToOptions {
  std::string name;
  bool all = false;
  double idle = 1;
};

} // namespace

int attachTo(const Vm &vm, int64_t fromByte, double idleSeconds) {
  catchInterrupts();
  auto process = vm.process();
  if (!process) {
    if (fromByte >= 0) // it ran and ended before we looked
      need(followFile(vm.paths().consoleLog(), STDOUT_FILENO, std::nullopt));
    else
      need(vm.running());
  } else {
    auto driver = need(makeDriver(vm.config().driver));
    auto ends = driver->openConsole(vm.paths());
    if (!ends && vm.process())
      throw Failure(ends.error().context);
    if (!ends) {
      need(followFile(vm.paths().consoleLog(), STDOUT_FILENO, std::nullopt));
    } else {
      AttachOptions options;
      options.from = fromByte;
      options.idle = std::chrono::milliseconds(int64_t(idleSeconds * 1000));
      if (need(attachConsole(vm.paths(), std::move(*ends), *process,
                             options)) != AttachEnd::GuestEnded)
        return exitYes;
    }
  }
  auto end = vm.exit();
  return !end || end->text == "exited 0" || end->text == "stopped" ? exitYes
                                                                   : exitNo;
}

void addConsole(CLI::App &app, Session &session) {
  auto *show = app.add_subcommand("logs", "What a guest wrote to its console");
  auto logsOptions = std::make_shared<LogsOptions>();
  show->add_option("NAME", logsOptions->name)->required();
  show->add_flag("-f,--follow", logsOptions->follow, "Until it ends");
  show->add_flag("--vmm", logsOptions->vmm, "What the VMM wrote instead");
  show->callback([logsOptions, &session] { logs(*logsOptions, session); });

  auto *attach = app.add_subcommand(
      "attach", "Use a guest's console; ctrl-p ctrl-q leaves");
  auto options = std::make_shared<AttachToOptions>();
  attach->add_option("NAME", options->name)->required();
  attach->add_flag("--all", options->all, "From the start of its output");
  attach
      ->add_option("--idle", options->idle,
                   "After the end of input that is no terminal: leave when the "
                   "guest was silent for so many seconds")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86400.0));
  attach->callback([options, &session] {
    Vm vm = need(Vm::open(rootPath(session), options->name, false));
    if (!options->all)
      need(vm.running());
    session.exitCode = attachTo(vm, options->all ? 0 : -1, options->idle);
  });
}

} // namespace spacer
