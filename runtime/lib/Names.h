//===- Names.h - what objects, domains, snapshots and VMs may be called ---===//
//
// One rule for all, because they are names of files and of each other: a
// snapshot's memory is the object of its name, a domain is a folder and a
// socket.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_NAMES_H
#define SPACER_RUNTIME_NAMES_H

#include "Result.h"
#include <string_view>

namespace spacer {

/// The rule, for messages.
inline constexpr char nameRule[] =
    "expected 1 to 200 of [A-Za-z0-9._@+-], not starting with a dot";

bool validName(std::string_view name);
/// EINVAL unless validName(); \p what is for the message: "VM name".
Result<void> checkName(std::string_view name, const char *what);

} // namespace spacer

#endif
