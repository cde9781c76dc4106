// Files in RAM: one flat directory that starts with what the image brings
// along.
//
// SQLite wants a database file and libxml2 wants to open documents by name.  A
// program may define a table `bedFiles` (see bed.h); those files are there from
// the start, read-only bytes of the image that are copied when first written.
// Other files appear with O_CREAT and vanish at power off.  Leading "/" and
// "./" of a path are dropped, other directories do not exist.
#include "../apps/bed.h"
#include "boot.h"

enum {
  maxFiles = 32,
  maxOpen = 32,
  maxName = 64,
  firstFd = 3,
  openWrite = 3, // O_WRONLY | O_RDWR
  openCreate = 0100,
  openExclusive = 0200,
  openTruncate = 01000,
  openAppend = 02000,
};

struct File {
  char name[maxName]; // empty: unlinked or free
  char *data;
  size_t bytes, capacity; // capacity 0: data belongs to the image
  int opens, inUse;
};

struct Open {
  struct File *file;
  int64_t offset;
  int flags;
};

// struct stat of x86-64 Linux
struct Stat {
  uint64_t device, inode, links;
  uint32_t mode, user, group, pad;
  uint64_t special;
  int64_t bytes, blockBytes, blocks;
  int64_t times[6], unused[3];
};

extern const struct BedFile bedFiles[] __attribute__((weak));

static struct File files[maxFiles];
static struct Open opened[maxOpen];

static void bringFiles(void) {
  static int done;
  if (done++ || !bedFiles)
    return;
  size_t count = 0;
  for (const struct BedFile *from = bedFiles; from->name && count < maxFiles;
       ++from, ++count) {
    struct File *file = &files[count];
    memcpy(file->name, from->name, strlen(from->name) + 1);
    file->data = (char *)from->text;
    file->bytes = strlen(from->text);
    file->inUse = 1;
  }
}

static const char *plainName(const char *path) {
  for (;;)
    if (*path == '/')
      ++path;
    else if (path[0] == '.' && path[1] == '/')
      path += 2;
    else
      return path;
}

static struct File *find(const char *path) {
  bringFiles();
  const char *name = plainName(path);
  for (struct File *file = files; file < files + maxFiles; ++file)
    if (file->inUse && *name && !strcmp(file->name, name))
      return file;
  return NULL;
}

static struct File *create(const char *path) {
  const char *name = plainName(path);
  size_t length = strlen(name);
  if (!length || length >= maxName)
    return NULL;
  for (struct File *file = files; file < files + maxFiles; ++file)
    if (!file->inUse) {
      *file = (struct File){.inUse = 1};
      memcpy(file->name, name, length + 1);
      return file;
    }
  return NULL;
}

static struct Open *lookup(int fd) {
  int index = fd - firstFd;
  return index >= 0 && index < maxOpen && opened[index].file ? &opened[index]
                                                             : NULL;
}

static void freeIfUnused(struct File *file) {
  if (file->opens || file->name[0])
    return;
  if (file->capacity)
    memoryUnmap((uintptr_t)file->data, file->capacity);
  file->inUse = 0;
}

// Makes room for \p bytes in memory of its own.
static long reserve(struct File *file, size_t bytes) {
  if (bytes <= file->capacity)
    return 0;
  size_t capacity = file->capacity ? 2 * file->capacity : pageBytes;
  while (capacity < bytes)
    capacity *= 2;
  long at = memoryMap(capacity);
  if (at < 0)
    return -eNOSPC;
  memcpy((void *)at, file->data, file->bytes);
  if (file->capacity)
    memoryUnmap((uintptr_t)file->data, file->capacity);
  file->data = (char *)at;
  file->capacity = capacity;
  return 0;
}

static long resize(struct File *file, size_t bytes) {
  long error = reserve(file, bytes > file->bytes ? bytes : file->bytes);
  if (error)
    return error;
  if (bytes > file->bytes)
    memset(file->data + file->bytes, 0, bytes - file->bytes);
  file->bytes = bytes;
  return 0;
}

int fileIsOpen(int fd) { return (fd >= 0 && fd < firstFd) || lookup(fd); }

long fileOpen(const char *path, int flags) {
  struct File *file = find(path);
  if (file && (flags & openCreate) && (flags & openExclusive))
    return -eEXIST;
  if (!file && !(flags & openCreate))
    return -eNOENT;
  if (!file && !(file = create(path)))
    return -eNOSPC;
  if (flags & openTruncate)
    resize(file, 0);
  for (int index = 0; index < maxOpen; ++index)
    if (!opened[index].file) {
      opened[index] = (struct Open){file, 0, flags};
      ++file->opens;
      return index + firstFd;
    }
  return -eNFILE;
}

long fileClose(int fd) {
  struct Open *open = lookup(fd);
  if (!open)
    return fileIsOpen(fd) ? 0 : -eBADF;
  struct File *file = open->file;
  open->file = NULL;
  --file->opens;
  freeIfUnused(file);
  return 0;
}

long fileReadAt(int fd, void *to, size_t bytes, int64_t offset) {
  struct Open *open = lookup(fd);
  if (!open)
    return fileIsOpen(fd) ? -eSPIPE : -eBADF;
  if (offset < 0)
    return -eINVAL;
  if ((uint64_t)offset >= open->file->bytes)
    return 0;
  size_t left = open->file->bytes - (size_t)offset;
  if (bytes > left)
    bytes = left;
  memcpy(to, open->file->data + offset, bytes);
  return (long)bytes;
}

long fileWriteAt(int fd, const void *from, size_t bytes, int64_t offset) {
  struct Open *open = lookup(fd);
  if (!open)
    return fileIsOpen(fd) ? -eSPIPE : -eBADF;
  if (!(open->flags & openWrite))
    return -eBADF;
  if (offset < 0)
    return -eINVAL;
  struct File *file = open->file;
  size_t end = (size_t)offset + bytes;
  long error = resize(file, end > file->bytes ? end : file->bytes);
  if (error)
    return error;
  memcpy(file->data + offset, from, bytes);
  return (long)bytes;
}

long fileRead(int fd, void *to, size_t bytes) {
  if (fd == 0)
    return (long)consoleRead(to, bytes);
  struct Open *open = lookup(fd);
  if (!open)
    return -eBADF;
  long got = fileReadAt(fd, to, bytes, open->offset);
  if (got > 0)
    open->offset += got;
  return got;
}

long fileWrite(int fd, const void *from, size_t bytes) {
  if (fd == 1 || fd == 2) {
    consoleWrite(from, bytes);
    return (long)bytes;
  }
  struct Open *open = lookup(fd);
  if (!open)
    return -eBADF;
  if (open->flags & openAppend)
    open->offset = (int64_t)open->file->bytes;
  long put = fileWriteAt(fd, from, bytes, open->offset);
  if (put > 0)
    open->offset += put;
  return put;
}

long fileSeek(int fd, int64_t offset, int whence) {
  struct Open *open = lookup(fd);
  if (!open)
    return fileIsOpen(fd) ? -eSPIPE : -eBADF;
  int64_t base = whence == 0   ? 0
                 : whence == 1 ? open->offset
                               : (int64_t)open->file->bytes;
  if (whence < 0 || whence > 2 || base + offset < 0)
    return -eINVAL;
  return open->offset = base + offset;
}

long fileTruncate(int fd, int64_t bytes) {
  struct Open *open = lookup(fd);
  return !open       ? -eBADF
         : bytes < 0 ? -eINVAL
                     : resize(open->file, (size_t)bytes);
}

long fileUnlink(const char *path) {
  struct File *file = find(path);
  if (!file)
    return -eNOENT;
  file->name[0] = 0;
  freeIfUnused(file);
  return 0;
}

long fileRename(const char *from, const char *to) {
  struct File *file = find(from);
  const char *name = plainName(to);
  if (!file)
    return -eNOENT;
  if (!*name || strlen(name) >= maxName)
    return -eINVAL;
  if (find(to) == file)
    return 0;
  if (find(to))
    fileUnlink(to);
  memcpy(file->name, name, strlen(name) + 1);
  return 0;
}

long fileAccess(const char *path) {
  return find(path) || !*plainName(path) || !strcmp(path, ".") ? 0 : -eNOENT;
}

// Directories and the console have no struct File.
static long describe(const struct File *file, uint32_t mode, void *to) {
  struct Stat stat = {.device = 1,
                      .inode = 1,
                      .links = 1,
                      .mode = mode,
                      .blockBytes = pageBytes};
  if (file) {
    stat.inode = (uint64_t)(file - files) + 2;
    stat.links = file->name[0] != 0;
    stat.bytes = (int64_t)file->bytes;
    stat.blocks = (int64_t)(file->bytes + 511) / 512;
  }
  memcpy(to, &stat, sizeof stat);
  return 0;
}

enum { regularFile = 0100644, directory = 0040755, characterDevice = 0020620 };

long fileStat(int fd, void *to) {
  struct Open *open = lookup(fd);
  if (open)
    return describe(open->file, regularFile, to);
  return fileIsOpen(fd) ? describe(NULL, characterDevice, to) : -eBADF;
}

long fileStatPath(const char *path, void *to) {
  const struct File *file = find(path);
  if (file)
    return describe(file, regularFile, to);
  return fileAccess(path) ? -eNOENT : describe(NULL, directory, to);
}
