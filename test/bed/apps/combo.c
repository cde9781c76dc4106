// Four libraries in one image: expat reads a price list, SQLite stores it, Lua
// queries it through two functions and writes a report, zlib packs the report
// and unpacks it again.
#include "bed.h"

#include <expat.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const char script[] =
    "local total, lines = 0, {}\n"
    "query('SELECT kind, count(*), sum(price), max(name) FROM part GROUP BY "
    "kind ORDER BY kind',\n"
    "  function(kind, count, sum, last)\n"
    "    total = total + tonumber(sum)\n"
    "    lines[#lines + 1] = ('%-8s %3d %10.2f %s'):format(kind, count, sum, "
    "last:upper())\n"
    "  end)\n"
    "lines[#lines + 1] = ('total %.2f'):format(total)\n"
    "local ok, why = pcall(query, 'SELECT * FROM nothing', print)\n"
    "lines[#lines + 1] = tostring(why):gsub('^.-:%d+: ', '')\n"
    "lines[#lines + 1] = ('filler %d '):rep(50, "
    "','):format(table.unpack((function()\n"
    "  local t = {} for i = 1, 50 do t[i] = i * i % 17 end return t end)()))\n"
    "return table.concat(lines, '\\n')\n";

struct Load {
  sqlite3_stmt *insert;
  int rows;
};

static void XMLCALL onPart(void *data, const char *name,
                           const char **attributes) {
  struct Load *load = data;
  if (strcmp(name, "part"))
    return;
  for (int i = 0; attributes[2 * i] && i < 3; ++i)
    sqlite3_bind_text(load->insert, i + 1, attributes[2 * i + 1], -1,
                      SQLITE_TRANSIENT);
  load->rows += sqlite3_step(load->insert) == SQLITE_DONE;
  sqlite3_reset(load->insert);
}

static int load(sqlite3 *db, int parts) {
  static const char *const kinds[] = {"bolt", "nut", "washer",
                                      "gear &amp; pin"};
  struct Load load = {0};
  if (sqlite3_exec(
          db, "CREATE TABLE part(name TEXT, kind TEXT, price NUMERIC); BEGIN",
          NULL, NULL, NULL) ||
      sqlite3_prepare_v2(db, "INSERT INTO part VALUES(?, ?, ?)", -1,
                         &load.insert, NULL))
    return -1;
  XML_Parser parser = XML_ParserCreate("UTF-8");
  XML_SetUserData(parser, &load);
  XML_SetStartElementHandler(parser, onPart);
  char line[128];
  int bytes = snprintf(line, sizeof line, "<parts>");
  XML_Parse(parser, line, bytes, 0);
  for (int i = 0; i < parts; ++i) {
    bytes = snprintf(line, sizeof line,
                     "<part name='part %d' kind='%s' price='%d.%02d'/>\n", i,
                     kinds[i % 4], i * 37 % 100, i * 11 % 100);
    XML_Parse(parser, line, bytes, 0);
  }
  if (XML_Parse(parser, "</parts>", 8, 1) != XML_STATUS_OK)
    printf("expat: %s\n", XML_ErrorString(XML_GetErrorCode(parser)));
  XML_ParserFree(parser);
  sqlite3_finalize(load.insert);
  sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
  return load.rows;
}

// query(sql, function): calls the function with the columns of each row.
static int query(lua_State *state) {
  sqlite3 *db = lua_touserdata(state, lua_upvalueindex(1));
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(db, luaL_checkstring(state, 1), -1, &statement, NULL))
    return luaL_error(state, "%s", sqlite3_errmsg(db));
  while (sqlite3_step(statement) == SQLITE_ROW) {
    int columns = sqlite3_column_count(statement);
    lua_pushvalue(state, 2);
    for (int i = 0; i < columns; ++i)
      lua_pushstring(state, (const char *)sqlite3_column_text(statement, i));
    lua_call(state, columns, 0);
  }
  sqlite3_finalize(statement);
  return 0;
}

// Packs and unpacks; returns the packed size, or 0 when the text came back
// different.
static unsigned long pack(const char *text, size_t bytes) {
  uLongf packedBytes = compressBound(bytes), back = bytes;
  Bytef *packed = malloc(packedBytes), *again = malloc(bytes);
  int same =
      packed && again &&
      compress2(packed, &packedBytes, (const Bytef *)text, bytes, 9) == Z_OK &&
      uncompress(again, &back, packed, packedBytes) == Z_OK && back == bytes &&
      !memcmp(again, text, bytes) &&
      crc32(0, again, (uInt)bytes) ==
          crc32(0, (const Bytef *)text, (uInt)bytes);
  free(packed);
  free(again);
  return same ? packedBytes : 0;
}

static int run(unsigned long *crc, int quiet) {
  sqlite3 *db;
  if (sqlite3_open(":memory:", &db))
    return 1;
  int rows = load(db, 400);
  lua_State *state = luaL_newstate();
  luaL_openlibs(state);
  lua_pushlightuserdata(state, db);
  lua_pushcclosure(state, query, 1);
  lua_setglobal(state, "query");
  int failed = luaL_dostring(state, script);
  size_t bytes;
  const char *report = lua_tolstring(state, -1, &bytes);
  unsigned long packed = report ? pack(report, bytes) : 0;
  *crc = report ? crc32(0, (const Bytef *)report, (uInt)bytes) : 0;
  if (!quiet)
    printf("%d rows\n%s\n%zu bytes packed to %lu, crc %08lx\n", rows,
           report ? report : "no report", bytes, packed, *crc);
  lua_close(state);
  sqlite3_close(db);
  return failed || !packed;
}

int main(int argc, char **argv) {
  int repeats = bedRepeats(argc, argv);
  unsigned long first, crc;
  if (run(&first, 0))
    return puts("failed"), 1;
  for (int i = 1; i < repeats; ++i)
    if (run(&crc, 1) || crc != first)
      return puts("another result"), 1;
  printf("expat %s, sqlite %s, %s, zlib %s\n", XML_ExpatVersion(),
         sqlite3_libversion(), LUA_RELEASE, zlibVersion());
  return 0;
}
