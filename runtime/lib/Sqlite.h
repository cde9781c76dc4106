//===- Sqlite.h - SQLite with Result --------------------------------------===//
//
// A connection, a statement that finalizes itself, a transaction that rolls
// back unless it was committed. Errors are one line with the file's name.
// SQLite has signed 64-bit integers only. Not thread-safe: whoever shares a
// Database locks around it.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_SQLITE_H
#define SPACER_RUNTIME_SQLITE_H

#include "Result.h"
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace spacer {

class Database;

class Statement {
public:
  Statement(Statement &&o) noexcept
      : stmt(std::exchange(o.stmt, nullptr)), owner(o.owner) {}
  Statement &operator=(Statement &&) = delete;
  ~Statement();

  /// True if there is a row. EBUSY, ENOSPC, EBADMSG, ... as Database::problem.
  Result<bool> next();
  /// Steps a statement that gives no rows and makes it ready for the next use.
  Result<void> run();

  // Parameters count from 1. Bound bytes are not copied: they must live until
  // the statement is stepped or bound anew.
  void bind(int i, uint64_t v);
  void bind(int i, std::string_view text);
  void bind(int i, std::span<const uint8_t> bytes);
  template <class... Ts> Statement &bindAll(const Ts &...vs) {
    int i = 0;
    (bind(++i, vs), ...);
    return *this;
  }

  // Columns count from 0; valid until the next step.
  uint64_t u64(int i) const;
  std::string text(int i) const;
  std::span<const uint8_t> blob(int i) const;

private:
  friend class Database;
  Statement(sqlite3_stmt *stmt, const Database *owner)
      : stmt(stmt), owner(owner) {}
  sqlite3_stmt *stmt;
  const Database *owner;
};

class Database {
public:
  Database() = default;
  Database(const Database &) = delete;
  ~Database();

  enum class Mode {
    Read,  ///< writable where the system allows, so that a journal that a
           ///< killed writer left can be rolled back
    Write, ///< created if absent
  };
  /// Waits up to ten seconds for other processes' locks, then and later.
  Result<void> open(const std::string &path, Mode mode);

  Result<void> exec(const char *sql);
  Result<Statement> prepare(std::string_view sql);
  /// prepare, bind, run.
  template <class... Ts>
  Result<void> run(std::string_view sql, const Ts &...vs) {
    Result<Statement> s = prepare(sql);
    if (!s)
      return s.takeError();
    return s->bindAll(vs...).run();
  }
  /// The single integer that \p sql gives; ENODATA if there is no row.
  Result<uint64_t> number(std::string_view sql);

  /// What SQLite said last, as one line: ENOSPC full, EBUSY locked, EROFS
  /// read-only, EBADMSG damaged, else the system's errno or EIO.
  Error problem(int code) const;

private:
  sqlite3 *db = nullptr;
  std::string path;
};

class Transaction {
public:
  explicit Transaction(Database &db) : db(db) {}
  ~Transaction() {
    if (open)
      (void)db.exec("ROLLBACK");
  }
  /// Takes the write lock at once.
  Result<void> begin() {
    Result<void> done = db.exec("BEGIN IMMEDIATE");
    open = bool(done);
    return done;
  }
  Result<void> commit() {
    Result<void> done = db.exec("COMMIT");
    open = !done;
    return done;
  }

private:
  Database &db;
  bool open = false;
};

} // namespace spacer

#endif
