#!/usr/bin/env bash
# Builds the test bed's libraries, runtime and applications in one configuration.
#
#   build.sh [--compiler=clang|gcc] [--sections=yes|no] [--opt=-O2|-O0|-Os|...]
#            [--version=base|patched|edited|all] [--extra-cflags=FLAGS] [--jobs=N]
#            [--pass[=FILE]] [--pass-args='NAME=VALUE...'] [--lto=full|thin]
#
# Defaults: clang, yes, -O2, all.  VERSION may be several, with commas; "all" is base,patched.
# "edited" is base with 10 comment lines at the top of each library's largest C file.  The result
# is below $SPACER_CACHE/bed/CONFIGURATION/VERSION: lib/lib{musl,lua,sqlite3,xml2,expat,z}.a,
# obj/app-*.o, obj/boot*.o and crt/crt1.o.  The last line printed is the path of CONFIGURATION.
# In FLAGS, {lib} and {version} stand for the library's name and its version's label; FLAGS go to
# libraries and applications alike.
#
# --pass compiles the libraries' C sources with the compiler pass FILE, by default
# $SPACER_BUILD/lib/spacer/libSpacerPass.so, as library NAME@VERSION; each of the other arguments
# becomes -fplugin-arg-spacer-NAME=VALUE, where {lib}, {version} and {object} (the object's path
# without ".o", for report={object}.json) stand for themselves.  --lto makes bitcode of libraries
# and applications.  Both are configurations of their own.
#
# A second call with nothing changed only compares a key: the hash of the recipe files, of the
# compiler's version, and of the pass and the files that FLAGS name.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SPACER_CACHE:-$HOME/.cache/spacer-delta}
compiler=clang sections=yes opt=-O2 version=all extra= jobs=2
pass= passArguments= lto=
for argument; do
  case $argument in
  --compiler=clang | --compiler=gcc) compiler=${argument#*=} ;;
  --sections=yes | --sections=no) sections=${argument#*=} ;;
  --opt=-O*) opt=${argument#*=} ;;
  --version=*) version=${argument#*=} ;;
  --pass) pass=${SPACER_BUILD:-$here/../../build}/lib/spacer/libSpacerPass.so ;;
  --pass=*) pass=${argument#*=} ;;
  --pass-args=*) passArguments=${argument#*=} ;;
  --lto=full | --lto=thin) lto=${argument#*=} ;;
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
versions=${version//,/ }
[ "$version" != all ] || versions="base patched"
for v in $versions; do
  case $v in
  base | patched | edited) ;;
  *) echo "build.sh: no version '$v'; there are base, patched, edited and all" >&2; exit 2 ;;
  esac
done
if [ "$compiler" != clang ] && [ -n "$pass$lto" ]; then
  echo "build.sh: --pass and --lto need --compiler=clang" >&2
  exit 2
fi
if [ -n "$pass" ] && [ ! -f "$pass" ]; then
  echo "build.sh: no compiler pass '$pass'; build it, or say --pass=FILE" >&2
  exit 2
fi
if [ -n "$passArguments" ] && [ -z "$pass" ]; then
  echo "build.sh: --pass-args needs --pass" >&2
  exit 2
fi

configuration=$compiler$opt-sections
[ "$sections" = yes ] || configuration=$compiler$opt-nosections
[ -z "$pass" ] || configuration+=-pass
[ -z "$passArguments" ] || configuration+=-$(printf %s "$passArguments" | sha256sum | cut -c1-8)
[ -z "$lto" ] || configuration+=-lto-$lto
[ -z "$extra" ] || configuration+=-$(printf %s "$extra" | sha256sum | cut -c1-8)
out=$cache/bed/$configuration
mkdir -p "$out"

# Files named in the extra flags, e.g. -fpass-plugin=FILE.
named=()
for word in $extra; do
  file=${word#*=}
  [ ! -f "$file" ] || named+=("$(realpath "$file")")
done
exec 9>"$out/.lock"
flock 9
# The pass is used from a copy, made under the lock: a new build of it neither changes a running
# build of the bed nor, when its bytes are the same, makes ninja compile again.
passFlags=
if [ -n "$pass" ]; then
  copy=$out/${pass##*/}
  if ! cmp -s "$pass" "$copy"; then
    cp "$pass" "$copy.new"
    mv "$copy.new" "$copy"
  fi
  named+=("$copy")
  passFlags="-fplugin=$copy -fplugin-arg-spacer-lib={lib}@{version}"
  for word in $passArguments; do passFlags+=" -fplugin-arg-spacer-$word"; done
fi
recipe() {
  "$cc" -dumpfullversion 2>/dev/null || "$cc" -dumpversion
  realpath "$(command -v "$cc")"
  sha256sum "$here"/{build.sh,sources.sh,edit.py,graph.py,libraries.py} "$here"/{boot,apps,serve}/* \
    "$here"/config/*/* "${named[@]}"
}
key=$(recipe | sha256sum | cut -d' ' -f1)
fresh=yes
for v in $versions; do
  [ "$(cat "$out/$v/key" 2>/dev/null)" = "$key" ] || fresh=no
done
if [ $fresh = no ]; then
  "$here/sources.sh"
  # The other versions stay in the graph, so that their files count as known.
  edited=
  case " $versions " in
  *" edited "*) edited=yes ;;
  *) [ ! -d "$out/edited" ] || edited=yes ;;
  esac
  [ -z "$edited" ] || python3 "$here/edit.py" --src="$cache/bed/src"
  python3 "$here/graph.py" --out="$out" --src="$cache/bed/src" --compiler="$compiler" --opt="$opt" \
    --sections="$sections" --version=base --version=patched ${edited:+--version=edited} \
    --extra-cflags="$extra" --pass-flags="$passFlags" ${lto:+--lto="$lto"} "${named[@]/#/--depend=}"
  ninja -C "$out" -j "$jobs" --quiet $versions ||
    { echo "build.sh: the build of $configuration failed" >&2; exit 1; }
  for v in $versions; do printf '%s\n' "$key" >"$out/$v/key"; done
fi
printf '%s\n' "$out"
