#!/usr/bin/env bash
# The main job on real software, from a fresh checkout of Spacer-Delta.
#
#   test/demo.sh [--no-install] [--no-build] [--keep=DIR]
#
# Installs what is missing (asking sudo when not root; --no-install: nothing), fetches and builds,
# then links seven applications over musl, Lua, SQLite, libxml2, expat and zlib, each in two
# versions (upstream, and with Debian's security patches), against one atlas; boots some of them
# in QEMU beside images of stock ld.lld-19; counts pages; then boots four that serve their console,
# snapshots and clones them, gives each clone work of its own, and says what the host holds.  Images
# stay in DIR (build/demo).
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${SPACER_BUILD:-$root/build}
keep=$build/demo doBuild=yes buildFlags=()
for arg; do
  case $arg in
    --no-install) buildFlags+=(--no-install) ;;
    --no-build) doBuild=no ;;
    --keep=*) keep=${arg#*=} ;;
    -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown argument '$arg'; see --help" >&2; exit 2 ;;
  esac
done
[ $doBuild = no ] || "$root/cmake/build.sh" "${buildFlags[@]}"

bed=$root/test/bed
ld=$build/bin/ld.spacer
spacer=$build/bin/spacer
objdump=/usr/lib/llvm-19/bin/llvm-objdump
apps="hello lua sqlite xml expat zlib combo"
step() { printf '\n== %s\n' "$*"; }

step "test bed: six libraries in two versions, clang-19 -O2 (the first time: some minutes)"
dir=$("$bed/build.sh" --jobs="$(nproc)" | tail -n 1)
for label in "$dir"/../src/*/label; do
  package=${label%/label}
  printf '%-10s %-22s %s\n' "${package##*/}" $(awk '{ print $2 }' "$label")
done

step "14 images against one atlas, and the same with stock ld.lld-19"
rm -rf "$keep"
mkdir -p "$keep/spacer" "$keep/stock"
atlas=$keep/fleet.atlas
ownPages() { # a shared page has a known content or is new; the report knows which
  sed -n 's/^pages *\([0-9]*\) new, \([0-9]*\) new variants$/\1 \2/p' "$1"
}
loadedPages() { # pages of the file that are loaded, from the program headers
  local sum=0 size
  for size in $(/usr/lib/llvm-19/bin/llvm-readelf -lW "$1" | awk '$1 == "LOAD" { print $5 }'); do
    sum=$((sum + (size + 4095) / 4096))
  done
  echo $sum
}
printf '%-16s %12s %14s %10s %13s\n' image "stock pages" "spacer pages" "new pages" "new variants"
for version in base patched; do
  for app in $apps; do
    name=$app.$version
    "$bed/link.sh" --linker="$(command -v ld.lld-19)" --dir="$dir/$version" --app=$app -o "$keep/stock/$name"
    "$bed/link.sh" --linker="$ld" --dir="$dir/$version" --app=$app -o "$keep/spacer/$name" -- \
      --spacer-atlas="$atlas" --spacer-report="$keep/$name.report"
    read -r new variants <<<"$(ownPages "$keep/$name.report")"
    printf '%-16s %12d %14d %10d %13d\n' $name "$(loadedPages "$keep/stock/$name")" \
      "$(loadedPages "$keep/spacer/$name")" "$new" "$variants"
  done
done
echo "(what a later image adds to a host is its column \"new\"; everything else is there already)"

step "booting in QEMU (no KVM needed)"
for name in hello.base lua.patched sqlite.patched xml.patched combo.patched; do
  app=${name%%.*} input=/dev/null
  [ ! -f "$bed/apps/$app.in" ] || input=$bed/apps/$app.in
  for linker in stock spacer; do
    # The guest's own exit status is this one's, and its last line says it; 124 and 125 are ours.
    status=0
    "$bed/boot.sh" "$keep/$linker/$name" --input="$input" >"$keep/$name.$linker.out" || status=$?
    case $status in
      124 | 125) echo "demo.sh: $linker's $name did not run to its end: see $keep/$name.$linker.out" >&2; exit 1 ;;
    esac
  done
  cmp "$keep/$name.stock.out" "$keep/$name.spacer.out" ||
    { echo "demo.sh: $name prints something else than stock's: see $keep" >&2; exit 1; }
  printf '%-16s %4d lines, equal to stock'\''s; e.g.  %s\n' $name "$(wc -l <"$keep/$name.spacer.out")" \
    "$(grep -v '^exit' "$keep/$name.spacer.out" | tail -n 1 | cut -c1-60)"
done

if [ -x "$spacer" ]; then
  step "pages of the 14 images together, by spacer compare"
  for linker in stock spacer; do
    (cd "$keep/$linker" && "$spacer" compare -- *) >"$keep/compare.$linker"
    printf '%-7s %s\n' $linker "$(sed -n 's/; efficiency not.*//;/ distinct by /p' "$keep/compare.$linker")"
  done
  printf '\n%-32s %18s %18s\n' "equal at the same address" "stock" "spacer"
  pair() { awk -v a="$2" -v b="$3" '$1 == a && $2 == b { print $6 " of " $5 }' "$keep/compare.$1"; }
  for two in "lua.base sqlite.base" "combo.base lua.base" "sqlite.base sqlite.patched" "xml.base xml.patched"; do
    read -r a b <<<"$two"
    printf '%-32s %18s %18s\n' "$a, $b" "$(pair stock "$a" "$b")" "$(pair spacer "$a" "$b")"
  done
  echo "(all of it: $keep/compare.spacer)"
  step "spacer atlas check, spacer verify"
  "$spacer" atlas check "$atlas"
  for image in "$keep"/spacer/*; do
    "$spacer" verify "$image" --atlas "$atlas" >"$keep/verify.log" 2>&1 ||
      { cat "$keep/verify.log"; echo "demo.sh: spacer verify found $image wrong" >&2; exit 1; }
  done
  echo "14 images agree with the atlas"
fi

step "the host: four applications boot, are snapshotted while they wait, and are cloned"
export SPACER_ROOT=$keep/host
export SPACER_RUN=$keep/no-daemon # spacerd is not needed for this
clones=${SPACER_DEMO_CLONES:-5}
services="lua sqlite xml zlib"
trap '"$spacer" rm --force $("$spacer" --json ls | sed -n "s/.*\"name\": \"\(.*\)\".*/\1/p") >/dev/null 2>&1 || true' EXIT
for app in $services; do
  "$bed/link.sh" --linker="$ld" --dir="$dir/base" --app="serve-$app" -o "$keep/spacer/serve-$app" -- \
    --spacer-atlas="$atlas"
  "$spacer" run --name "$app" "$keep/spacer/serve-$app" >/dev/null
  for ((tries = 0; ; tries++)); do # until it says that it waits for a line
    if "$spacer" logs "$app" | grep -q '^ready'; then break; fi
    [ $tries -lt 600 ] || { echo "demo.sh: serve-$app is not ready: spacer logs $app" >&2; exit 1; }
    sleep 0.1
  done
  "$spacer" snapshot create --stop "$app" "$app-ready"
  "$spacer" rm --force "$app" >/dev/null
  "$spacer" clone --count $clones --name "$app" "$app-ready" >/dev/null
done

step "each clone does work of its own"
work() { # APPLICATION NUMBER
  case $1 in
    lua) echo "'fib(' .. $((10 + $2)) .. ') = ' .. fib($((10 + $2)))" ;;
    sqlite) echo "SELECT 'sales on day $2: ' || count(*) || ', sum ' || sum(amount) FROM sale WHERE day = $2;" ;;
    xml) echo "<order number='$2'><item>page</item><item>$2 slots</item></order>" ;;
    zlib) echo "a line of clone $2" ;;
  esac
}
for app in $services; do
  for ((n = 1; n <= clones; n++)); do
    printf '%-10s %s\n' "$app-$n" "$(work "$app" "$n" | "$spacer" attach --idle 1 "$app-$n" | grep -v '^ready' | tail -n 1 | tr -d '\r' | cut -c1-90)"
  done
done

step "what the host holds: spacer ls"
"$spacer" ls
"$spacer" --json ls >"$keep/ls.json"
"$spacer" --json pool ls >"$keep/pool.json"
python3 - "$keep/ls.json" "$keep/pool.json" <<'PY'
import json, sys
vms = json.load(open(sys.argv[1]))
pool = json.load(open(sys.argv[2]))
mib = 1 << 20
nominal = sum(vm["memoryBytes"] for vm in vms)
own = sum(vm["ownBytes"] for vm in vms)
maps = sum(o["poolPages"] for o in pool["objects"]) * 4096
once = pool["pages"] * 4096
touched = sum(o["poolPages"] * 4096 for o in pool["objects"]) * len(vms) // len(pool["objects"])
rows = [("guest memory, as the guests see it", nominal),
        (f"if each of the {len(vms)} clones had a copy of what its snapshot holds", touched),
        (f"if each of the {len(pool['objects'])} snapshots were shared by its own clones only", maps),
        ("the pool: each page once, whatever snapshot it is in", once),
        ("pages that clones wrote since, theirs alone", own)]
print()
for what, size in rows:
    print(f"{what:66} {size / mib:9.1f} MiB")
PY
"$spacer" rm --force $("$spacer" --json ls | sed -n 's/.*"name": "\(.*\)".*/\1/p') >/dev/null
trap - EXIT

step "doors, as anyone's tools see them"
"$objdump" -d --no-show-raw-insn "$keep/spacer/lua.patched" --section=.spacer.door --section=.spacer.door.musl \
  --section=.spacer.door.lua 2>/dev/null | grep -A 1 '@spacer>:' | grep -v '^--' | head -n 10 || true
echo "all of it is in $keep"
