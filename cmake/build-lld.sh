#!/usr/bin/env bash
# Builds lldCommon and lldELF of lld 19.1.7 with lld-patches/ applied, once.
#
#   build-lld.sh [--source=DIR] [--unpatched]
#
# The result lives in a folder of the cache whose name is a digest of the patch series, of the
# version and of the build description, so an edit of ours never rebuilds lld and an edit of a
# patch always does.  DIR, if given, is an LLVM 19.1.7 source tree (with lld/ in it) that is used
# instead of Debian's source package; it is copied, not changed.
#
# Prints the folder: src/lld (patched source, with its tests), lib*.a, Options.inc, include/.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${SPACER_CACHE:-$HOME/.cache/spacer-delta}
version=19.1.7
origSha=ae498f3bc58ae2d9f64ef5f0c035c4240152bf015a5b7738b15c22e93bdc97ce
source=${SPACER_LLD_SOURCE:-}
patched=1
for arg; do
  case $arg in
    --source=*) source=${arg#*=} ;;
    --unpatched) patched=0 ;;
    -h|--help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "build-lld.sh: unknown argument $arg; see --help" >&2; exit 2 ;;
  esac
done

patches=()
if [ $patched = 1 ]; then
  while read -r p; do
    case $p in ''|'#'*) ;; *) patches+=("$root/lld-patches/$p") ;; esac
  done <"$root/lld-patches/series"
fi
key=$({ echo "$version $source"; cat "$root/cmake/lld/CMakeLists.txt" "${patches[@]}" /dev/null
        dpkg-query -W -f '${Version}' llvm-19-dev 2>/dev/null || true; } | sha256sum | cut -c1-16)
dir=$cache/lld-$version-$key
mkdir -p "$cache"
exec 8>"$cache/.lld-lock"
flock 8
if [ -e "$dir/done" ]; then echo "$dir"; exit 0; fi

rm -rf "$dir"
mkdir -p "$dir/src"
if [ -n "$source" ]; then
  [ -d "$source/lld/ELF" ] || { echo "$source: no lld/ELF in it; expected an LLVM $version tree" >&2; exit 1; }
  cp -r "$source/lld" "$dir/src/lld"
else
  dsc=$("$root/cmake/fetch-source.sh" "$cache/src" llvm-toolchain-19 "$origSha")
  orig=$(ls "${dsc%/*}"/llvm-toolchain-19_"$version".orig.tar.* | head -n 1)
  echo "unpacking lld from ${orig##*/}" >&2
  tar -xf "$orig" -C "$dir/src" --strip-components=1 --wildcards '*/lld/*'
fi
for p in "${patches[@]}"; do
  echo "applying ${p##*/}" >&2
  patch -d "$dir/src" -p1 --fuzz=0 --no-backup-if-mismatch -s <"$p" ||
    { echo "${p##*/} does not apply to lld $version" >&2; exit 1; }
done
echo "building lldCommon and lldELF (about 4 CPU minutes)" >&2
{ cmake -S "$root/cmake/lld" -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER=clang++-19 -DLLVM_DIR=/usr/lib/llvm-19/lib/cmake/llvm \
    -DLLD_SOURCE="$dir/src/lld" && ninja -C "$dir"; } >"$dir/build.log" 2>&1 ||
  { tail -n 20 "$dir/build.log" >&2; echo "lld did not build: see $dir/build.log" >&2; exit 1; }
touch "$dir/done"
echo "$dir"
