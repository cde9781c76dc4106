//===- AtlasFile.h - the atlas as an SQLite file --------------------------===//
//
// What is below the look-ups of Atlas.h: the schema, the one transaction, and
// the checks that come before any row is trusted.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_ATLASFILE_H
#define SPACER_PLUGIN_ATLASFILE_H

#include "Atlas.h"
#include "Sqlite.h"

namespace spacer {

/// BASE:SIZE, as --spacer-window takes it.
std::string describeWindow(const Window &w);

/// The few things that every link reads whole.
struct AtlasHead {
  uint32_t machine = 0;
  Window window;
  Hash128 id;
  RegionState regions[regionCount];
  std::vector<std::string> libraries; ///< at least "", which has the id 0
};

class AtlasFile {
public:
  /// Opens \p path and takes the transaction: for writing in Grow mode, where
  /// the file is created if absent.
  static llvm::Expected<std::unique_ptr<AtlasFile>> open(llvm::StringRef path,
                                                         AtlasMode mode);
  ~AtlasFile();
  AtlasFile(const AtlasFile &) = delete;
  AtlasFile &operator=(const AtlasFile &) = delete;

  /// No schema yet: there are no rows to look for.
  bool isNew() const { return fresh; }
  /// The file has, or will have, a table of packs (AtlasPack.h).
  bool hasPacks() const { return packs; }
  /// What the file says, checked against what the caller asked for; of a new
  /// file, what createSchema() will record.
  llvm::Expected<AtlasHead> readHead(std::optional<Window> window,
                                     uint32_t machine);
  /// Makes the tables of a new file and fills in the head, but for regions and
  /// libraries. Returns SQLite's result code, as the writer's loop wants it.
  int createSchema(const AtlasHead &head);

  llvm::Error prepare(Statement &s, llvm::StringRef sql);
  /// Calls \p fn with the statement for each row of \p sql.
  template <class Fn> llvm::Error each(llvm::StringRef sql, Fn fn);
  sqlite3 *connection() { return db; }

  bool inTransaction() const { return locked; }
  llvm::Error commit();
  /// Gives up the transaction. A file that this link created loses its name
  /// while the lock is still held.
  void abandon();
  /// The error for SQLite's \p rc, in words for the user.
  llvm::Error fail(int rc, const char *doing);

private:
  AtlasFile(llvm::StringRef path, AtlasMode mode)
      : path(path.str()), mode(mode) {}
  llvm::Error connect();
  llvm::Error checkAccess();
  int beginWriting();
  llvm::Error begin();
  llvm::Error rollBackForKilled();
  llvm::Error checkHeader();
  llvm::Error readMeta(AtlasHead &head);
  llvm::Error readRegions(AtlasHead &head);
  llvm::Error systemError(const char *what);
  bool lostName();
  std::string directory() const;
  int exec(const char *sql) {
    return sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  }

  std::string path;
  AtlasMode mode;
  sqlite3 *db = nullptr;
  bool created = false; ///< open() made the file
  bool fresh = false;
  bool packs = false;
  bool locked = false; ///< holding the transaction that open() took
};

template <class Fn> llvm::Error AtlasFile::each(llvm::StringRef sql, Fn fn) {
  if (fresh)
    return llvm::Error::success();
  Statement s;
  if (llvm::Error e = prepare(s, sql))
    return e;
  int rc;
  while ((rc = s.step()) == SQLITE_ROW)
    fn(s);
  return rc == SQLITE_DONE ? llvm::Error::success() : fail(rc, "cannot read");
}

} // namespace spacer

#endif
