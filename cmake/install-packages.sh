#!/usr/bin/env bash
# Installs the Debian 12 packages that building, testing and the demonstration need.
#
#   install-packages.sh [--no-install] [--dev] [--list]
#
# Names what is missing and installs that with apt-get, through sudo when not root.  With nothing
# missing it touches neither network nor package lists.
#   --no-install  install nothing; fail if something is missing
#   --dev         clang-format, clang-tidy, sanitizer runtimes and the profiler as well
#   --list        print the packages, one a line, and do nothing
#
# Exit status: 0 all there, 1 something is missing and was not installed, 2 wrong use.
set -euo pipefail
export LC_ALL=C

packages=(
  # The compiler, LLVM's libraries and tools (FileCheck, lit, llvm-objdump, ...), stock lld.
  clang-19 libclang-19-dev llvm-19 llvm-19-dev llvm-19-tools lld-19
  # The second compiler of the tests, with its C and C++ libraries; gcc for the name `cc`.
  gcc gcc-12 g++-12
  cmake ninja-build make patch xz-utils python3
  # What our programs link against; LLVM's CMake files ask for zlib and zstd.
  libsqlite3-dev libxxhash-dev libcli11-dev nlohmann-json3-dev zlib1g-dev libzstd-dev
  libspdlog-dev libcurl4-openssl-dev
  # Sources by `apt-get source`; tclsh builds SQLite's amalgamation.
  dpkg-dev ca-certificates tcl
  # Tests.
  qemu-system-x86 libgtest-dev libgmock-dev sqlite3 strace
)
devPackages=(clang-format-19 clang-tidy-19 libclang-rt-19-dev valgrind)

install=yes list=no
for arg; do
  case $arg in
    --no-install) install=no ;;
    --dev) packages+=("${devPackages[@]}") ;;
    --list) list=yes ;;
    -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "install-packages.sh: unknown argument '$arg'; see --help" >&2; exit 2 ;;
  esac
done
if [ $list = yes ]; then printf '%s\n' "${packages[@]}"; exit 0; fi

command -v dpkg-query >/dev/null ||
  { echo "install-packages.sh: no dpkg: this is for Debian 12; --list prints what is needed" >&2; exit 1; }
missing=()
for p in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
if [ ${#missing[@]} = 0 ]; then echo "packages: nothing missing"; exit 0; fi
if [ $install = no ]; then
  echo "install-packages.sh: missing packages: ${missing[*]}" >&2
  exit 1
fi
echo "packages: installing ${missing[*]}"

sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null ||
    { echo "install-packages.sh: not root and no sudo; install by hand: ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
apt() {
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 \
    -o DPkg::Lock::Timeout=300 "$@"
}
# The lists may be absent (a fresh container) or too old to name files that still exist.
if ! apt install --no-install-recommends "${missing[@]}"; then
  apt update
  apt install --no-install-recommends "${missing[@]}" ||
    { echo "install-packages.sh: apt-get could not install ${missing[*]}" >&2; exit 1; }
fi
