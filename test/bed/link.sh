#!/usr/bin/env bash
# Links one image of the test bed by calling the linker itself.
#
#   link.sh --linker=PATH --dir=CONFIGURATION/VERSION --app=NAME [--linux] [--print] -o OUT
#           [-- EXTRA LINKER FLAGS]
#
# Without --linux: a unikernel for boot.sh, at 1 MiB.  With it: a static Linux program of the same
# application and library objects.  --print shows the command instead of running it.
set -euo pipefail
export LC_ALL=C

linker= dir= app= linux=no print=no out= extra=()
while [ $# -gt 0 ]; do
  case $1 in
  --linker=*) linker=${1#*=} ;;
  --dir=*) dir=${1#*=} ;;
  --app=*) app=${1#*=} ;;
  --linux) linux=yes ;;
  --print) print=yes ;;
  -o) [ $# -ge 2 ] || { echo "link.sh: -o needs a file" >&2; exit 2; }; out=$2; shift ;;
  --) shift; extra=("$@"); break ;;
  --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  *) echo "link.sh: unknown argument '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done
for need in linker dir app out; do
  [ -n "${!need}" ] || { echo "link.sh: --$need is missing; see --help" >&2; exit 2; }
done
[ -f "$dir/obj/app-$app.o" ] || { echo "link.sh: no application '$app' in $dir/obj" >&2; exit 1; }

command=("$linker" -static -nostdlib --gc-sections -z noexecstack -z max-page-size=4096
  --build-id=none)
if [ $linux = no ]; then
  shopt -s nullglob
  command+=(--image-base=0x100000 -e pvh_start "$dir"/obj/boot*.o)
fi
command+=("$dir/crt/crt1.o" "$dir/obj/app-$app.o" --start-group
  "$dir"/lib/lib{lua,sqlite3,xml2,expat,z,musl}.a --end-group "${extra[@]}" -o "$out")

if [ $print = yes ]; then
  printf '%q ' "${command[@]}"
  echo
else
  exec "${command[@]}"
fi
