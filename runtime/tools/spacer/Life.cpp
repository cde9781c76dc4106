//===- Life.cpp - spacer stop, rm, wait, pause, resume --------------------===//

#include "Interrupt.h"
#include "Vms.h"
#include <iostream>

namespace spacer {
namespace {

using std::chrono::milliseconds;

/// One line for each name that did not work; the rest is done all the same.
template <class Action>
void forEach(const std::vector<std::string> &names, Session &session,
             const char *done, Action action) {
  Json answers = Json::array();
  bool failed = false;
  for (const std::string &name : names) {
    Result<std::string> said = action(name);
    if (!said) {
      failed = true;
      std::cerr << "spacer: " << said.error().context << '\n';
    } else if (session.json) {
      answers.push_back({{"name", name}, {done, *said}});
    } else {
      std::cout << name << (said->empty() ? "" : ": " + *said) << '\n';
    }
    if (interrupted())
      break;
  }
  if (session.json)
    session.print(answers);
  if (failed)
    session.exitCode = exitTrouble;
}

/// Asks, waits, kills. Fine if it does not run.
Result<std::string> stopVm(Vm &vm, milliseconds patience) {
  auto process = vm.process();
  if (process) {
    auto driver = makeDriver(vm.config().driver);
    bool asked = driver && patience.count() && (*driver)->quit(vm.paths());
    if (!asked || !waitForEnd(*process, patience))
      killProcess(*process);
    if (!waitForEnd(*process, milliseconds(10'000)))
      return Error{EBUSY, "VM " + vm.name() + ": process " +
                              std::to_string(process->pid) + " does not end"};
  }
  auto end = vm.exit();
  return end ? end->text : std::string("never started");
}

Result<std::string> stop(const Session &session, const std::string &name,
                         double seconds) {
  auto vm = Vm::open(rootPath(session), name, true);
  if (!vm)
    return vm.takeError();
  return stopVm(*vm, milliseconds(int64_t(seconds * 1000)));
}

Result<std::string> removeVm(const Session &session, const std::string &name,
                             bool force) {
  auto vm = Vm::open(rootPath(session), name, true);
  if (!vm)
    return vm.takeError();
  if (vm->process()) {
    if (!force)
      return Error{EBUSY, "VM " + name +
                              ": runs; spacer stop it first, or rm --force"};
    if (auto stopped = stopVm(*vm, milliseconds(0)); !stopped)
      return stopped;
  }
  if (auto removed = vm->remove(); !removed)
    return removed.takeError();
  return std::string();
}

Result<std::string> wait(const Session &session, const std::string &name) {
  auto vm = Vm::open(rootPath(session), name, false);
  if (!vm)
    return vm.takeError();
  for (auto process = vm->process(); process;)
    if (waitForEnd(*process, milliseconds(1000)))
      break;
    else if (interrupted())
      return interruptError();
  auto end = vm->exit();
  return end ? end->text : std::string("never started");
}

Result<std::string> setRunning(const Session &session, const std::string &name,
                               bool run) {
  auto vm = Vm::open(rootPath(session), name, true);
  if (!vm)
    return vm.takeError();
  if (auto process = vm->running(); !process)
    return process.takeError();
  auto driver = makeDriver(vm->config().driver);
  if (!driver)
    return driver.takeError();
  auto done =
      run ? (*driver)->resume(vm->paths()) : (*driver)->pause(vm->paths());
  if (!done)
    return done.takeError();
  return std::string();
}

struct LifeOptions {
  std::vector<std::string> names;
  double seconds = 10;
  bool force = false;
};

} // namespace

void addLife(CLI::App &app, Session &session) {
  auto add = [&](const char *name, const char *about, const char *done,
                 auto action) {
    auto *command = app.add_subcommand(name, about);
    auto options = std::make_shared<LifeOptions>();
    command->add_option("NAME", options->names)->required();
    command->callback([=, &session] {
      catchInterrupts();
      forEach(options->names, session, done, [&](const std::string &n) {
        return action(session, n, *options);
      });
    });
    return std::pair(command, options);
  };
  auto [stopCommand, stopOptions] = add(
      "stop", "End VMs", "state", [](auto &s, auto &n, const LifeOptions &o) {
        return stop(s, n, o.seconds);
      });
  stopCommand
      ->add_option("--time", stopOptions->seconds,
                   "Seconds before it is killed")
      ->capture_default_str()
      ->check(CLI::Range(0, 3600));
  auto [rmCommand, rmOptions] =
      add("rm", "Remove VMs that have ended", "removed",
          [](auto &s, auto &n, const LifeOptions &o) {
            return removeVm(s, n, o.force);
          });
  rmCommand->add_flag("--force", rmOptions->force, "Those that run, too");
  add("wait", "Wait until VMs end, and say how", "state",
      [](auto &s, auto &n, const LifeOptions &) { return wait(s, n); });
  add("pause", "Stop VMs where they are", "paused",
      [](auto &s, auto &n, const LifeOptions &) {
        return setRunning(s, n, false);
      });
  add("resume", "Let paused VMs go on", "resumed",
      [](auto &s, auto &n, const LifeOptions &) {
        return setRunning(s, n, true);
      });
}

} // namespace spacer
