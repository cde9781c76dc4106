//===- CApiPool.cpp - the C interface: library and pool -------------------===//

#include "CApi.h"
#include <algorithm>
#include <climits>

using namespace spacer;
using namespace spacer::capi;

namespace {

/// Plain bytes: nothing to construct or destroy in whoever loads the library.
thread_local char lastError[512];

Progress progressOf(spacer_progress_fn progress, void *user) {
  if (!progress)
    return {};
  return [=](uint64_t bytes, uint64_t all) {
    return progress(bytes, all, user) == 0;
  };
}

int add(spacer_pool *pool, const char *name,
        Result<std::unique_ptr<PageSource>> source, spacer_progress_fn progress,
        void *user, spacer_import *result) {
  if (!source)
    return fail(source.error());
  auto sum = pool->pool->add(name, **source, progressOf(progress, user));
  if (!sum)
    return fail(sum.error());
  if (result)
    *result = {
        sum->guestPages, sum->zeroPages, sum->sharedPages, sum->newPages, {}};
  return 0;
}

bool rawKind(spacer_kind kind) {
  return kind == SPACER_KIND_SNAPSHOT || kind == SPACER_KIND_FILE;
}

} // namespace

int spacer::capi::fail(const Error &error) {
  size_t length = std::min(error.context.size(), sizeof lastError - 1);
  std::memcpy(lastError, error.context.data(), length);
  lastError[length] = 0;
  return -(error.sysErrno > 0 ? error.sysErrno : EIO);
}

int spacer::capi::invalid(const char *what) { return fail({EINVAL, what}); }

const char *spacer_version(void) { return SPACER_VERSION; }
const char *spacer_error(void) { return lastError; }

int spacer_pool_open(spacer_pool **pool, const char *directory,
                     const char *domain, unsigned flags) {
  return guarded([&] {
    if (!pool || !directory)
      return invalid("pool: no handle or directory given");
    *pool = nullptr;
    if (flags & ~unsigned(SPACER_POOL_WRITE))
      return invalid("pool: unknown flags");
    auto opened =
        PagePool::open(directory, domain ? domain : "default",
                       flags & SPACER_POOL_WRITE ? PagePool::Access::Write
                                                 : PagePool::Access::Read);
    if (!opened)
      return fail(opened.error());
    *pool = new spacer_pool{std::move(*opened)};
    return 0;
  });
}

void spacer_pool_close(spacer_pool *pool) { delete pool; }

int spacer_pool_refresh(spacer_pool *pool) {
  return guarded([&] {
    return pool ? done(pool->pool->refresh()) : invalid("pool: no handle");
  });
}

int spacer_pool_add_image(spacer_pool *pool, const char *name, const char *path,
                          spacer_progress_fn progress, void *user,
                          spacer_import *result) {
  return guarded([&] {
    if (!pool || !name || !path)
      return invalid("add: no pool, name or path given");
    return add(pool, name, openImage(path), progress, user, result);
  });
}

int spacer_pool_add_raw(spacer_pool *pool, const char *name, const char *path,
                        spacer_kind kind, spacer_progress_fn progress,
                        void *user, spacer_import *result) {
  return guarded([&] {
    if (!pool || !name || !path || !rawKind(kind))
      return invalid("add: no pool, name, path or kind given");
    return add(pool, name, openRaw(path, ObjectKind(kind)), progress, user,
               result);
  });
}

int spacer_pool_add_fd(spacer_pool *pool, const char *name, int fd,
                       spacer_kind kind, spacer_progress_fn progress,
                       void *user, spacer_import *result) {
  return guarded([&] {
    if (!pool || !name || !rawKind(kind))
      return invalid("add: no pool, name or kind given");
    return add(pool, name, openRaw(fd, name, ObjectKind(kind)), progress, user,
               result);
  });
}

int spacer_pool_list(const spacer_pool *pool,
                     int (*each)(const spacer_object *, void *), void *user) {
  return guarded([&] {
    if (!pool || !each)
      return invalid("list: no pool or callback given");
    auto objects = pool->pool->objects();
    if (!objects)
      return fail(objects.error());
    std::sort(objects->begin(), objects->end(),
              [](const auto &a, const auto &b) { return a.name < b.name; });
    for (const ObjectInfo &o : *objects) {
      spacer_object object{o.name.c_str(),
                           spacer_kind(o.kind),
                           o.guestPages,
                           o.poolPages,
                           o.distinctPages,
                           o.ownPages,
                           o.created,
                           o.leases,
                           {}};
      if (int stop = each(&object, user))
        return stop;
    }
    return 0;
  });
}

int spacer_pool_remove(spacer_pool *pool, const char *name) {
  return guarded([&] {
    return pool && name ? done(pool->pool->remove(name))
                        : invalid("remove: no pool or name given");
  });
}

int spacer_pool_gc(spacer_pool *pool, spacer_progress_fn progress, void *user,
                   spacer_gc *result) {
  return guarded([&] {
    if (!pool)
      return invalid("gc: no pool given");
    auto sum = pool->pool->gc(progressOf(progress, user));
    if (!sum)
      return fail(sum.error());
    if (result)
      *result = {sum->freedPages, sum->freedBytes, sum->keptPages, {}};
    return 0;
  });
}

int spacer_pool_verify(const spacer_pool *pool, spacer_progress_fn progress,
                       void (*problem)(const char *, void *), void *user) {
  return guarded([&] {
    if (!pool)
      return invalid("verify: no pool given");
    auto sum = pool->pool->verify(progressOf(progress, user));
    if (!sum)
      return fail(sum.error());
    for (const std::string &line : sum->problems)
      if (problem)
        problem(line.c_str(), user);
    return int(std::min<size_t>(sum->problems.size(), INT_MAX));
  });
}

int spacer_pool_lease(spacer_pool *pool, const char *object, pid_t pid) {
  return guarded([&] {
    return pool && object ? done(pool->pool->lease(object, pid))
                          : invalid("lease: no pool or object given");
  });
}

int spacer_pool_release(spacer_pool *pool, const char *object, pid_t pid) {
  return guarded([&] {
    return pool && object ? done(pool->pool->release(object, pid))
                          : invalid("release: no pool or object given");
  });
}
