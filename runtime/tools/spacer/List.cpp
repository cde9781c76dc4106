//===- List.cpp - spacer ls -----------------------------------------------===//
//
// What each VM is, and whose its memory is: SHARED are pages mapped from the
// pool that it has not written, OWN are pages that only it has.
//
//===----------------------------------------------------------------------===//

#include "GuestMemory.h"
#include "Vms.h"
#include <atomic>
#include <ctime>
#include <fstream>
#include <iostream>
#include <thread>

namespace spacer {
namespace {

struct Row {
  std::string state;
  int pid = 0;
  double uptime = 0;
  std::optional<GuestUsage> usage;
  uint64_t faults = 0;
  bool running = false;
};

/// Minor faults and start time, from /proc/PID/stat.
void readStat(const ProcessId &process, Row &row) {
  std::ifstream file("/proc/" + std::to_string(process.pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  size_t end = text.rfind(')');
  if (end != text.npos) {
    unsigned long faults = 0;
    std::sscanf(text.c_str() + end + 1, " %*c %*d %*d %*d %*d %*d %*u %lu",
                &faults);
    row.faults = faults;
  }
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  row.uptime = double(now.tv_sec) + double(now.tv_nsec) / 1e9 -
               double(process.startTicks) / double(sysconf(_SC_CLK_TCK));
}

Row look(const Vm &vm) {
  Row row;
  auto process = vm.process();
  if (!process) {
    auto end = vm.exit();
    row.state = end ? end->text : "created";
    return row;
  }
  row.running = true;
  row.pid = process->pid;
  row.state = "running";
  readStat(*process, row);
  auto driver = makeDriver(vm.config().driver);
  if (!driver)
    return row;
  if (auto status = (*driver)->status(vm.paths()))
    row.state = *status == VmStatus::Running ? "running" : "paused";
  else if (!vm.process())
    return look(vm); // it ended meanwhile
  else
    row.state = "unresponsive";
  if (auto blocks = (*driver)->memory(vm.paths(), vm.config(), *process))
    if (auto usage = guestUsage(*process, *blocks))
      row.usage = *usage;
  if (auto served = (*driver)->servedFaults(vm.paths()); served && *served)
    row.faults = *served;
  return row;
}

std::vector<Row> lookAtAll(const std::vector<Vm> &vms) {
  std::vector<Row> rows(vms.size());
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < std::min<size_t>(8, vms.size()); ++t)
    threads.emplace_back([&] {
      for (size_t i; (i = next.fetch_add(1)) < vms.size();)
        rows[i] = look(vms[i]);
    });
  for (std::thread &t : threads)
    t.join();
  return rows;
}

std::string duration(double seconds) {
  auto s = uint64_t(std::max(0.0, seconds));
  char text[32];
  if (s >= 86400)
    std::snprintf(text, sizeof text, "%llud%lluh", s / 86400ull,
                  s / 3600 % 24ull);
  else if (s >= 3600)
    std::snprintf(text, sizeof text, "%lluh%llum", s / 3600ull, s / 60 % 60ull);
  else if (s >= 60)
    std::snprintf(text, sizeof text, "%llum%llus", s / 60ull, s % 60ull);
  else
    std::snprintf(text, sizeof text, "%llus", s + 0ull);
  return text;
}

Json toJson(const Vm &vm, const Row &row) {
  const VmConfig &c = vm.config();
  Json j = {{"name", c.name},
            {"state", row.state},
            {"running", row.running},
            {"driver", c.driver},
            {"machine", c.machine},
            {"accel", c.accel},
            {"snapshot", c.snapshot},
            {"image", c.image},
            {"domain", c.domain},
            {"created", c.created},
            {"memoryBytes", c.memoryBytes()}};
  if (row.running)
    j.update({{"pid", row.pid},
              {"uptimeSeconds", row.uptime},
              {"faults", row.faults}});
  if (row.usage)
    j.update({{"sharedBytes", row.usage->sharedPages * pageBytes},
              {"ownBytes", row.usage->ownPages * pageBytes}});
  return j;
}

void list(Session &session) {
  std::vector<std::string> problems;
  auto vms = Vm::list(rootPath(session), problems);
  auto rows = lookAtAll(vms);
  Json json = Json::array();
  std::vector<std::vector<std::string>> table{
      {"NAME", "STATE", "DRIVER", "SNAPSHOT/IMAGE", "PID", "UPTIME", "MEMORY",
       "SHARED", "OWN", "FAULTS"}};
  for (size_t i = 0; i < vms.size(); ++i) {
    const VmConfig &c = vms[i].config();
    const Row &r = rows[i];
    json.push_back(toJson(vms[i], r));
    auto pages = [&](uint64_t GuestUsage::*field) {
      return r.usage ? humanBytes(*r.usage.*field * pageBytes)
                     : std::string("-");
    };
    table.push_back(
        {c.name, r.state, c.driver,
         !c.snapshot.empty()
             ? c.snapshot
             : std::filesystem::path(c.image).filename().string(),
         r.running ? std::to_string(r.pid) : "-",
         r.running ? duration(r.uptime) : "-", humanBytes(c.memoryBytes()),
         pages(&GuestUsage::sharedPages), pages(&GuestUsage::ownPages),
         r.running ? std::to_string(r.faults) : "-"});
  }
  if (session.json)
    session.print(json);
  else
    printTable(table);
  for (const std::string &p : problems)
    std::cerr << "spacer: " << p << '\n';
  if (!problems.empty())
    session.exitCode = exitNo;
}

} // namespace

void addList(CLI::App &app, Session &session) {
  auto *command =
      app.add_subcommand("ls", "VMs, and what memory each shares and owns");
  command->callback([&session] { list(session); });
}

} // namespace spacer
