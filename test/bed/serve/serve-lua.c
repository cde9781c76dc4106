// Runs Lua: each line from the console is a chunk, or an expression whose value
// is printed. The state is prepared with some tables and stays from line to
// line.
#include "serve.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static const char prelude[] =
    "words = {}\n"
    "for i = 1, 20000 do words[i] = 'word ' .. (i * 7919 % 20011) end\n"
    "index = {}\n"
    "for i, w in ipairs(words) do index[w] = i end\n"
    "function fib(n) if n < 2 then return n end\n"
    "  return fib(n - 1) + fib(n - 2) end\n";

static void answer(lua_State *state, const char *line) {
  char expression[1100];
  snprintf(expression, sizeof expression, "return %s", line);
  int failed = luaL_loadstring(state, expression);
  if (failed) {
    lua_settop(state, 0);
    failed = luaL_loadstring(state, line);
  }
  if (failed || lua_pcall(state, 0, LUA_MULTRET, 0))
    printf("error: %s\n", lua_tostring(state, -1));
  else
    for (int i = 1; i <= lua_gettop(state); ++i)
      puts(luaL_tolstring(state, i, NULL)), lua_pop(state, 1);
  lua_settop(state, 0);
}

int main(void) {
  lua_State *state = luaL_newstate();
  if (!state)
    return 1;
  luaL_openlibs(state);
  if (luaL_dostring(state, prelude))
    return puts(lua_tostring(state, -1)), 1;
  lua_settop(state, 0);
  char line[1024];
  while (serveLine(line, sizeof line))
    answer(state, line);
  lua_close(state);
  return 0;
}
