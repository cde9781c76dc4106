#!/usr/bin/env bash
# Builds everything and runs all tests.
#
#   test/run.sh [--no-install] [--no-build] [--only=SUITE,...] [--pairs=quick|normal|full]
#
# Suites:
#   unit    GoogleTest programs, by ctest
#   lit     test/lit: one claim about ld.spacer a file
#   lld     lld's own ELF tests: ld.spacer against stock ld.lld-19 (test/lld/run.sh)
#   pairs   programs against two versions of a library, every image compared with stock lld's
#   noflag  without --spacer-* flags the output is stock ld.lld-19's, byte for byte
#   bed     real software as unikernels and Linux programs, both compilers and the compiler pass,
#           all on one atlas
#   e2e     every executable test/e2e/*.sh and *.py; exit code 77 means skipped
#
# Each ends with "N passed, N failed, N skipped", and so does the whole, with the sums.  A suite
# that cannot run, or ends badly without saying what failed, counts as one failure.  Logs are in
# build/test-logs.  SPACER_BUILD and SPACER_CACHE name other folders than build/ and
# ~/.cache/spacer-delta.
set -euo pipefail
export LC_ALL=C
export ASAN_OPTIONS=${ASAN_OPTIONS:-allow_user_poisoning=0} # docs/testing.md

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${SPACER_BUILD:-$root/build}
suites="unit lit lld pairs noflag bed e2e"
only=$suites pairs=quick doBuild=yes buildFlags=()
for arg; do
  case $arg in
    --no-install) buildFlags+=(--no-install) ;;
    --no-build) doBuild=no ;;
    --only=*) only=${arg#*=}; only=${only//,/ } ;;
    --pairs=quick | --pairs=normal | --pairs=full) pairs=${arg#*=} ;;
    -h|--help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    *) echo "run.sh: unknown argument '$arg'; see --help" >&2; exit 2 ;;
  esac
done
for suite in $only; do
  case " $suites " in *" $suite "*) ;; *) echo "run.sh: no suite '$suite'; there are: $suites" >&2; exit 2 ;; esac
done

ld=$build/bin/ld.spacer
spacer=$build/bin/spacer
llvm=/usr/lib/llvm-19
lit=(/usr/bin/python3 "$llvm/build/utils/lit/lit.py")
logs=$build/test-logs
jobs=$(nproc)
toolFlags=()

summary() { echo "$1 passed, $2 failed, $3 skipped"; }

# Each suite writes to its log, with one summary line or several.

suite_unit() {
  local xml=$logs/unit.xml
  rm -f "$xml"
  ctest --test-dir "$build" -E '^lit$' -j "$jobs" --timeout 300 --output-on-failure \
    --no-tests=error --output-junit "$xml" || true
  n() { sed -n "1,/>/s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$xml" | head -n 1; }
  [ -s "$xml" ] || return 1
  tr '\n\t' '  ' <"$xml" | sed 's/>.*<testsuite /<testsuite /;s/>/>\n/g' | grep '<testsuite ' >"$xml.head"
  xml=$xml.head
  summary $(($(n tests) - $(n failures) - $(n disabled) - $(n skipped))) "$(n failures)" \
    $(($(n disabled) + $(n skipped)))
}

# lit's JSON result says it without parsing a table.
litSummary() {
  /usr/bin/python3 - "$1" <<'PY'
import collections, json, sys
codes = collections.Counter(t["code"] for t in json.load(open(sys.argv[1]))["tests"])
passed = codes["PASS"] + codes["FLAKYPASS"] + codes["XFAIL"]
skipped = codes["UNSUPPORTED"] + codes["SKIPPED"] + codes["EXCLUDED"]
print(f"{passed} passed, {sum(codes.values()) - passed - skipped} failed, {skipped} skipped")
PY
}

suite_lit() {
  rm -f "$logs/lit.json"
  "${lit[@]}" -v -j "$jobs" -o "$logs/lit.json" "$build/test" || true
  litSummary "$logs/lit.json"
}

suite_lld() { "$root/test/lld/run.sh" --linker="$ld" --work="$logs/lld" --jobs="$jobs"; }

suite_pairs() {
  local amount=() status=0
  [ "$pairs" = normal ] || amount=("--$pairs")
  /usr/bin/python3 "$root/test/pairs/run.py" --ld="$ld" --jobs="$jobs" "${amount[@]}" \
    ${toolFlags[@]+"${toolFlags[@]}"} || status=$?
  /usr/bin/python3 "$root/test/pairs/random-libraries.py" --ld="$ld" --jobs="$jobs" --count=8 ||
    status=$?
  return $status
}

suite_noflag() { "$root/test/noflag.sh" --linker="$ld"; }

# One atlas for everything that a compiler built, versions and applications and forms alike: the
# state in which a page of one image could spoil another.
suite_bed() {
  local scratch status=0 compiler sections
  scratch=$(mktemp -d)
  for compiler in clang gcc; do
    for sections in yes no; do
      echo "--- $compiler, a section per function: $sections"
      "$root/test/bed/check.sh" --linker="$ld" --compiler=$compiler --sections=$sections --jobs="$jobs" \
        --link-flags="--spacer-atlas=$scratch/$compiler.$sections.{form}.atlas" || status=1
    done
  done
  echo "--- clang with the compiler pass, on the atlas of clang without it"
  "$root/test/bed/check.sh" --linker="$ld" --pass="$build/lib/spacer/libSpacerPass.so" --jobs="$jobs" \
    --link-flags="--spacer-atlas=$scratch/clang.yes.{form}.atlas" || status=1
  rm -rf "$scratch"
  return $status
}

suite_e2e() {
  local script status out passed=0 failed=0 skipped=0 last
  out=$(mktemp)
  for script in "$root"/test/e2e/*.{sh,py}; do
    # harness.py is what the others share.
    if [ ! -x "$script" ] || [ "${script##*/}" = harness.py ]; then continue; fi
    echo "--- ${script##*/}"
    status=0
    SPACER_BUILD=$build LD_SPACER=$ld SPACER=$spacer timeout 900 "$script" </dev/null >"$out" 2>&1 || status=$?
    cat "$out"
    last=$(tail -n 1 "$out")
    # A script that prints a summary of its own has been counted by it, unless it ends badly all
    # the same.
    case $last in
      *[0-9]" passed, "*[0-9]" failed, "*[0-9]" skipped")
        case $status:$last in 0:* | *", "[1-9]*" failed,"*) continue ;; esac ;;
    esac
    case $status in
      0) echo "pass ${script##*/}"; passed=$((passed + 1)) ;;
      77) echo "skip ${script##*/}"; skipped=$((skipped + 1)) ;;
      *) echo "FAIL ${script##*/}: status $status"; failed=$((failed + 1)) ;;
    esac
  done
  rm -f "$out"
  summary $passed $failed $skipped
  [ $failed = 0 ]
}

if [ $doBuild = yes ]; then
  "$root/cmake/build.sh" "${buildFlags[@]}" </dev/null
fi
mkdir -p "$logs"
[ ! -x "$spacer" ] || toolFlags=("--spacer-tool=$spacer" --delta)

passed=0 failed=0 skipped=0 table=()
for suite in $only; do
  printf '\n== %s\n' "$suite"
  log=$logs/$suite.log status=0 start=$SECONDS
  # Not in an `if` or after `!`: set -e must hold inside the suite.
  set +e
  (set -e; "suite_$suite") </dev/null >"$log" 2>&1
  status=$?
  set -e
  read -r p f s <<<"$(sed -n 's/^\([0-9]\{1,\}\) passed, \([0-9]\{1,\}\) failed, \([0-9]\{1,\}\) skipped$/\1 \2 \3/p' "$log" |
    awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }')"
  # e2e may be empty; any other suite that ran nothing did not run.
  if [ $status != 0 ] && [ "$f" = 0 ]; then f=1; fi
  if [ $((p + f + s)) = 0 ] && [ "$suite" != e2e ]; then f=1; fi
  if [ "$f" != 0 ]; then
    grep -E '^(FAIL|XPASS|UNRESOLVED|TIMEOUT)|\*\*\*(Failed|Exception|Timeout)|\(Failed\)' "$log" | head -n 40 || true
    echo "... the end of $log:"
    tail -n 25 "$log"
  fi
  line=$(printf '%-7s %5d s   %s' "$suite" $((SECONDS - start)) "$(summary "$p" "$f" "$s")")
  echo "$line"
  table+=("$line")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done

printf '\n== all\n'
printf '%s\n' "${table[@]}"
summary $passed $failed $skipped
[ $failed = 0 ]
