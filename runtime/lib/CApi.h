//===- CApi.h - what the parts of the C interface share -------------------===//
//
// The C interface (spacer/spacer.h) is a thin skin: handles own C++ objects,
// every function runs inside guarded(), which turns an Error into -errno and
// the thread's message and lets no exception out.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_CAPI_H
#define SPACER_RUNTIME_CAPI_H

#include "HostPool.h"
#include "PagePool.h"
#include "Plan.h"
#include <memory>
#include <spacer/spacer.h>
#include <string>

struct spacer_pool {
  std::shared_ptr<spacer::PagePool> pool;
};

struct spacer_plan {
  spacer::Plan plan;
  std::shared_ptr<const spacer::PageMap> map;
  std::shared_ptr<spacer::PagePool> pool;
  std::shared_ptr<spacer::HostPool> host; ///< if made for a server
  std::string object;
  bool leased = false; ///< by this handle, to be released with it
};

namespace spacer::capi {

/// Keeps the message for spacer_error(); -errno.
int fail(const Error &error);
int invalid(const char *what);

template <class T> int done(const Result<T> &result) {
  return result ? 0 : fail(result.error());
}

/// Nothing that C++ throws leaves the library.
template <class F> int guarded(F body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return fail({ENOMEM, "out of memory"});
  } catch (const std::exception &e) {
    return fail({EIO, e.what()});
  }
}

template <size_t N> bool reservedZero(const uint64_t (&reserved)[N]) {
  for (uint64_t r : reserved)
    if (r)
      return false;
  return true;
}

/// Leases (unless told not to), then plans \p object; \p host may be null.
int makePlanHandle(spacer_plan **out, std::shared_ptr<PagePool> pool,
                   std::shared_ptr<HostPool> host, const char *object,
                   const spacer_plan_options *options);
/// 0, or -errno if [base, base + bytes) is no room for \p plan.
int checkRoom(const Plan &plan, const void *base, size_t bytes);
spacer_plan_summary summaryOf(const Plan &plan);

} // namespace spacer::capi

#endif
