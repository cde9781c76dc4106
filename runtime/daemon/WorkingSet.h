//===- WorkingSet.h - the order in which pages are first touched ----------===//
//
// What one VM of an object touched first, the next one will touch as well. The
// order is kept as the object's attribute "working-set": a JSON list of
// [guest page, pages]. It only grows by what was missing in it, so that a
// session that was served by replay, and had few faults, does not make it
// shorter.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_WORKINGSET_H
#define SPACER_RUNTIME_WORKINGSET_H

#include "Fd.h"
#include "Result.h"
#include "Units.h"
#include <string>
#include <string_view>
#include <vector>

namespace spacer {

using PageOrder = std::vector<std::pair<GuestPage, uint64_t>>;

/// \p first, then what of \p second is not in it; neighbours joined. Parts at
/// or beyond \p guestPages are dropped.
PageOrder joinOrders(const PageOrder &first, const PageOrder &second,
                     uint64_t guestPages);
uint64_t pagesOf(const PageOrder &order);

std::string encodeOrder(const PageOrder &order);
/// EBADMSG unless encodeOrder() could have written it. "" is the empty order.
Result<PageOrder> decodeOrder(std::string_view json);

/// For a keeper: a memfd with two 64-bit numbers a stretch.
Result<UniqueFd> storeOrder(const PageOrder &order);
/// What storeOrder() gave; empty if it cannot be read.
PageOrder loadOrder(int fd);

} // namespace spacer

#endif
