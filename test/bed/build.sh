#!/usr/bin/env bash
# Builds the test bed's libraries, runtime and applications in one configuration.
#
#   build.sh [--compiler=clang|gcc] [--sections=yes|no] [--opt=-O2|-O0|-Os|...]
#            [--version=base|patched|all] [--extra-cflags=FLAGS] [--jobs=N]
#
# Defaults: clang, yes, -O2, all.  The result is below $SPACER_CACHE/bed/CONFIGURATION/VERSION:
# lib/lib{musl,lua,sqlite3,xml2,expat,z}.a, obj/app-*.o, obj/boot*.o and crt/crt1.o.  The last
# line printed is the path of CONFIGURATION.  In FLAGS, {lib} and {version} stand for the
# library's name and its version's label; FLAGS go to libraries and applications alike.
#
# A second call with nothing changed only compares a key: the hash of the recipe files, of the
# compiler's version, and of the files (a plugin, say) that FLAGS name.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SPACER_CACHE:-$HOME/.cache/spacer-delta}
compiler=clang sections=yes opt=-O2 version=all extra= jobs=2
for argument; do
  case $argument in
  --compiler=clang | --compiler=gcc) compiler=${argument#*=} ;;
  --sections=yes | --sections=no) sections=${argument#*=} ;;
  --opt=-O*) opt=${argument#*=} ;;
  --version=base | --version=patched | --version=all) version=${argument#*=} ;;
  --extra-cflags=*) extra=${argument#*=} ;;
  --jobs=*) jobs=${argument#*=} ;;
  --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  *) echo "build.sh: unknown argument '$argument'; see --help" >&2; exit 2 ;;
  esac
done

case $compiler in clang) cc=clang-19 ;; gcc) cc=gcc-12 ;; esac
for tool in "$cc" ninja llvm-ar-19 python3; do
  command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing" >&2; exit 1; }
done
versions=$version
[ "$version" != all ] || versions="base patched"

configuration=$compiler$opt-sections
[ "$sections" = yes ] || configuration=$compiler$opt-nosections
[ -z "$extra" ] || configuration+=-$(printf %s "$extra" | sha256sum | cut -c1-8)
out=$cache/bed/$configuration
mkdir -p "$out"

# Files named in the extra flags, e.g. -fpass-plugin=FILE.
named=()
for word in $extra; do
  file=${word#*=}
  [ ! -f "$file" ] || named+=("$(realpath "$file")")
done
recipe() {
  "$cc" -dumpfullversion 2>/dev/null || "$cc" -dumpversion
  realpath "$(command -v "$cc")"
  sha256sum "$here"/{build.sh,sources.sh,graph.py,libraries.py} "$here"/{boot,apps,serve}/* \
    "$here"/config/*/* "${named[@]}"
}
key=$(recipe | sha256sum | cut -d' ' -f1)

exec 9>"$out/.lock"
flock 9
fresh=yes
for v in $versions; do
  [ "$(cat "$out/$v/key" 2>/dev/null)" = "$key" ] || fresh=no
done
if [ $fresh = no ]; then
  "$here/sources.sh"
  # The other version stays in the graph, so that its files count as known.
  python3 "$here/graph.py" --out="$out" --src="$cache/bed/src" --compiler="$compiler" --opt="$opt" \
    --sections="$sections" --version=base --version=patched --extra-cflags="$extra" \
    "${named[@]/#/--depend=}"
  ninja -C "$out" -j "$jobs" --quiet $versions ||
    { echo "build.sh: the build of $configuration failed" >&2; exit 1; }
  for v in $versions; do printf '%s\n' "$key" >"$out/$v/key"; done
fi
printf '%s\n' "$out"
