//===- Sqlite.h - prepared statements in a value type ---------------------===//
//
// A thin skin over SQLite's C interface for Atlas.cpp: a statement that
// finalizes itself, typed columns, and nothing that decides policy. SQLite has
// signed 64-bit integers only; addresses above 2^63 pass through as their two's
// complement.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_PLUGIN_SQLITE_H
#define SPACER_PLUGIN_SQLITE_H

#include "Hash.h"
#include <sqlite3.h>
#include <utility>

namespace spacer {

class Statement {
public:
  Statement() = default;
  Statement(Statement &&o) noexcept : stmt(std::exchange(o.stmt, nullptr)) {}
  Statement &operator=(Statement &&o) noexcept {
    std::swap(stmt, o.stmt);
    return *this;
  }
  ~Statement() { sqlite3_finalize(stmt); }

  explicit operator bool() const { return stmt; }
  /// Returns SQLite's result code; the statement is kept until destroyed.
  int prepare(sqlite3 *db, llvm::StringRef sql) {
    sqlite3_finalize(std::exchange(stmt, nullptr));
    return sqlite3_prepare_v3(db, sql.data(), int(sql.size()),
                              SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  }
  int step() { return sqlite3_step(stmt); }
  void reset() { sqlite3_reset(stmt); }
  /// Steps a statement that gives no rows and makes it ready for the next use.
  int run() {
    int rc = step();
    reset();
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
  }

  // Parameters count from 1, columns from 0. Bound bytes are not copied: they
  // must live until the statement is stepped or bound anew.
  void bind(int i, uint64_t v) { sqlite3_bind_int64(stmt, i, int64_t(v)); }
  void bind(int i, const Hash128 &h) { bind(i, llvm::ArrayRef(h.bytes)); }
  void bind(int i, llvm::StringRef s) {
    sqlite3_bind_text(stmt, i, s.data() ? s.data() : "", int(s.size()),
                      SQLITE_STATIC);
  }
  void bind(int i, llvm::ArrayRef<uint8_t> d) {
    const void *data = d.data();
    sqlite3_bind_blob(stmt, i, data ? data : "", int(d.size()), SQLITE_STATIC);
  }
  template <class... Ts> void bindAll(const Ts &...vs) {
    int i = 0;
    (bind(++i, vs), ...);
  }

  uint64_t u64(int i) const { return uint64_t(sqlite3_column_int64(stmt, i)); }
  uint32_t u32(int i) const { return uint32_t(u64(i)); }
  llvm::StringRef text(int i) const {
    auto *p = reinterpret_cast<const char *>(sqlite3_column_text(stmt, i));
    return {p ? p : "", size_t(sqlite3_column_bytes(stmt, i))};
  }
  llvm::ArrayRef<uint8_t> blob(int i) const {
    auto *p = static_cast<const uint8_t *>(sqlite3_column_blob(stmt, i));
    return {p, size_t(sqlite3_column_bytes(stmt, i))};
  }
  /// Zero if the column is not 16 bytes long.
  Hash128 hash(int i) const {
    Hash128 h;
    if (auto d = blob(i); d.size() == h.bytes.size())
      memcpy(h.bytes.data(), d.data(), d.size());
    return h;
  }

private:
  sqlite3_stmt *stmt = nullptr;
};

} // namespace spacer

#endif
