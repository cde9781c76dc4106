//===- Sqlite.cpp - SQLite with Result ------------------------------------===//

#include "Sqlite.h"
#include <algorithm>
#include <sqlite3.h>

namespace spacer {

Statement::~Statement() { sqlite3_finalize(stmt); }

Result<bool> Statement::next() {
  int rc = sqlite3_step(stmt);
  if (rc == SQLITE_ROW || rc == SQLITE_DONE)
    return rc == SQLITE_ROW;
  Error e = owner->problem(rc);
  sqlite3_reset(stmt);
  return e;
}

Result<void> Statement::run() {
  Result<bool> row = next();
  if (!row)
    return row.takeError();
  sqlite3_reset(stmt);
  return {};
}

void Statement::bind(int i, uint64_t v) {
  sqlite3_bind_int64(stmt, i, int64_t(v));
}
void Statement::bind(int i, std::string_view text) {
  sqlite3_bind_text64(stmt, i, text.data() ? text.data() : "", text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}
void Statement::bind(int i, std::span<const uint8_t> bytes) {
  sqlite3_bind_blob64(stmt, i, bytes.data() ? bytes.data() : (const void *)"",
                      bytes.size(), SQLITE_STATIC);
}

uint64_t Statement::u64(int i) const {
  return uint64_t(sqlite3_column_int64(stmt, i));
}
std::string Statement::text(int i) const {
  auto *p = reinterpret_cast<const char *>(sqlite3_column_text(stmt, i));
  return p ? std::string(p, size_t(sqlite3_column_bytes(stmt, i))) : "";
}
std::span<const uint8_t> Statement::blob(int i) const {
  auto *p = static_cast<const uint8_t *>(sqlite3_column_blob(stmt, i));
  return {p, p ? size_t(sqlite3_column_bytes(stmt, i)) : 0};
}

Database::~Database() { sqlite3_close(db); }

Result<void> Database::open(const std::string &file, Mode mode) {
  path = file;
  constexpr int common = SQLITE_OPEN_NOMUTEX;
  int rc = sqlite3_open_v2(file.c_str(), &db,
                           common | SQLITE_OPEN_READWRITE |
                               (mode == Mode::Write ? SQLITE_OPEN_CREATE : 0),
                           nullptr);
  if (rc != SQLITE_OK && mode == Mode::Read) {
    sqlite3_close(std::exchange(db, nullptr));
    rc = sqlite3_open_v2(file.c_str(), &db, common | SQLITE_OPEN_READONLY,
                         nullptr);
  }
  if (rc != SQLITE_OK)
    return problem(rc);
  sqlite3_busy_timeout(db, 10'000);
  return {};
}

Result<void> Database::exec(const char *sql) {
  int rc = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK)
    return problem(rc);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt *stmt = nullptr;
  int rc = sqlite3_prepare_v2(db, sql.data(), int(sql.size()), &stmt, nullptr);
  if (rc != SQLITE_OK)
    return problem(rc);
  return Statement(stmt, this);
}

Result<uint64_t> Database::number(std::string_view sql) {
  Result<Statement> s = prepare(sql);
  if (!s)
    return s.takeError();
  Result<bool> row = s->next();
  if (!row)
    return row.takeError();
  if (!*row)
    return Error{ENODATA, path + ": a row is missing"};
  return s->u64(0);
}

Error Database::problem(int code) const {
  int system = db ? sqlite3_system_errno(db) : 0;
  int err = EIO;
  switch (code & 0xff) {
  case SQLITE_FULL:
    err = ENOSPC;
    break;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    err = EBUSY;
    break;
  case SQLITE_READONLY:
    err = EROFS;
    break;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_ERROR: // such as a table that is not there
  case SQLITE_SCHEMA:
    err = EBADMSG;
    break;
  case SQLITE_NOMEM:
    err = ENOMEM;
    break;
  case SQLITE_PERM:
    err = EACCES;
    break;
  case SQLITE_CONSTRAINT:
    err = EEXIST;
    break;
  default: // SQLITE_IOERR, SQLITE_CANTOPEN
    if (system)
      err = system;
  }
  std::string what = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  if (system && err == system)
    what += std::string(": ") + std::strerror(system);
  // SQLite quotes the schema where it is damaged.
  std::replace(what.begin(), what.end(), '\n', ' ');
  return {err, path + ": " + what};
}

} // namespace spacer
