/*===- spacer.h - guest memory that shares pages ----------------------------===
 *
 * The C interface of libspacer, for VMMs: a pool of pages on disk, a plan that
 * maps an object of the pool as guest memory, a server for the page faults of
 * what is not in memory yet (in this process), and a client of the daemon
 * spacerd (which serves many processes and survives its own death).
 *
 * Conventions
 *  - int results: 0 or a positive answer on success, -errno on failure. The
 *    message of the calling thread's last failure is spacer_error().
 *  - Handles are opaque, come from the function that takes a pointer to a
 *    handle (which is set to NULL on failure), and end with the function named
 *    in their comment. NULL is allowed there.
 *  - One handle belongs to one thread at a time; different handles are
 *    independent. A server's functions may be called from any thread.
 *  - Strings that come in are copied; strings and structs that a callback gets
 *    live until it returns.
 *  - Structs that go in: set them to all zero first; zero means the default.
 *    reserved must be 0 (else -EINVAL).
 *  - Sizes are in bytes; pages have 4096 bytes; guest addresses count from the
 *    start of the guest's RAM block.
 *  - Not async-signal-safe. After fork() a child must not use the handles.
 *
 * Man pages: spacer_pool(3), spacer_plan(3), spacer_server(3),
 * spacer_client(3), spacer_error(3).
 *
 *===-----------------------------------------------------------------------===*/

#ifndef SPACER_SPACER_H
#define SPACER_SPACER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*--- The library ------------------------------------------------------------*/

/** The version of this header; spacer_version() is the library's. */
#define SPACER_VERSION_MAJOR 0
#define SPACER_VERSION_MINOR 1

/** "MAJOR.MINOR.PATCH"; never freed. */
const char *spacer_version(void);

/** One line about the calling thread's last failed call of this library, lower
 * case, no full stop; "" if none failed. Valid until the thread's next call. */
const char *spacer_error(void);

/*--- Pool -------------------------------------------------------------------*/

/** A sharing domain's pages on disk. Ends with spacer_pool_close(). */
struct spacer_pool;

enum spacer_pool_flags {
  SPACER_POOL_READ = 0,
  SPACER_POOL_WRITE = 1 /**< the only writer; creates the domain if need be */
};

enum spacer_kind {
  SPACER_KIND_IMAGE = 0,    /**< an ELF image, as a VMM loads it */
  SPACER_KIND_SNAPSHOT = 1, /**< a guest's memory */
  SPACER_KIND_FILE = 2      /**< any file */
};

/** Opens \p domain ("default" if NULL) of the pool in \p directory. -ENOENT,
 * -EBUSY (another writer), -EBADMSG (damaged), -EINVAL (name or flags). */
int spacer_pool_open(struct spacer_pool **pool, const char *directory,
                     const char *domain, unsigned flags);
/** Plans and servers made from it stay valid. */
void spacer_pool_close(struct spacer_pool *pool);
/** Sees what others have committed since. */
int spacer_pool_refresh(struct spacer_pool *pool);

/** Called now and then with bytes done and bytes in all; not 0 stops the work,
 * which then fails with -ECANCELED and leaves the pool as it was. */
typedef int (*spacer_progress_fn)(uint64_t done, uint64_t all, void *user);

struct spacer_import {
  uint64_t guest_pages;
  uint64_t zero_pages;
  uint64_t shared_pages; /**< equal to a page that was there or came before */
  uint64_t new_pages;
  uint64_t reserved[4];
};

/** Adds the ELF image at \p path as \p name. -EEXIST, -ENOEXEC (no image for
 * x86-64), -EBADMSG (its manifest lies). \p progress and \p result may be NULL.
 */
int spacer_pool_add_image(struct spacer_pool *pool, const char *name,
                          const char *path, spacer_progress_fn progress,
                          void *user, struct spacer_import *result);
/** Adds the file at \p path, holes and all; \p kind is SPACER_KIND_SNAPSHOT or
 * SPACER_KIND_FILE. Its length is rounded up to a page. */
int spacer_pool_add_raw(struct spacer_pool *pool, const char *name,
                        const char *path, enum spacer_kind kind,
                        spacer_progress_fn progress, void *user,
                        struct spacer_import *result);
/** The same of an open file, which is read from its start and stays open. */
int spacer_pool_add_fd(struct spacer_pool *pool, const char *name, int fd,
                       enum spacer_kind kind, spacer_progress_fn progress,
                       void *user, struct spacer_import *result);

struct spacer_object {
  const char *name;
  enum spacer_kind kind;
  uint64_t guest_pages;
  uint64_t pool_pages;     /**< that are not zero, repeats counted */
  uint64_t distinct_pages; /**< of these, different ones */
  uint64_t own_pages;      /**< of these, that no other object has */
  int64_t created;         /**< seconds since 1970 */
  uint64_t leases;         /**< living processes that use it */
  uint64_t reserved[4];
};

/** Calls \p each for every object, by name; stops when it returns not 0 and
 * returns that. */
int spacer_pool_list(const struct spacer_pool *pool,
                     int (*each)(const struct spacer_object *object,
                                 void *user),
                     void *user);
/** -EBUSY while a living process holds a lease. The pages stay until
 * spacer_pool_gc(). */
int spacer_pool_remove(struct spacer_pool *pool, const char *name);

struct spacer_gc {
  uint64_t freed_pages;
  uint64_t freed_bytes;
  uint64_t kept_pages;
  uint64_t reserved[4];
};

/** Frees the pages that no object has. \p progress, \p result may be NULL. */
int spacer_pool_gc(struct spacer_pool *pool, spacer_progress_fn progress,
                   void *user, struct spacer_gc *result);
/** Reads everything. \p problem (may be NULL) gets one line for each; returns
 * how many there were (at most INT_MAX), or -errno. */
int spacer_pool_verify(const struct spacer_pool *pool,
                       spacer_progress_fn progress,
                       void (*problem)(const char *line, void *user),
                       void *user);
/** Process \p pid uses \p object until it ends: the object can be neither
 * removed nor compressed, its pages not freed. Taken twice, it needs two
 * releases. -ESRCH, -ENOENT. */
int spacer_pool_lease(struct spacer_pool *pool, const char *object, pid_t pid);
int spacer_pool_release(struct spacer_pool *pool, const char *object,
                        pid_t pid);

/*--- Plan -------------------------------------------------------------------*/

/** How an object becomes guest memory. Ends with spacer_plan_free(). */
struct spacer_plan;

enum spacer_lazy {
  SPACER_LAZY_COLD = 0, /**< what is compressed or not on this host */
  SPACER_LAZY_NONE = 1,
  SPACER_LAZY_ALL = 2 /**< whatever is not in a server's memory */
};

struct spacer_plan_options {
  uint64_t mappings;        /**< budget of mappings; 0: 10,000 */
  uint64_t least_run_pages; /**< shorter runs are copied; 0: 1 */
  uint32_t lazy;            /**< enum spacer_lazy */
  uint32_t flags;           /**< enum spacer_plan_flags */
  uint64_t reserved[4];
};

enum spacer_plan_flags {
  /** Takes no lease: for looking, or when somebody else holds one. */
  SPACER_PLAN_UNLEASED = 1
};

struct spacer_plan_summary {
  uint64_t guest_pages;
  uint64_t mappings;        /**< that the kernel will hold */
  uint64_t wanted_mappings; /**< with every run mapped */
  uint64_t pool_pages;
  uint64_t zero_pages;
  uint64_t copy_pages;
  uint64_t lazy_pages;
  uint64_t copied_runs; /**< that the budget or least_run_pages cost */
  uint64_t reserved[4];
};

enum spacer_step_kind {
  SPACER_STEP_ZERO = 0, /**< anonymous memory */
  SPACER_STEP_POOL = 1, /**< a private mapping of the pool: shared */
  SPACER_STEP_COPY = 2, /**< copied into anonymous memory */
  SPACER_STEP_LAZY = 3  /**< a private mapping that a server fills */
};

struct spacer_step {
  uint64_t guest_page;
  uint64_t pool_page; /**< 0 for SPACER_STEP_ZERO */
  uint64_t pages;
  uint32_t kind; /**< enum spacer_step_kind */
  uint32_t reserved;
};

/** Plans \p object. \p options may be NULL. The plan holds a lease on the
 * object for this process: until spacer_plan_free(), or if it was mapped, until
 * the process ends. -ENOENT. */
int spacer_plan_make(struct spacer_plan **plan, struct spacer_pool *pool,
                     const char *object,
                     const struct spacer_plan_options *options);
void spacer_plan_free(struct spacer_plan *plan);
void spacer_plan_get_summary(const struct spacer_plan *plan,
                             struct spacer_plan_summary *summary);
/** Calls \p each for every step, by rising guest page without gaps; stops when
 * it returns not 0 and returns that. */
int spacer_plan_steps(const struct spacer_plan *plan,
                      int (*each)(const struct spacer_step *step, void *user),
                      void *user);
/** Composes guest memory at \p base without a server: the pages of the pool's
 * file are mapped privately, and what is cold is read now. The caller owns
 * [base, base + bytes), page-aligned, which is replaced as far as the guest
 * goes; \p protection is PROT_READ | PROT_WRITE or less. -ENOSPC if the guest
 * is larger. On failure the range is anonymous zero memory. */
int spacer_plan_map(struct spacer_plan *plan, void *base, size_t bytes,
                    int protection);

/** The pages read as zero from now on (readable, writable) and the host gets
 * the memory back, whatever they were. MADV_DONTNEED does that only where a
 * userfaultfd watches (lazy steps), without new mappings; of other memory it
 * shows the pool's pages again. When the process has no mapping left, zeros are
 * written and the memory is not given back. */
int spacer_memory_discard(void *start, size_t bytes);

/*--- Server in this process -------------------------------------------------*/

/** Serves faults with threads of its own. Ends with spacer_server_stop(). */
struct spacer_server;

struct spacer_server_options {
  uint32_t threads;        /**< 0: as many as cores */
  uint32_t batch_pages;    /**< neighbours served with a fault; 0: 16 */
  uint64_t capacity_pages; /**< pool pages that it may ever hold; 0: those of
                                now and 2^26 more; costs nothing until used */
  uint64_t reserved[4];
};

/** Starts a server for the objects of \p pool. \p options may be NULL. */
int spacer_server_start(struct spacer_server **server, struct spacer_pool *pool,
                        const struct spacer_server_options *options);
/** Brings everything that is still lazy, then ends all sessions and threads;
 * guest memory stays as it is. If that fails (-EIO: a page cannot be read or
 * has not its checksum) the server goes on, for without it pages would
 * silently read as zeros. No other call may be under way. MADV_DONTNEED shows
 * the object again after the stop: from then on use spacer_memory_discard() for
 * all of it. */
int spacer_server_stop(struct spacer_server *server);
/** As spacer_plan_make(), for the memory of this server: lazy is what it does
 * not hold (SPACER_LAZY_ALL) or what is cold and it does not hold. */
int spacer_server_plan(struct spacer_plan **plan, struct spacer_server *server,
                       const char *object,
                       const struct spacer_plan_options *options);
/** Composes a plan made by spacer_server_plan() in this process: brings the
 * pages that are not lazy, maps, watches lazy ranges with a userfaultfd and
 * adds a session. \p name is for statistics. \p session (may be NULL) becomes
 * 0 if nothing is lazy. \p base, \p bytes, \p protection: as
 * spacer_plan_map(). -EPERM: no userfaultfd for this user. */
int spacer_server_map(struct spacer_server *server, struct spacer_plan *plan,
                      const char *name, void *base, size_t bytes,
                      int protection, uint64_t *session);
/** Brings the pages of pool and copy steps into the server's memory, for a plan
 * that another process is going to map from spacer_server_fd(). */
int spacer_server_prepare(struct spacer_server *server,
                          const struct spacer_plan *plan);
/** A new read-only descriptor of the server's memory, where pool page n stands
 * at n * 4096; the caller closes it. Or -errno. */
int spacer_server_fd(struct spacer_server *server);

struct spacer_range {
  uint64_t start; /**< address in the process that faults */
  uint64_t bytes;
  uint64_t guest_page;
};

struct spacer_attach {
  const char *name; /**< for statistics */
  int uffd; /**< non-blocking, handshake done, ranges registered for MISSING and
                 MINOR; duplicated */
  int pidfd; /**< of the process that faults; duplicated; -1: not watched */
  const struct spacer_range *ranges; /**< the plan's lazy steps, one for each
                                          mapping, by rising address */
  size_t range_count;
  uint64_t reserved[4];
};

/** Serves another process that has mapped \p plan (of this server). Returns 0
 * and the session's number. -EINVAL: ranges that are empty, unaligned, overlap
 * or lie outside the guest; a descriptor that is no userfaultfd. */
int spacer_server_attach(struct spacer_server *server,
                         const struct spacer_plan *plan,
                         const struct spacer_attach *attach, uint64_t *session);

struct spacer_session_stats {
  uint64_t session;
  const char *name;
  const char *object;
  uint64_t faults;     /**< messages */
  uint64_t continued;  /**< pages shared */
  uint64_t copied;     /**< pages that were written at once */
  uint64_t zeroed;     /**< pages that had been given back */
  uint64_t poisoned;   /**< pages whose content failed its checksum */
  uint64_t prefetched; /**< pages brought by replay, of the above */
  uint64_t removed;    /**< pages given back */
  uint64_t retries;
  uint64_t reserved[4];
};

/** Calls \p each for every session; stops when it returns not 0 and returns
 * that. */
int spacer_server_stats(const struct spacer_server *server,
                        int (*each)(const struct spacer_session_stats *stats,
                                    void *user),
                        void *user);
/** Brings everything that is still lazy in \p session. Blocks. */
int spacer_server_drain(struct spacer_server *server, uint64_t session);
/** Ends \p session, whose memory must be unmapped or drained before. */
int spacer_server_remove(struct spacer_server *server, uint64_t session);

/*--- Client of the daemon ---------------------------------------------------*/

/** A connection to spacerd. Ends with spacer_client_close(). */
struct spacer_client;

struct spacer_client_options {
  uint64_t mappings;   /**< budget of mappings; 0: 10,000 */
  uint32_t lazy;       /**< enum spacer_lazy */
  uint32_t protection; /**< 0: PROT_READ | PROT_WRITE */
  uint64_t reserved[4];
};

struct spacer_client_mapping {
  uint64_t guest_bytes;
  uint64_t session; /**< 0: nothing was lazy */
  struct spacer_plan_summary summary;
  uint64_t reserved[4];
};

/** Connects to \p socket, DIR/DOMAIN.sock of the daemon. */
int spacer_client_connect(struct spacer_client **client, const char *socket);
/** Only after the guest memory of all its objects is unmapped: the connection
 * holds their leases and the handle their userfaultfds. */
void spacer_client_close(struct spacer_client *client);
/** Composes \p object at \p base: asks for a plan, maps it, watches lazy ranges
 * with a userfaultfd, and has the daemon serve them. The caller owns
 * [base, base + bytes), page-aligned; what lies beyond the guest is left alone.
 * \p name is for the daemon's statistics. \p options and \p result may be NULL.
 * -ENOENT, -ENOSPC (the guest is larger), -EPERM (no userfaultfd for this
 * user: use SPACER_LAZY_NONE). On failure the range is anonymous zero memory,
 * or as it was. */
int spacer_client_map_object(struct spacer_client *client, const char *object,
                             const char *name, void *base, size_t bytes,
                             const struct spacer_client_options *options,
                             struct spacer_client_mapping *result);

#ifdef __cplusplus
}
#endif

#endif
