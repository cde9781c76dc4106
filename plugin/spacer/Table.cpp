//===- Table.cpp - text tables for people ---------------------------------===//

#include "Table.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace spacer {

Table::Table(std::vector<std::string> names) : headings(std::move(names)) {
  for (std::string &h : headings) {
    numbers.push_back(h[0] == '>');
    if (h[0] == '>')
      h.erase(0, 1);
  }
}

void Table::row(std::vector<std::string> cells) {
  if (cells.size() != headings.size())
    report_fatal_error("a table's row has another length than its headings");
  rows.push_back(std::move(cells));
}

void Table::print(raw_ostream &os) const {
  std::vector<size_t> width;
  for (const std::string &h : headings)
    width.push_back(h.size());
  for (auto &row : rows)
    for (size_t i = 0; i != row.size(); ++i)
      width[i] = std::max(width[i], row[i].size());
  auto line = [&](const std::vector<std::string> &cells) {
    std::string text = " ";
    for (size_t i = 0; i != cells.size(); ++i) {
      std::string space(width[i] - cells[i].size(), ' ');
      text += " " + (numbers[i] ? space + cells[i] : cells[i] + space);
    }
    os << StringRef(text).rtrim() << '\n';
  };
  line(headings);
  for (auto &row : rows)
    line(row);
}

void printRows(std::vector<std::string> headings, const Json &rows) {
  Table table(std::move(headings));
  for (const Json &row : rows) {
    std::vector<std::string> cells;
    for (const Json &cell : row)
      cells.push_back(text(cell));
    table.row(std::move(cells));
  }
  table.print(outs());
}

std::string percent(double part, double whole) {
  return whole ? formatv("{0:f1}%", 100 * part / whole).str() : "-";
}

} // namespace spacer
