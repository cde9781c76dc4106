#!/usr/bin/env bash
# Unpacks the test bed's sources, each package in two versions.
#
#   sources.sh
#
# $SPACER_CACHE/bed/src/PACKAGE/base     the upstream tar file alone
#                              /patched  the same with Debian's patches
#                              /patches  the patches that were applied, numbered
#                              /label    both versions' names, for tags
# A package that is there already, from the same .dsc, is left alone.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${SPACER_CACHE:-$HOME/.cache/spacer-delta}
fetch=$here/../../cmake/fetch-source.sh
[ "${1:-}" != --help ] || { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0; }

# Mirrors lag: when the newest security update is announced but not there, an older one is
# named here.
fallback() {
  case $1 in
  expat) echo expat=2.5.0-1+deb12u2 ;;
  *) return 1 ;;
  esac
}

fetchDsc() {
  "$fetch" "$cache/src" "$1" 2>/dev/null && return
  local other
  if other=$(fallback "$1"); then "$fetch" "$cache/src" "$other" && return; fi
  "$fetch" "$cache/src" "$1" # once more, to let its message through
}

# SQLite is used as everybody uses it: as one amalgamated file.
amalgamate() {
  command -v tclsh >/dev/null || { echo "tclsh is missing: it builds sqlite3.c" >&2; return 1; }
  local out=$1/amalgamation
  mkdir -p "$out"
  (cd "$out" && make -s -f "$1/main.mk" TOP="$1" BCC="cc -O1 -w" TCCX=false NAWK=awk sqlite3.c) \
    >"$out/log" 2>&1 || { echo "sqlite3.c was not built: see $out/log" >&2; return 1; }
}

unpack() {
  local package=$1 dsc=$2 to=$cache/bed/src/$1 orig version
  local stamp="${dsc##*/} $recipe"
  [ "$(cat "$to/stamp" 2>/dev/null)" != "$stamp" ] || return 0
  rm -rf "$to"
  mkdir -p "$to/base"
  orig=$(sed -n '/^Files:/,/^[^ ]/s/.* \([^ ]*\.orig\.tar\.[a-z0-9]*\)$/\1/p' "$dsc")
  tar -xf "${dsc%/*}/$orig" -C "$to/base" --strip-components=1
  dpkg-source --no-check -x "$dsc" "$to/patched" >"$to/unpack.log" 2>&1 ||
    { echo "$package: dpkg-source failed: see $to/unpack.log" >&2; return 1; }
  grep -v '^ *\(#\|$\)' "$to/patched/debian/patches/series" 2>/dev/null | nl -w2 -s' ' \
    >"$to/patches" || true
  version=${dsc##*/"${package}"_}; version=${version%.dsc}
  printf 'base %s\npatched %s\n' "${version%-*}" "$version" >"$to/label"
  if [ "$package" = sqlite3 ]; then
    amalgamate "$to/base"
    amalgamate "$to/patched"
  fi
  printf '%s\n' "$stamp" >"$to/stamp"
}

mkdir -p "$cache/bed/src"
exec 8>"$cache/bed/src/.lock"
flock 8
recipe=$(sha256sum <"${BASH_SOURCE[0]}" | cut -c1-16)
for package in musl lua5.4 sqlite3 libxml2 expat zlib; do
  dsc=$(fetchDsc "$package")
  unpack "$package" "$dsc"
done
