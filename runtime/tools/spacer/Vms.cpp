//===- Vms.cpp - what the subcommands about VMs share ---------------------===//

#include "Vms.h"
#include <charconv>
#include <cmath>
#include <iomanip>
#include <iostream>

namespace spacer {

std::filesystem::path rootPath(const Session &session) {
  return std::filesystem::absolute(rootDirectory(session)).lexically_normal();
}

uint64_t parseMiB(const std::string &text) {
  uint64_t number = 0;
  auto [end, bad] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, size_t(text.data() + text.size() - end));
  uint64_t factor = unit.empty() || unit == "M" || unit == "MiB" ? 1
                    : unit == "G" || unit == "GiB"               ? 1024
                                                                 : 0;
  constexpr uint64_t most = 1 << 20; // a TiB
  if (bad != std::errc() || !factor || !number || number > most / factor)
    throw Failure("memory '" + text +
                  "': expected 1M to 1024G, such as 128M or 2G");
  return number * factor;
}

std::string humanBytes(uint64_t bytes) {
  double value = double(bytes);
  const char *unit = "BKMGT";
  for (; value >= 1000 && unit[1]; value /= 1024)
    ++unit;
  char text[32];
  std::snprintf(text, sizeof text,
                value < 10 && *unit != 'B' ? "%.1f%c" : "%.0f%c", value, *unit);
  return text;
}

void printTable(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths;
  for (const auto &row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], row[i].size());
    }
  for (const auto &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    std::cout << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  }
}

} // namespace spacer
