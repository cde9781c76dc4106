#!/usr/bin/env bash
# Without --spacer-* flags a linker built on lld gives the same bytes as stock ld.lld-19.
#
#   noflag.sh --linker=PATH [--compilers='clang gcc']
#
# Links every application of the test bed in every version and form with both, then with a build id
# and --icf=all, with --emit-relocs, and every library with `-r`, and compares the files.  Prints a
# line for each difference, then "N passed, N failed, N skipped".
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
linker= compilers="clang gcc"
for arg; do
  case $arg in
    --linker=*) linker=${arg#*=} ;;
    --compilers=*) compilers=${arg#*=} ;;
    -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "noflag.sh: unknown argument '$arg'; see --help" >&2; exit 2 ;;
  esac
done
[ -x "$linker" ] || { echo "noflag.sh: no linker '$linker'" >&2; exit 2; }

# Both run under one name: lld writes none of it, but its messages would differ.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch"/{ours,stock}
ln -s "$(realpath "$linker")" "$scratch/ours/ld.lld"
ln -s "$(realpath "$(command -v ld.lld-19)")" "$scratch/stock/ld.lld"

passed=0 failed=0
same() { # NAME LINKER-ARGUMENTS...
  local name=$1 which
  shift
  for which in ours stock; do
    if ! "$scratch/$which/ld.lld" "$@" -o "$scratch/$which/out" >"$scratch/log" 2>&1; then
      echo "FAIL $name: $which: $(head -n 1 "$scratch/log")"
      failed=$((failed + 1))
      return
    fi
  done
  if cmp -s "$scratch/ours/out" "$scratch/stock/out"; then
    passed=$((passed + 1))
  else
    echo "FAIL $name: $(cmp "$scratch/ours/out" "$scratch/stock/out" 2>&1 || true)"
    failed=$((failed + 1))
  fi
}

for compiler in $compilers; do
  configuration=$("$here/bed/build.sh" --compiler="$compiler" --jobs="$(nproc)" | tail -n 1)
  for version in base patched; do
    dir=$configuration/$version
    for source in "$here"/bed/apps/*.c; do
      app=${source##*/} app=${app%.c}
      for form in "" --linux; do
        readarray -d '' -t words < <("$here/bed/link.sh" --linker=x --dir="$dir" --app="$app" $form --print \
          -o x | xargs printf '%s\0')
        # Neither the linker's name at the front nor `-o x` at the end.
        words=("${words[@]:1:${#words[@]}-3}")
        same "$compiler $version $app ${form:-unikernel}" "${words[@]}"
      done
      same "$compiler $version $app build id, ICF" "${words[@]}" --build-id=sha1 --icf=all
      same "$compiler $version $app --emit-relocs" "${words[@]}" --emit-relocs --threads=1
    done
    for library in "$dir"/lib/lib*.a; do
      same "$compiler $version ${library##*/} -r" -r --whole-archive "$library"
    done
  done
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
