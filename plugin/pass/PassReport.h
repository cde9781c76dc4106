//===- PassReport.h - what the pass did to a module -----------------------===//

#ifndef SPACER_PLUGIN_PASS_PASSREPORT_H
#define SPACER_PLUGIN_PASS_PASSREPORT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace spacer {

struct PassReport {
  std::string module, library, phase; ///< phase: compile, pre-link, link
  std::vector<std::string> units;     ///< given a section of their own
  std::vector<std::pair<std::string, std::string>> tied; ///< data, its function
  std::vector<std::string> redirected; ///< image data, now through the GOT
  std::vector<std::pair<std::string, uint32_t>> spared; ///< function, numbers
  uint64_t tagged = 0;
  uint64_t calls = 0;               ///< edges of the call graph profile
  std::vector<std::string> borders; ///< functions hidden from other libraries

  /// Writes JSON to \p file. What a failure leaves there is not whole.
  llvm::Error write(llvm::StringRef file) const;
};

} // namespace spacer

#endif
