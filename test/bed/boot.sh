#!/usr/bin/env bash
# Boots a unikernel of the test bed and prints what it prints.
#
#   boot.sh IMAGE [--timeout=SECONDS] [--input=FILE] [--args='WORDS'] [--debug]
#
# The guest's last line is "exit N", and N is the exit status; 124 when the time is over, 125 when
# QEMU stopped before the guest said "exit".  --input feeds the guest's standard input, --args its
# argv[1] and so on; --debug shows the runtime's complaints on stderr.  TCG is enough.
set -euo pipefail
export LC_ALL=C

image= timeout=60 input=/dev/null arguments= debug=no
for argument; do
  case $argument in
  --timeout=*) timeout=${argument#*=} ;;
  --input=*) input=${argument#*=} ;;
  --args=*) arguments=${argument#*=} ;;
  --debug) debug=yes ;;
  --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  -*) echo "boot.sh: unknown argument '$argument'; see --help" >&2; exit 2 ;;
  *) image=$argument ;;
  esac
done
[ -f "$image" ] || { echo "boot.sh: no image '$image'" >&2; exit 2; }
[ -r "$input" ] || { echo "boot.sh: cannot read '$input'" >&2; exit 2; }
command -v qemu-system-x86_64 >/dev/null ||
  { echo "boot.sh: qemu-system-x86_64 is missing" >&2; exit 125; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The byte 4 ends the input (boot/console.c).
status=0
{ cat "$input"; printf '\004'; } |
  timeout "$timeout" qemu-system-x86_64 -machine microvm -accel tcg -m 512M -nodefaults \
    -no-reboot -display none -serial stdio -debugcon "file:$scratch/debug" \
    -device isa-debug-exit,iobase=0xf4,iosize=0x04 \
    -kernel "$image" ${arguments:+-append "$arguments"} 2>"$scratch/errors" |
  tee "$scratch/console" || status=${PIPESTATUS[1]}
[ $debug = no ] || cat "$scratch/debug" >&2
if [ "$status" = 124 ]; then
  echo "boot.sh: ${image##*/} ran longer than $timeout s" >&2
  exit 124
fi
last=$(tail -n 1 "$scratch/console")
case $last in
"exit "[0-9]*) exit "${last#exit }" ;;
*)
  cat "$scratch/errors" >&2
  echo "boot.sh: ${image##*/} stopped without 'exit N'" >&2
  exit 125
  ;;
esac
