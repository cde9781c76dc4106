// SQLite: a small order database, in memory and in a file.
//
// Tables, indexes, transactions with rollback, joins, aggregates, window
// functions, a recursive query, full-text search, an R-tree, a trigger,
// constraint errors, a user-defined function and blobs.  The file version runs
// once, reopens the file and checks it.
#include "bed.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int quiet;
static unsigned hash;

static int show(void *unused, int columns, char **values, char **names) {
  (void)unused, (void)names;
  for (int i = 0; i < columns; ++i) {
    const char *value = values[i] ? values[i] : "NULL";
    hash = bedHash(hash, value, strlen(value) + 1);
    if (!quiet)
      printf("%s%s", value, i + 1 < columns ? "|" : "\n");
  }
  return 0;
}

static int query(sqlite3 *db, const char *sql) {
  char *message = NULL;
  int result = sqlite3_exec(db, sql, show, NULL, &message);
  if (message && !quiet)
    printf("error %d: %s\n", result, message);
  sqlite3_free(message);
  return result;
}

static void reverse(sqlite3_context *context, int count,
                    sqlite3_value **values) {
  (void)count;
  const char *text = (const char *)sqlite3_value_text(values[0]);
  int bytes = sqlite3_value_bytes(values[0]);
  char *turned = sqlite3_malloc(bytes + 1);
  if (!text || !turned)
    return sqlite3_result_null(context);
  for (int i = 0; i < bytes; ++i)
    turned[i] = text[bytes - 1 - i];
  sqlite3_result_text(context, turned, bytes, sqlite3_free);
}

static int fill(sqlite3 *db, int rows) {
  static const char *const cities[] = {"Aachen", "Berlin", "Celle", "Dresden",
                                       "Erfurt"};
  if (query(
          db,
          "CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, "
          "city TEXT);"
          "CREATE TABLE sale(id INTEGER PRIMARY KEY, customer REFERENCES "
          "customer(id),"
          " day INTEGER CHECK(day >= 0), amount REAL, note TEXT);"
          "CREATE INDEX saleByDay ON sale(day, amount);"
          "CREATE TABLE log(text);"
          "CREATE TRIGGER big AFTER INSERT ON sale WHEN new.amount > 995 BEGIN"
          " INSERT INTO log VALUES(printf('big sale %d: %.2f', new.id, "
          "new.amount)); END;"
          "BEGIN"))
    return 1;
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(db, "INSERT INTO customer(name, city) VALUES(?1, ?2)",
                         -1, &statement, NULL))
    return 1;
  for (int i = 0; i < rows / 10; ++i) {
    char name[32];
    snprintf(name, sizeof name, "customer %d", i);
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, cities[i % 5], -1, SQLITE_STATIC);
    sqlite3_step(statement);
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  if (sqlite3_prepare_v2(
          db, "INSERT INTO sale(customer, day, amount, note) VALUES(?,?,?,?)",
          -1, &statement, NULL))
    return 1;
  unsigned random = 1;
  for (int i = 0; i < rows; ++i) {
    random = random * 1103515245 + 12345;
    sqlite3_bind_int(statement, 1, 1 + (int)(random >> 8) % (rows / 10));
    sqlite3_bind_int(statement, 2, (int)(random >> 20) % 30);
    sqlite3_bind_double(statement, 3, (random >> 12) % 100000 / 100.0);
    sqlite3_bind_text(statement, 4, i % 7 ? "regular" : "discount", -1,
                      SQLITE_STATIC);
    sqlite3_step(statement);
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  return query(db, "COMMIT");
}

static int work(const char *path, int rows) {
  sqlite3 *db;
  if (sqlite3_open(path, &db)) {
    printf("open: %s\n", sqlite3_errmsg(db));
    return 1;
  }
  sqlite3_create_function(db, "reverse", 1, SQLITE_UTF8, NULL, reverse, NULL,
                          NULL);
  int failed = fill(db, rows);
  static const char *const queries[] = {
      "SELECT count(*), round(sum(amount), 2), min(day), max(day) FROM sale",
      "SELECT city, count(*), round(avg(amount), 3) FROM sale JOIN customer ON "
      "customer = customer.id"
      " GROUP BY city HAVING count(*) > 3 ORDER BY 3 DESC",
      "SELECT text FROM log ORDER BY text LIMIT 3",
      "SELECT day, round(total, 2), rank() OVER (ORDER BY total DESC) FROM"
      " (SELECT day, sum(amount) AS total FROM sale GROUP BY day) ORDER BY day "
      "LIMIT 4",
      "WITH RECURSIVE f(n, a, b) AS (VALUES(1, 0, 1) UNION ALL SELECT n + 1, "
      "b, a + b FROM f WHERE"
      " n < 60) SELECT n, a FROM f WHERE n % 20 = 0",
      "BEGIN; UPDATE sale SET amount = amount * 2 WHERE note = 'discount'; "
      "SELECT round(sum(amount), 2)"
      " FROM sale; ROLLBACK; SELECT round(sum(amount), 2) FROM sale",
      "EXPLAIN QUERY PLAN SELECT * FROM sale WHERE day = 3 AND amount > 500",
      "SELECT reverse(name), upper(city), substr(name, -2), typeof(id), "
      "quote(x'00ff') FROM customer"
      " WHERE name LIKE '%er 1_' ORDER BY length(name), name LIMIT 3",
      "SELECT note, group_concat(day) FROM (SELECT DISTINCT note, day FROM "
      "sale WHERE day < 4 ORDER BY"
      " note, day) GROUP BY note",
      "SELECT json_extract('{\"a\":[1,2,{\"b\":3.5}]}', '$.a[2].b'), "
      "json_group_array(value) FROM"
      " json_each('[3,1,2]')",
      "INSERT INTO sale(day) VALUES(-1)",
      "SELECT * FROM nowhere",
      "SELECT 1 +",
      "CREATE VIRTUAL TABLE doc USING fts5(body); INSERT INTO doc "
      "VALUES('pages shared by images'),"
      "('doors lead to versions'),('an image of pages'); SELECT rowid, "
      "highlight(doc, 0, '[', ']')"
      " FROM doc WHERE doc MATCH 'pages' ORDER BY rowid",
      "CREATE VIRTUAL TABLE box USING rtree(id, x0, x1, y0, y1); INSERT INTO "
      "box VALUES(1, 0, 2, 0, 2),"
      "(2, 5, 6, 5, 6), (3, 1, 3, 1, 3); SELECT id FROM box WHERE x1 >= 1.5 "
      "AND y0 <= 1.5 ORDER BY id",
      "SELECT date('2023-11-05', '+1 month', 'weekday 0'), strftime('%j', "
      "'2024-12-31'),"
      " printf('%.4f', sqrt(2) + cos(0))",
      "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c WHERE x "
      "< 4000) SELECT"
      " sum(x * x % 7) FROM c",
      ("DELETE FROM sale WHERE day % 2; VACUUM; SELECT changes() >= 0, "
       "count(*) "
       "FROM sale"),
      "PRAGMA integrity_check",
  };
  for (size_t i = 0; i < sizeof queries / sizeof *queries; ++i)
    query(db, queries[i]);
  return sqlite3_close(db) || failed;
}

// The same in a file, whose content is then read by a new connection.
static int inFile(void) {
  static const char path[] = "bed.db";
  unlink(path);
  int failed = work(path, 200);
  sqlite3 *db;
  quiet = 0;
  if (sqlite3_open(path, &db) == SQLITE_OK)
    query(db, "SELECT 'reopened', count(*), round(total(amount), 2) FROM sale; "
              "PRAGMA page_count");
  failed |= sqlite3_close(db);
  unlink(path);
  return failed;
}

int main(int argc, char **argv) {
  int repeats = bedRepeats(argc, argv);
  unsigned first = 0;
  for (int i = 0; i < repeats; ++i) {
    hash = BED_HASH_START;
    quiet = i > 0;
    if (work(":memory:", 1000))
      return puts("failed"), 1;
    if (i && hash != first)
      return puts("another result"), 1;
    first = hash;
  }
  quiet = 1;
  if (inFile())
    return puts("failed in a file"), 1;
  printf("hash %08x, sqlite %s\n", first, sqlite3_libversion());
  return 0;
}
