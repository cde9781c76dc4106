//===- Statistics.cpp - what the daemon tells about itself ----------------===//

#include "Statistics.h"
#include <nlohmann/json.hpp>

namespace spacer {
namespace {

using Json = nlohmann::ordered_json;

void addCounts(Json &to, const SessionStats &s) {
  to["faults"] = s.faults;
  to["continued"] = s.continued;
  to["copied"] = s.copied;
  to["zeroed"] = s.zeroed;
  to["poisoned"] = s.poisoned;
  to["prefetched"] = s.prefetched;
  to["removed"] = s.removed;
  to["retries"] = s.retries;
}

/// Writes one metric after the other; labels hold nothing that needs escaping
/// (names are checked where they come in).
class Writer {
public:
  void begin(const char *name, const char *type, const char *help) {
    current = name;
    text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name +
            " " + type + "\n";
  }
  void value(const std::string &labels, uint64_t number) {
    sample("", labels, std::to_string(number));
  }
  void sample(const char *suffix, const std::string &labels,
              const std::string &number) {
    text += current + suffix + (labels.empty() ? "" : "{" + labels + "}") +
            " " + number + "\n";
  }
  void single(const char *name, const char *type, const char *help,
              uint64_t number) {
    begin(name, type, help);
    value("", number);
  }
  std::string text;

private:
  std::string current;
};

std::string label(const char *name, const std::string &value) {
  return std::string(name) + "=\"" + value + "\"";
}

/// Buckets are powers of two of nanoseconds; those below 1 us and above 1 s are
/// of no use to anybody and go into their neighbours.
void writeLatency(Writer &out, const std::vector<uint64_t> &buckets) {
  constexpr size_t least = 10, most = 30;
  out.begin("spacer_fault_seconds", "histogram",
            "From reading a fault to waking its thread.");
  uint64_t count = 0;
  double sum = 0;
  char number[32];
  for (size_t i = 0; i < buckets.size(); ++i) {
    count += buckets[i];
    double upper = static_cast<double>(1ull << std::min<size_t>(i, 62)) * 1e-9;
    sum += static_cast<double>(buckets[i]) * upper * 0.75;
    if (i < least || i > most)
      continue;
    snprintf(number, sizeof number, "%.9g", upper);
    out.sample("_bucket", label("le", number), std::to_string(count));
  }
  out.sample("_bucket", label("le", "+Inf"), std::to_string(count));
  snprintf(number, sizeof number, "%.9g", sum); // from the buckets' middles
  out.sample("_sum", "", number);
  out.sample("_count", "", std::to_string(count));
}

struct Count {
  const char *name, *help;
  uint64_t SessionStats::*field;
};
constexpr Count pageCounts[] = {
    {"continued", "", &SessionStats::continued},
    {"copied", "", &SessionStats::copied},
    {"zeroed", "", &SessionStats::zeroed},
    {"poisoned", "", &SessionStats::poisoned},
};
constexpr Count eventCounts[] = {
    {"spacer_faults_total", "Page faults received.", &SessionStats::faults},
    {"spacer_prefetched_pages_total",
     "Pages brought by replay of a working set.", &SessionStats::prefetched},
    {"spacer_removed_pages_total", "Pages that guests gave back.",
     &SessionStats::removed},
    {"spacer_retries_total",
     "Kernel calls repeated because a removal was under way.",
     &SessionStats::retries},
};

} // namespace

std::string asJson(const DaemonStatistics &d) {
  Json json;
  json["pid"] = d.pid;
  json["keeper"] = d.keeper;
  json["version"] = SPACER_VERSION;
  json["uptimeSeconds"] = d.uptimeSeconds;
  json["restarts"] = d.restarts;
  json["connections"] = {{"open", d.connections},
                         {"accepted", d.accepted},
                         {"refused", d.refusedConnections},
                         {"silent", d.silent},
                         {"refusedRequests", d.refusedRequests}};
  json["domains"] = Json::array();
  for (const DomainRow &row : d.domains) {
    Json domain = {{"name", row.name},
                   {"committedPages", row.committedPages},
                   {"presentPages", row.presentPages},
                   {"capacityPages", row.capacityPages},
                   {"sessions", row.totals.sessions},
                   {"broken", row.totals.broken},
                   {"sessionsStarted", row.totals.started}};
    addCounts(domain, row.totals.sum);
    json["domains"].push_back(std::move(domain));
  }
  json["sessions"] = Json::array();
  for (const SessionRow &row : d.sessions) {
    Json session = {{"session", row.number},
                    {"domain", row.domain},
                    {"object", row.stats.object},
                    {"name", row.stats.name},
                    {"pid", row.pid},
                    {"broken", row.broken}};
    addCounts(session, row.stats);
    json["sessions"].push_back(std::move(session));
  }
  json["latencyNanoseconds"] = Json::array();
  for (size_t i = 0; i < d.latency.size(); ++i)
    if (d.latency[i])
      json["latencyNanoseconds"].push_back(
          {{"below", 1ull << std::min<size_t>(i, 62)},
           {"faults", d.latency[i]}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string asMetrics(const DaemonStatistics &d) {
  Writer out;
  out.begin("spacer_build_info", "gauge", "Version of spacerd.");
  out.value(label("version", SPACER_VERSION), 1);
  out.single("spacer_restarts_total", "counter",
             "Workers that the keeper has replaced.", d.restarts);
  out.single("spacer_keeper", "gauge",
             "1 while a keeper process holds what must survive.",
             d.keeper != 0);
  out.single("spacer_connections", "gauge", "Connections open.", d.connections);
  out.single("spacer_connections_accepted_total", "counter",
             "Connections accepted.", d.accepted);
  out.begin("spacer_connections_refused_total", "counter",
            "Connections closed by the daemon.");
  out.value(label("reason", "limit"), d.refusedConnections);
  out.value(label("reason", "silent"), d.silent);
  out.value(label("reason", "request"), d.refusedRequests);

  auto domains = [&](const char *name, const char *type, const char *help,
                     auto number) {
    out.begin(name, type, help);
    for (const DomainRow &row : d.domains)
      out.value(label("domain", row.name), number(row));
  };
  domains("spacer_pool_committed_pages", "gauge",
          "Pages of 4096 bytes in the pool on disk.",
          [](auto &row) { return row.committedPages; });
  domains("spacer_pool_present_pages", "gauge",
          "Pages of the pool that are in memory.",
          [](auto &row) { return row.presentPages; });
  domains("spacer_pool_capacity_pages", "gauge",
          "Page numbers that the pool's memory has room for.",
          [](auto &row) { return row.capacityPages; });
  domains("spacer_sessions", "gauge", "Sessions being served.",
          [](auto &row) { return row.totals.sessions; });
  domains("spacer_sessions_broken", "gauge",
          "Sessions that cannot be served, their processes wait.",
          [](auto &row) { return row.totals.broken; });
  domains("spacer_sessions_started_total", "counter",
          "Sessions that this worker began or took over.",
          [](auto &row) { return row.totals.started; });
  out.begin("spacer_pages_total", "counter",
            "Pages given to guests, by how: continued are shared.");
  for (const DomainRow &row : d.domains)
    for (const Count &c : pageCounts)
      out.value(label("domain", row.name) + "," + label("how", c.name),
                row.totals.sum.*c.field);
  for (const Count &c : eventCounts)
    domains(c.name, "counter", c.help,
            [&](auto &row) { return row.totals.sum.*c.field; });
  writeLatency(out, d.latency);
  return std::move(out.text);
}

} // namespace spacer
