#!/usr/bin/env bash
# From a fresh checkout to build/bin: packages, lld's source, the patched lld, our own programs.
#
#   build.sh [--no-install] [--target=TARGET]
#
# What is fetched and the built lld stay in $SPACER_CACHE (~/.cache/spacer-delta), so a second call,
# from any checkout, needs no network.  The build folder is build/, Ninja, Release, clang++-19;
# SPACER_BUILD names another.  --no-install installs no packages and fails if one is missing.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${SPACER_BUILD:-$root/build}
install=() target=all
for arg; do
  case $arg in
    --no-install) install=(--no-install) ;;
    --target=*) target=${arg#*=} ;;
    -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "build.sh: unknown argument '$arg'; see --help" >&2; exit 2 ;;
  esac
done

step() { printf '\n== %s\n' "$*"; }

step "packages"
"$root/cmake/install-packages.sh" "${install[@]}"

step "patched lld (the first time: a 140 MB download and about 4 CPU minutes)"
"$root/cmake/build-lld.sh"

step "build in $build"
if [ ! -e "$build/build.ninja" ]; then
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19
fi
ninja -C "$build" -j "$(nproc)" "$target"
