/* Everything that a VMM does with libspacer, in C99.
 *
 *   use POOL-DIRECTORY FILE [DAEMON-SOCKET]
 *
 * FILE is added to the pool and mapped in several ways; each time the memory
 * must be the file. Prints "pass NAME", "skip NAME: why" or "FAIL NAME: why".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spacer/spacer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int failures;

static int check(const char *name, int good) {
  if (good) {
    printf("pass %s\n", name);
  } else {
    printf("FAIL %s: %s\n", name, spacer_error());
    ++failures;
  }
  fflush(stdout);
  return good;
}

static unsigned char *file;
static size_t bytes; /* whole pages */

static void *fresh(void) {
  void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED)
    abort();
  return p;
}

static int progress(uint64_t done, uint64_t all, void *user) {
  *(int *)user += done <= all;
  return 0;
}

static int stopAtOnce(uint64_t done, uint64_t all, void *user) {
  (void)done, (void)all, (void)user;
  return 1;
}

static int countObject(const struct spacer_object *o, void *user) {
  *(uint64_t *)user += strcmp(o->name, "file") == 0 ? o->guest_pages : 0;
  return 0;
}

static int countStep(const struct spacer_step *s, void *user) {
  uint64_t *next = user;
  if (s->guest_page != *next)
    return 77;
  *next += s->pages;
  return 0;
}

static void problem(const char *line, void *user) {
  (void)user;
  printf("problem: %s\n", line);
}

static void usePool(struct spacer_pool *pool, const char *path) {
  struct spacer_import sum;
  uint64_t pages = 0;
  int called = 0;
  check("add-is-cancelled",
        spacer_pool_add_raw(pool, "file", path, SPACER_KIND_FILE, stopAtOnce,
                            NULL, &sum) == -ECANCELED);
  check("add", spacer_pool_add_raw(pool, "file", path, SPACER_KIND_FILE,
                                   progress, &called, &sum) == 0 &&
                   sum.guest_pages == bytes / 4096 && sum.zero_pages > 0 &&
                   called > 0);
  check("name-taken", spacer_pool_add_raw(pool, "file", path, SPACER_KIND_FILE,
                                          NULL, NULL, NULL) == -EEXIST &&
                          strlen(spacer_error()) > 0);
  int fd = open(path, O_RDONLY);
  check("add-fd-shares-all",
        spacer_pool_add_fd(pool, "again", fd, SPACER_KIND_SNAPSHOT, NULL, NULL,
                           &sum) == 0 &&
            sum.new_pages == 0);
  close(fd);
  check("no-image", spacer_pool_add_image(pool, "image", path, NULL, NULL,
                                          NULL) == -ENOEXEC);
  check("list", spacer_pool_list(pool, countObject, &pages) == 0 &&
                    pages == bytes / 4096);
  check("verify", spacer_pool_verify(pool, NULL, problem, NULL) == 0);
}

static void usePlan(struct spacer_pool *pool) {
  struct spacer_plan *plan;
  struct spacer_plan_options options;
  struct spacer_plan_summary all, few;
  uint64_t next = 0;
  memset(&options, 0, sizeof options);
  check("no-object",
        spacer_plan_make(&plan, pool, "none", NULL) == -ENOENT && plan == NULL);
  options.reserved[0] = 1;
  check("unknown-option",
        spacer_plan_make(&plan, pool, "file", &options) == -EINVAL);
  options.reserved[0] = 0;

  if (!check("plan", spacer_plan_make(&plan, pool, "file", NULL) == 0))
    return;
  spacer_plan_get_summary(plan, &all);
  check("steps",
        spacer_plan_steps(plan, countStep, &next) == 0 && next == bytes / 4096);
  check("leased", spacer_pool_remove(pool, "file") == -EBUSY);
  unsigned char *memory = fresh();
  check("too-small-a-range",
        spacer_plan_map(plan, memory, bytes - 4096, PROT_READ) == -ENOSPC);
  check("map",
        spacer_plan_map(plan, memory, bytes, PROT_READ | PROT_WRITE) == 0 &&
            memcmp(memory, file, bytes) == 0);
  memset(memory, 0xaa, 4096);
  unsigned char *other = fresh();
  check("writes-stay-private",
        spacer_plan_map(plan, other, bytes, PROT_READ) == 0 &&
            memcmp(other, file, bytes) == 0);
  check("discard", spacer_memory_discard(memory, 8192) == 0 && memory[0] == 0 &&
                       memory[8191] == 0 &&
                       memcmp(memory + 8192, file + 8192, bytes - 8192) == 0);
  munmap(memory, bytes);
  munmap(other, bytes);
  spacer_plan_free(plan);

  options.mappings = 3;
  options.flags = SPACER_PLAN_UNLEASED;
  if (!check("plan-within-a-budget",
             spacer_plan_make(&plan, pool, "file", &options) == 0))
    return;
  spacer_plan_get_summary(plan, &few);
  memory = fresh();
  check("map-within-a-budget",
        few.mappings <= 3 && all.mappings > 3 && few.copied_runs > 0 &&
            all.wanted_mappings == few.wanted_mappings &&
            spacer_plan_map(plan, memory, bytes, PROT_READ) == 0 &&
            memcmp(memory, file, bytes) == 0);
  munmap(memory, bytes);
  spacer_plan_free(plan);
}

static int takeStats(const struct spacer_session_stats *stats, void *user) {
  *(struct spacer_session_stats *)user = *stats;
  return strcmp(stats->name, "vm") == 0 ? 0 : 77;
}

static void useServer(struct spacer_pool *pool) {
  struct spacer_server *server;
  struct spacer_plan *plan;
  struct spacer_plan_options options;
  struct spacer_session_stats stats;
  uint64_t session = 0;
  memset(&options, 0, sizeof options);
  memset(&stats, 0, sizeof stats);
  if (!check("server", spacer_server_start(&server, pool, NULL) == 0))
    return;
  options.lazy = SPACER_LAZY_ALL;
  if (!check("server-plan",
             spacer_server_plan(&plan, server, "file", &options) == 0))
    return;
  unsigned char *memory = fresh();
  check("not-without-the-server",
        spacer_plan_map(plan, memory, bytes, PROT_READ) == -EINVAL);
  int r = spacer_server_map(server, plan, "vm", memory, bytes,
                            PROT_READ | PROT_WRITE, &session);
  if (r == -EPERM || r == -ENOSYS) {
    printf("skip server-map: %s\n", spacer_error());
  } else if (check("server-map", r == 0 && session != 0)) {
    size_t half = bytes / 2 / 4096 * 4096;
    check("lazy-reads", memcmp(memory, file, half) == 0);
    /* A first write to a lazy page, and one that is given back. */
    memory[half + 100] ^= 0xff;
    check("lazy-write", memory[half + 100] == (file[half + 100] ^ 0xff) &&
                            memory[half + 101] == file[half + 101]);
    memory[half + 100] ^= 0xff;
    madvise(memory, 4096, MADV_DONTNEED);
    check("given-back-is-zero", memory[0] == 0 && memory[4095] == 0);
    check("discarded-lazy-is-zero",
          spacer_memory_discard(memory + bytes - 8192, 4096) == 0 &&
              memory[bytes - 8192] == 0);
    memcpy(memory + bytes - 8192, file + bytes - 8192, 4096);
    check("stats", spacer_server_stats(server, takeStats, &stats) == 0 &&
                       stats.session == session && stats.faults > 0 &&
                       stats.continued > 0 && stats.removed >= 1);
    check("drain", spacer_server_drain(server, session) == 0);
  }
  check("server-stop", spacer_server_stop(server) == 0);
  if (session)
    check("memory-after-the-server",
          memcmp(memory + 4096, file + 4096, bytes - 4096) == 0 &&
              memory[0] == 0);
  munmap(memory, bytes);
  spacer_plan_free(plan);
}

static void useClient(const char *socket) {
  struct spacer_client *client;
  struct spacer_client_options options;
  struct spacer_client_mapping mapping;
  memset(&options, 0, sizeof options);
  options.lazy = SPACER_LAZY_ALL;
  if (!check("client", spacer_client_connect(&client, socket) == 0))
    return;
  unsigned char *memory = fresh();
  check("client-no-object",
        spacer_client_map_object(client, "none", "vm", memory, bytes, NULL,
                                 NULL) == -ENOENT);
  spacer_client_close(client);
  if (!check("client-again", spacer_client_connect(&client, socket) == 0))
    return;
  int r = spacer_client_map_object(client, "file", "vm", memory, bytes,
                                   &options, &mapping);
  if (r == -EPERM || r == -ENOSYS)
    printf("skip client-map-object: %s\n", spacer_error());
  else
    check("client-map-object", r == 0 && mapping.guest_bytes == bytes &&
                                   memcmp(memory, file, bytes) == 0);
  munmap(memory, bytes);
  spacer_client_close(client);
}

int main(int argc, char **argv) {
  struct spacer_pool *pool;
  struct stat st;
  if (argc < 3)
    return 2;
  int fd = open(argv[2], O_RDONLY);
  if (fd < 0 || fstat(fd, &st) != 0)
    return 2;
  bytes = ((size_t)st.st_size + 4095) / 4096 * 4096;
  file = calloc(1, bytes);
  if (!file || read(fd, file, bytes) != st.st_size)
    return 2;
  close(fd);
  if (argc > 3) {
    useClient(argv[3]);
    return failures != 0;
  }
  check("version", strncmp(spacer_version(), "0.", 2) == 0);
  check("no-pool",
        spacer_pool_open(&pool, argv[1], NULL, SPACER_POOL_READ) == -ENOENT &&
            pool == NULL);
  check("unknown-flag", spacer_pool_open(&pool, argv[1], NULL, 99) == -EINVAL);
  if (!check("open",
             spacer_pool_open(&pool, argv[1], NULL, SPACER_POOL_WRITE) == 0))
    return 1;
  usePool(pool, argv[2]);
  usePlan(pool);
  useServer(pool);
  spacer_pool_close(pool);
  return failures != 0;
}
