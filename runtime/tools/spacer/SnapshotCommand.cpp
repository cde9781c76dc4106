//===- SnapshotCommand.cpp - spacer snapshot create|ls|rm|inspect ---------===//

#include "Interrupt.h"
#include "Snapshot.h"
#include "Vms.h"
#include <ctime>
#include <iostream>

namespace spacer {
namespace {

std::string timeText(int64_t when) {
  char text[32];
  time_t t = when;
  tm parts;
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S",
                localtime_r(&t, &parts));
  return text;
}

struct CreateOptions {
  std::string vm, name;
  bool stop = false;
};

void create(const CreateOptions &o, Session &session) {
  catchInterrupts();
  Vm vm = need(Vm::open(rootPath(session), o.vm, true));
  SnapshotOptions options;
  options.stop = o.stop;
  if (isatty(STDERR_FILENO))
    options.progress = [](uint64_t done, uint64_t all) {
      std::cerr << "\rmemory: " << humanBytes(done) << " of " << humanBytes(all)
                << (done >= all ? "\r\33[K" : "   ") << std::flush;
      return true;
    };
  auto made = createSnapshot(rootPath(session), vm, o.name, options);
  if (!made && made.error().sysErrno == EEXIST)
    throw Failure(made.error().context + " (spacer snapshot rm " + o.name +
                  " frees the name)");
  SnapshotResult result = need(std::move(made));
  const ImportSummary &m = result.memory;
  if (session.json)
    session.print({{"name", result.snapshot.name},
                   {"vm", o.vm},
                   {"guestPages", m.guestPages},
                   {"zeroPages", m.zeroPages},
                   {"sharedPages", m.sharedPages},
                   {"newPages", m.newPages},
                   {"stateBytes", result.snapshot.state.bytes},
                   {"pausedSeconds", result.pausedSeconds}});
  else
    std::cout << result.snapshot.name << ": " << m.guestPages << " pages, "
              << m.zeroPages << " zero, " << m.sharedPages << " shared, "
              << m.newPages << " new\n";
}

std::vector<ObjectInfo> poolObjects(const Session &session,
                                    const std::string &domain) {
  auto pool = PagePool::open(rootPath(session) / "pool", domain,
                             PagePool::Access::Read);
  if (!pool)
    return {};
  auto objects = (*pool)->objects();
  return objects ? std::move(*objects) : std::vector<ObjectInfo>();
}

Json toJson(const Snapshot &s, const ObjectInfo *memory) {
  Json j = {{"name", s.name},
            {"created", s.created},
            {"vm", s.vm.name},
            {"driver", s.vm.driver},
            {"machine", s.vm.machine},
            {"accel", s.vm.accel},
            {"memoryBytes", s.vm.memoryBytes()},
            {"image", s.vm.image},
            {"arguments", s.vm.arguments},
            {"parent", s.vm.snapshot},
            {"domain", s.vm.domain},
            {"stateBytes", s.state.bytes},
            {"stateDigest", s.state.digest.hex()}};
  if (memory)
    j.update({{"poolPages", memory->poolPages},
              {"distinctPages", memory->distinctPages},
              {"ownPages", memory->ownPages},
              {"leases", memory->leases}});
  return j;
}

const ObjectInfo *find(const std::vector<ObjectInfo> &objects,
                       const std::string &name) {
  for (const ObjectInfo &o : objects)
    if (o.name == name)
      return &o;
  return nullptr;
}

void list(Session &session) {
  std::vector<std::string> problems;
  auto all = Snapshot::list(rootPath(session), problems);
  std::map<std::string, std::vector<ObjectInfo>> pools;
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows{
      {"NAME", "CREATED", "DRIVER", "MEMORY", "PAGES", "OWN", "CLONES"}};
  for (const Snapshot &s : all) {
    if (!pools.count(s.vm.domain))
      pools[s.vm.domain] = poolObjects(session, s.vm.domain);
    const ObjectInfo *memory = find(pools[s.vm.domain], s.name);
    if (!memory)
      problems.push_back("snapshot " + s.name +
                         ": its memory is not in the pool");
    json.push_back(toJson(s, memory));
    auto count = [&](uint64_t ObjectInfo::*field) {
      return memory ? std::to_string(memory->*field) : std::string("-");
    };
    rows.push_back({s.name, timeText(s.created), s.vm.driver,
                    humanBytes(s.vm.memoryBytes()),
                    count(&ObjectInfo::poolPages), count(&ObjectInfo::ownPages),
                    count(&ObjectInfo::leases)});
  }
  if (session.json)
    session.print(json);
  else
    printTable(rows);
  for (const std::string &p : problems)
    std::cerr << "spacer: " << p << '\n';
  if (!problems.empty())
    session.exitCode = exitNo;
}

void inspect(const std::string &name, Session &session) {
  Snapshot s = need(Snapshot::open(rootPath(session), name));
  auto objects = poolObjects(session, s.vm.domain);
  Json json = toJson(s, find(objects, name));
  if (session.json)
    return session.print(json);
  for (const auto &[key, value] : json.items())
    std::cout << key << ": "
              << (value.is_string() ? value.get<std::string>() : value.dump())
              << '\n';
}

} // namespace

void addSnapshot(CLI::App &app, Session &session) {
  auto *command = app.add_subcommand(
      "snapshot", "A VM's memory and devices at one instant");
  command->require_subcommand(1);
  command->fallthrough();

  auto *make = command->add_subcommand("create", "Snapshot a running VM");
  auto options = std::make_shared<CreateOptions>();
  make->add_option("VM", options->vm)->required();
  make->add_option("NAME", options->name, "Name of the snapshot")->required();
  make->add_flag("--stop", options->stop, "End the VM afterwards");
  make->callback([options, &session] { create(*options, session); });

  auto *ls = command->add_subcommand("ls", "All snapshots");
  ls->callback([&session] { list(session); });

  auto *rm = command->add_subcommand("rm", "Remove snapshots; spacer pool gc "
                                           "then frees their pages");
  auto names = std::make_shared<std::vector<std::string>>();
  rm->add_option("NAME", *names)->required();
  rm->callback([names, &session] {
    for (const std::string &n : *names)
      need(removeSnapshot(rootPath(session), session.domain, n));
    if (session.json)
      session.print({{"removed", *names}});
  });

  auto *show = command->add_subcommand("inspect", "All about one snapshot");
  auto name = std::make_shared<std::string>();
  show->add_option("NAME", *name)->required();
  show->callback([name, &session] { inspect(*name, session); });
}

} // namespace spacer
