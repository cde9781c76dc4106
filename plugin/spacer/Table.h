//===- Table.h - text tables for people -----------------------------------===//

#ifndef SPACER_TOOL_TABLE_H
#define SPACER_TOOL_TABLE_H

#include "Command.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace spacer {

/// Columns that are as wide as their widest cell; numbers stand at the right.
class Table {
public:
  /// A heading that begins with '>' is a column of numbers.
  explicit Table(std::vector<std::string> headings);
  /// As many cells as there are headings; a cell more is a defect, and fatal.
  void row(std::vector<std::string> cells);
  bool empty() const { return rows.empty(); }
  void print(llvm::raw_ostream &os) const;

private:
  std::vector<std::string> headings;
  std::vector<bool> numbers;
  std::vector<std::vector<std::string>> rows;
};

/// Rows of JSON objects or arrays whose values are the cells, in their order.
void printRows(std::vector<std::string> headings, const Json &rows);

/// "12.3%", or "-" if \p whole is zero.
std::string percent(double part, double whole);

} // namespace spacer

#endif
