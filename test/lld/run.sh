#!/usr/bin/env bash
# Runs lld's own ELF tests twice, with stock ld.lld-19 and with ours, and compares what passes.
#
#   test/lld/run.sh --linker=PATH [--work=DIR] [--filter=REGEX] [--jobs=N] [--all-targets]
#
# The tests are those of the lld source that ld.spacer is built from, as released: our patches add
# or change none.  Each run has its linker first on the PATH, as ld.lld.  Only tests that need no
# target but x86 are run, unless --all-targets.
#
# The stock linker's result is kept in $SPACER_CACHE and made again when that linker changes.
# A test passes here if ours does in it as stock does: a test that fails with both (it wants
# something of the machine) is listed, and counted as skipped.  The lists are in DIR
# (build/test-logs/lld): stock.txt, ours.txt, one "RESULT: name" a line.
# Ends with "N passed, N failed, N skipped".
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${SPACER_CACHE:-$HOME/.cache/spacer-delta}
linker=${SPACER_BUILD:-$root/build}/bin/ld.spacer
work=${SPACER_BUILD:-$root/build}/test-logs/lld
filter=. jobs=$(nproc) targets=x86
for arg; do
  case $arg in
    --linker=*) linker=${arg#*=} ;;
    --work=*) work=${arg#*=} ;;
    --filter=*) filter=${arg#*=} ;;
    --jobs=*) jobs=${arg#*=} ;;
    --all-targets) targets=all ;;
    -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "lld/run.sh: unknown argument '$arg'; see --help" >&2; exit 2 ;;
  esac
done
[ -x "$linker" ] || { echo "lld/run.sh: no linker '$linker'" >&2; exit 2; }
linker=$(realpath "$linker")
llvm=/usr/lib/llvm-19
source=$("$root/cmake/build-lld.sh")/src/lld
[ -d "$source/test/ELF" ] || { echo "lld/run.sh: no tests in $source" >&2; exit 1; }
mkdir -p "$work"

# runTests NAME LINKER OUT: OUT gets "RESULT: test" lines.  The site configuration takes its values
# from the environment; see site.cfg.py.
runTests() {
  local dir=$work/$1
  rm -rf "$dir"
  mkdir -p "$dir/bin"
  local name
  for name in lld ld.lld ld64.lld lld-link wasm-ld; do ln -s "$2" "$dir/bin/$name"; done
  cp "$here/site.cfg.py" "$dir/lit.site.cfg.py"
  echo "lld's ELF tests with $1"
  SPACER_LLD_TEST_SOURCE=$source SPACER_LLD_TEST_TOOLS=$dir/bin SPACER_LLD_TEST_TARGETS=$targets \
    /usr/bin/python3 "$llvm/build/utils/lit/lit.py" -q -j "$jobs" \
    --filter="$filter" -o "$dir/result.json" "$dir" >"$dir/log" 2>&1 || true
  [ -s "$dir/result.json" ] || { tail -n 5 "$dir/log"; echo "lld/run.sh: lit did not run: see $dir/log"; return 1; }
  /usr/bin/python3 - "$dir/result.json" >"$3" <<'PY'
import json, sys
for test in sorted(json.load(open(sys.argv[1]))["tests"], key=lambda t: t["name"]):
    print(test["code"] + ": " + test["name"].replace("lld :: ", ""))
PY
}

stock=$(realpath "$(command -v ld.lld-19)")
key=$({ sha256sum <"$stock"; dpkg-query -W -f '${Version}' llvm-19 libllvm19 2>/dev/null; echo "$targets $filter"
  cat "$here"/{run.sh,site.cfg.py}; find "$source/test/ELF" -type f | sed "s|^$source||" | sort; } | sha256sum | cut -c1-16)
reference=$cache/lld-tests-$key.txt
if [ ! -s "$reference" ]; then
  runTests stock "$stock" "$work/stock.txt"
  cp "$work/stock.txt" "$reference.$$" && mv "$reference.$$" "$reference"
fi
cp "$reference" "$work/stock.txt"
runTests ours "$linker" "$work/ours.txt"

/usr/bin/python3 - "$work" <<'PY'
import sys
work = sys.argv[1]
good = {"PASS", "FLAKYPASS", "XFAIL"}
def read(name):
    return dict(reversed(line.rstrip("\n").split(": ", 1)) for line in open(f"{work}/{name}.txt"))
stock, ours = read("stock"), read("ours")
passed = failed = skipped = 0
for test in sorted(stock.keys() | ours.keys()):
    a, b = stock.get(test, "absent"), ours.get(test, "absent")
    if a in good and b in good:
        passed += 1
    elif a in good or b == "absent":
        failed += 1
        print(f"FAIL {test}: {b} with ours, {a} with stock; see {work}/ours/result.json")
    elif b in good:
        passed += 1
        print(f"pass {test}: {a} with stock")
    else:
        skipped += 1
        if a != "UNSUPPORTED" or b != "UNSUPPORTED":
            print(f"skip {test}: {a} with stock, {b} with ours")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed != 0 or not passed)
PY
