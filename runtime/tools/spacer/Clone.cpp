//===- Clone.cpp - spacer clone -------------------------------------------===//

#include "Cloner.h"
#include "Vms.h"
#include <iostream>

namespace spacer {
namespace {

Json toJson(const CloneRequest &request, const CloneResult &result) {
  Json clones = Json::array();
  for (const auto &c : result.clones)
    clones.push_back(
        {{"name", c.name}, {"pid", c.process.pid}, {"seconds", c.seconds}});
  const PlanSummary &p = result.plan;
  return {{"snapshot", request.snapshot},
          {"clones", clones},
          {"memoryFrom", result.daemon ? "daemon" : "page file"},
          {"plan",
           {{"mappings", p.mappings},
            {"wantedMappings", p.wantedMappings},
            {"poolPages", p.poolPages},
            {"zeroPages", p.zeroPages},
            {"copyPages", p.copyPages},
            {"lazyPages", p.lazyPages}}},
          {"checkSeconds", result.checkSeconds},
          {"seconds", result.allSeconds}};
}

struct CloneOptions {
  CloneRequest request;
  std::string lazy = "cold", daemon;
};

void clone(CloneOptions &options, Session &session) {
  CloneRequest &r = options.request;
  if (!r.name.empty())
    need(checkName(r.name, "VM name"));
  r.lazy = options.lazy == "all"    ? LazyPolicy::All
           : options.lazy == "none" ? LazyPolicy::None
                                    : LazyPolicy::Cold;
  r.daemonRequired = !options.daemon.empty();
  const char *variable = std::getenv("SPACER_RUN");
  r.daemonFolder = r.daemonRequired        ? options.daemon
                   : variable && *variable ? variable
                                           : "/run/spacer";
  session.exitCode = withMonitor([&](Monitor &monitor) -> int {
    auto result = cloneSnapshot(rootPath(session), r, monitor);
    if (!result) {
      std::cerr << "spacer: " << result.error().context << '\n';
      return exitTrouble;
    }
    if (session.json)
      session.print(toJson(r, *result));
    else
      for (const auto &c : result->clones)
        std::cout << c.name << '\n';
    return exitYes;
  });
}

} // namespace

void addClone(CLI::App &app, Session &session) {
  auto *command =
      app.add_subcommand("clone", "Start VMs that go on from a snapshot");
  auto options = std::make_shared<CloneOptions>();
  CloneRequest &r = options->request;
  command->add_option("--count", r.count, "How many")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  command->add_option("--name", r.name,
                      "Name; of many, what stands before -1, -2, ... [the "
                      "snapshot's]");
  command
      ->add_option("--lazy", options->lazy,
                   "What spacerd brings when it is touched: cold pages, all, "
                   "none")
      ->capture_default_str()
      ->check(CLI::IsMember({"cold", "all", "none"}));
  command->add_option("--mappings", r.mappings, "Most mappings of one VM")
      ->capture_default_str()
      ->check(CLI::Range(1, 65'000));
  command->add_option("--daemon", options->daemon,
                      "Folder of spacerd's sockets; it must run "
                      "[$SPACER_RUN, /run/spacer, if it runs]");
  command->add_flag("--rm", r.removeAtEnd, "Remove each when it ends");
  command->add_option("SNAPSHOT", r.snapshot)->required();
  command->callback([options, &session] { clone(*options, session); });
}

} // namespace spacer
