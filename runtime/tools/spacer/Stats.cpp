//===- Stats.cpp - spacer stats -------------------------------------------===//
//
// Asks spacerd's control socket and shows the answer: what pools hold, which
// sessions are served and how.
//
//===----------------------------------------------------------------------===//

#include "Stats.h"
#include "Protocol.h"
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <sys/stat.h>

namespace spacer {
namespace {

constexpr char about[] =
    "What spacerd holds and serves: pages by domain, sessions, faults";
constexpr char footer[] = R"(
Columns of sessions: FAULTS messages from the kernel; pages given to the VM:
SHARED mapped from the pool, COPIED its own, ZERO zero pages, AHEAD of these
before they were asked for; GIVEN BACK by the VM (balloon).

The same as Prometheus text: curl --unix-socket DIR/metrics.sock http://x/metrics)";

std::string mebibytes(uint64_t pages) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(1) << static_cast<double>(pages) / 256
      << " MiB";
  return out.str();
}

uint64_t count(const Json &json, const char *key) {
  auto at = json.find(key);
  return at != json.end() && at->is_number_unsigned() ? at->get<uint64_t>() : 0;
}

std::string text(const Json &json, const char *key) {
  auto at = json.find(key);
  return at != json.end() && at->is_string() ? at->get<std::string>() : "";
}

const Json &list(const Json &json, const char *key) {
  static const Json none = Json::array();
  auto at = json.find(key);
  return at != json.end() && at->is_array() ? *at : none;
}

/// Columns as wide as their widest cell; the first is to the left.
void table(const std::vector<std::vector<std::string>> &rows, size_t words) {
  std::vector<size_t> width(rows[0].size());
  for (const auto &row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      width[i] = std::max(width[i], row[i].size());
  for (const auto &row : rows) {
    for (size_t i = 0; i < row.size(); ++i)
      std::cout << (i ? "  " : "") << (i < words ? std::left : std::right)
                << std::setw(static_cast<int>(width[i])) << row[i];
    std::cout << '\n';
  }
}

void show(const Json &d) {
  auto number = [](const Json &j, const char *key) {
    return std::to_string(count(j, key));
  };
  uint64_t keeper = count(d, "keeper");
  std::cout << "spacerd " << text(d, "version") << ", process "
            << count(d, "pid")
            << (keeper ? ", keeper " + std::to_string(keeper) : ", no keeper")
            << ", restarts " << count(d, "restarts") << "\n\n";
  std::vector<std::vector<std::string>> rows = {
      {"DOMAIN", "IN MEMORY", "IN POOL", "SESSIONS", "FAULTS"}};
  for (const Json &row : list(d, "domains"))
    rows.push_back({text(row, "name"), mebibytes(count(row, "presentPages")),
                    mebibytes(count(row, "committedPages")),
                    number(row, "sessions"), number(row, "faults")});
  table(rows, 1);
  if (list(d, "sessions").empty())
    return;
  std::cout << '\n';
  rows = {{"SESSION", "NAME", "DOMAIN", "OBJECT", "PID", "FAULTS", "SHARED",
           "COPIED", "ZERO", "AHEAD", "GIVEN BACK"}};
  for (const Json &row : list(d, "sessions")) {
    auto broken = row.find("broken");
    bool bad = broken != row.end() && broken->is_boolean() && *broken;
    rows.push_back({number(row, "session") + (bad ? " broken" : ""),
                    text(row, "name"), text(row, "domain"), text(row, "object"),
                    number(row, "pid"), number(row, "faults"),
                    number(row, "continued"), number(row, "copied"),
                    number(row, "zeroed"), number(row, "prefetched"),
                    number(row, "removed")});
  }
  table(rows, 4);
}

} // namespace

std::string daemonDirectory(const std::string &option) {
  auto variable = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (!option.empty())
    return option;
  if (std::string run = variable("SPACER_RUN"); !run.empty())
    return run;
  std::string user = variable("XDG_RUNTIME_DIR");
  return geteuid() == 0 || user.empty() ? "/run/spacer" : user + "/spacer";
}

Json daemonStatistics(const std::string &directory) {
  std::string path = directory + "/control.sock";
  UniqueFd socket = need(connectTo(path));
  std::vector<UniqueFd> fds;
  auto answer = call(socket.get(), encode(Request(StatsRequest{})), {}, &fds);
  if (!answer)
    throw Failure(path + ": " + answer.error().context);
  struct stat status;
  if (fds.size() != 1 || fstat(fds[0].get(), &status) < 0)
    throw Failure(path + ": the answer has " + std::to_string(fds.size()) +
                  " descriptors, expected 1");
  std::string json(static_cast<size_t>(status.st_size), 0);
  if (pread(fds[0].get(), json.data(), json.size(), 0) !=
      static_cast<ssize_t>(json.size()))
    throw Failure(path + ": the statistics cannot be read");
  Json parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object())
    throw Failure(path + ": the statistics are no JSON object");
  return parsed;
}

void addStats(CLI::App &app, Session &session) {
  CLI::App *command = app.add_subcommand("stats", about);
  auto directory = std::make_shared<std::string>();
  command->add_option("--daemon", *directory,
                      "Where spacerd has its sockets [$SPACER_RUN, "
                      "/run/spacer]");
  command->footer(footer);
  command->callback([&session, directory] {
    Json statistics = daemonStatistics(daemonDirectory(*directory));
    if (session.json)
      session.print(statistics);
    else
      show(statistics);
  });
}

} // namespace spacer
