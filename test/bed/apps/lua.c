// Lua: runs the script in lua-script.h, which exercises the interpreter and its
// libraries.
//
// With a repeat count the script runs again in a fresh state each time; the
// print function then only feeds a hash, which has to come out the same.
#include "bed.h"
#include "lua-script.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

static int quiet;
static unsigned hash;

static int print(lua_State *state) {
  int count = lua_gettop(state);
  for (int i = 1; i <= count; ++i) {
    size_t bytes;
    const char *text = luaL_tolstring(state, i, &bytes);
    hash = bedHash(hash, text, bytes);
    if (!quiet)
      printf("%s%s", text, i < count ? "\t" : "\n");
    lua_pop(state, 1);
  }
  return 0;
}

static int run(void) {
  lua_State *state = luaL_newstate();
  if (!state)
    return 1;
  luaL_openlibs(state);
  lua_register(state, "print", print);
  hash = BED_HASH_START;
  int failed = luaL_dostring(state, luaScript);
  if (failed)
    printf("script failed: %s\n", lua_tostring(state, -1));
  lua_close(state);
  return failed;
}

int main(int argc, char **argv) {
  int repeats = bedRepeats(argc, argv);
  if (run())
    return 1;
  unsigned expected = hash;
  quiet = 1;
  for (int i = 1; i < repeats; ++i)
    if (run() || hash != expected)
      return puts("another result"), 1;
  printf("hash %08x\n", expected);
  return 0;
}
