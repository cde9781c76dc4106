// Runs SQL: each line from the console goes to a database in memory, which is
// prepared with a table of orders.
#include "serve.h"

#include <sqlite3.h>

static int show(void *unused, int columns, char **values, char **names) {
  (void)unused, (void)names;
  for (int i = 0; i < columns; ++i)
    printf("%s%s", values[i] ? values[i] : "NULL",
           i + 1 < columns ? "|" : "\n");
  return 0;
}

static int run(sqlite3 *db, const char *sql) {
  char *message = NULL;
  int result = sqlite3_exec(db, sql, show, NULL, &message);
  if (result)
    printf("error %d: %s\n", result, message ? message : "-");
  sqlite3_free(message);
  return result;
}

int main(void) {
  sqlite3 *db;
  if (sqlite3_open(":memory:", &db) ||
      run(db, "CREATE TABLE sale(id INTEGER PRIMARY KEY, day INTEGER, amount "
              "INTEGER, note TEXT);"
              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
              "WHERE i < 10000) INSERT INTO sale SELECT i, i % 365, i * 7919 % "
              "1009, printf('sale number %d', i) FROM n;"
              "CREATE INDEX byDay ON sale(day);"))
    return 1;
  char line[1024];
  while (serveLine(line, sizeof line))
    run(db, line);
  sqlite3_close(db);
  return 0;
}
