#!/usr/bin/env bash
# `cmake --install` gives a tree that works where it is put: clang and gcc find ld.spacer by
# -B DIR/lib/spacer -fuse-ld=lld, and the program shares a library and runs.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${SPACER_BUILD:-$root/build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cmake --install "$build" --prefix "$dir/first" >"$dir/log" || { cat "$dir/log"; exit 1; }
mv "$dir/first" "$dir/tree" # nothing in it may know where it was

passed=0 failed=0
claim() { # TEXT COMMAND...
  local text=$1
  shift
  if "$@" >"$dir/log" 2>&1; then
    echo "pass $text"
    passed=$((passed + 1))
  else
    echo "FAIL $text"
    sed 's/^/     /' "$dir/log" | tail -n 8
    failed=$((failed + 1))
  fi
}

cd "$dir"
cat >greet.c <<'C'
int greet(int x) { return x * 3 + 4; }
C
cat >main.c <<'C'
#include <stdio.h>
int greet(int);
int main(void) { return printf("%d\n", greet(2)) != 3; }
C
program() { # COMPILER
  "$1" -O1 -c greet.c -o greet.o && rm -f libgreet.a && llvm-ar-19 rcs libgreet.a greet.o &&
    "$1" -static -O1 -B "$dir/tree/lib/spacer" -fuse-ld=lld -Wl,--spacer-atlas="$1.atlas" main.c -L. -lgreet \
      -o "program-$1" && [ "$("./program-$1")" = 10 ]
}
# The window of a new atlas begins at 0x1000000; static programs lie below.
placed() { [ $((16#$(llvm-nm-19 "program-$1" | awk '$3 == "greet" { print $1 }'))) -ge $((0x1000000)) ]; }
stock() { "$dir/tree/bin/ld.spacer" --version | grep -q '^Debian LLD 19'; }

claim "the manual page is there" test -s "$dir/tree/share/man/man1/ld.spacer.1"
claim "without flags it names itself as stock lld does" stock
for compiler in clang-19 gcc-12; do
  claim "$compiler links a static program with it, which runs" program $compiler
  claim "its library function stands in the window" placed $compiler
done
if [ -x "$build/bin/spacer" ]; then claim "spacer runs" "$dir/tree/bin/spacer" --version; fi
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
