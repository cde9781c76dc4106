#!/usr/bin/env bash
# Fetches Debian source packages into a cache folder, without root and without touching the
# system's package lists.
#
#   fetch-source.sh CACHE PACKAGE[=VERSION] [FILE-SHA256]
#
# A fresh Debian 12 lists no source packages, so the script derives deb-src entries from the
# machine's own deb entries and keeps apt's state for them below CACHE/apt.  Files are kept in
# CACHE/dl; the .dsc, checked by apt against the archive's signature, is what the tar files are
# checked against.  With FILE-SHA256 the .orig tar file must also have that digest.
#
# Prints the path of the .dsc.  Exit status: 0 fetched (or already there), 1 not to be had,
# 2 wrong use.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: fetch-source.sh CACHE PACKAGE[=VERSION] [ORIG-SHA256]" >&2; exit 2; }
cache=$(mkdir -p "$1" && cd "$1" && pwd)
package=$2
wantSha=${3:-}
name=${package%%=*}
version=${package#*=}
[ "$version" != "$package" ] || version=

aptState=$cache/apt
mkdir -p "$aptState/lists/partial" "$aptState/archives/partial" "$cache/dl"

# One apt at a time: parallel builds share the cache.
exec 9>"$cache/.lock"
flock 9

foundDsc() {
  local f v
  for f in "$cache/dl/${name}"_*.dsc; do
    [ -e "$f" ] || continue
    v=${f##*/"${name}"_}; v=${v%.dsc}
    [ -z "$version" ] || [ "$v" = "${version#*:}" ] || continue
    printf '%s\n' "$f"
    return 0
  done
  return 1
}

checkOrig() {
  [ -n "$wantSha" ] || return 0
  local got orig
  orig=$(ls "$cache/dl/${name}"_*.orig.tar.* 2>/dev/null | grep -v '\.asc$' | head -n 1)
  [ -n "$orig" ] || { echo "$name: no .orig tar file beside the .dsc" >&2; exit 1; }
  got=$(sha256sum "$orig" | cut -d' ' -f1)
  [ "$got" = "$wantSha" ] || {
    echo "${orig##*/}: SHA-256 $got, expected $wantSha" >&2; exit 1; }
}

if dsc=$(foundDsc); then checkOrig; printf '%s\n' "$dsc"; exit 0; fi

list=$aptState/sources.list
{
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -n 's/^deb\(-src\)\{0,1\}[[:space:]]/deb-src /p' | grep -i debian || true
  for f in /etc/apt/sources.list.d/*.sources; do
    [ -e "$f" ] || continue
    awk -v RS= 'tolower($0) ~ /debian/' ORS='\n\n' "$f" |
      awk '
        function flush(   i, j, n, m, u, s) {
          n = split(uris, u, " "); m = split(suites, s, " ")
          for (i = 1; i <= n; i++) for (j = 1; j <= m; j++)
            print "deb-src" (key ? " [signed-by=" key "]" : ""), u[i], s[j], comps
          uris = suites = comps = key = ""
        }
        /^#/ { next }
        /^URIs:/ { sub(/^[^:]*:[ ]*/, ""); uris = $0 }
        /^Suites:/ { sub(/^[^:]*:[ ]*/, ""); suites = $0 }
        /^Components:/ { sub(/^[^:]*:[ ]*/, ""); comps = $0 }
        /^Signed-By:/ { sub(/^[^:]*:[ ]*/, ""); key = $0 }
        /^$/ { flush() }
        END { flush() }'
  done
} | sort -u >"$list.new"
cmp -s "$list.new" "$list" 2>/dev/null || mv "$list.new" "$list"
rm -f "$list.new"
[ -s "$list" ] || { echo "no Debian archive in /etc/apt/sources.list*: cannot fetch $name" >&2; exit 1; }

aptOpts=(-o "Dir::Etc::SourceList=$list" -o "Dir::Etc::SourceParts=-"
  -o "Dir::State=$aptState" -o "Dir::State::Lists=$aptState/lists"
  -o "Dir::Cache=$aptState" -o "Dir::State::status=/var/lib/dpkg/status"
  -o "APT::Sandbox::User=$(id -un)" -o "Acquire::Retries=3")
stamp=$aptState/updated
if [ ! -e "$stamp" ] || [ -n "$(find "$stamp" -mmin +720)" ] || [ "$list" -nt "$stamp" ]; then
  apt-get "${aptOpts[@]}" -q update >"$aptState/update.log" 2>&1 ||
    { echo "apt-get update failed for the source lists: see $aptState/update.log" >&2; exit 1; }
  touch "$stamp"
fi
(cd "$cache/dl" && apt-get "${aptOpts[@]}" -q --download-only source "$package" \
  >"$aptState/fetch-$name.log" 2>&1) ||
  { echo "apt-get source $package failed: see $aptState/fetch-$name.log" >&2; exit 1; }
dsc=$(foundDsc) || { echo "$name: fetched, but no .dsc in $cache/dl" >&2; exit 1; }
checkOrig
printf '%s\n' "$dsc"
