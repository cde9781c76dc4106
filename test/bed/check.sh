#!/usr/bin/env bash
# Does a linker's output run like that of stock ld.lld?
#
#   check.sh --linker=PATH [--link-flags=FLAGS] [--apps='NAME...'] [--forms='unikernel linux']
#            [--keep=DIR] [--timeout=SECONDS] [build.sh's arguments]
#
# Links every application in every version and form with stock ld.lld-19 and with PATH, runs both
# and compares everything printed and the exit status.  The stock linker's results are kept below
# the build folder.  In FLAGS, {app}, {version} and {form} stand for themselves; FLAGS are split at
# spaces.  With --keep, the images stay in DIR, as APP.VERSION.FORM; otherwise they go away.
#
# Prints a line for each image, then "N passed, N failed, N skipped"; status 1 if one failed.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
stock=ld.lld-19
linker= flags= apps= forms="unikernel linux" keep= timeout=120 build=() version=all
for argument; do
  case $argument in
  --linker=*) linker=${argument#*=} ;;
  --link-flags=*) flags=${argument#*=} ;;
  --apps=*) apps=${argument#*=} ;;
  --forms=*) forms=${argument#*=} ;;
  --keep=*) keep=${argument#*=} ;;
  --timeout=*) timeout=${argument#*=} ;;
  --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  *)
    build+=("$argument")
    case $argument in --version=*) version=${argument#*=} ;; esac
    ;;
  esac
done
[ -n "$linker" ] || { echo "check.sh: --linker is missing; see --help" >&2; exit 2; }
command -v "$linker" >/dev/null || { echo "check.sh: no linker '$linker'" >&2; exit 2; }
linker=$(command -v "$linker")
stock=$(command -v $stock) || { echo "check.sh: $stock is missing" >&2; exit 1; }

out=$("$here/build.sh" "${build[@]}" | tail -n 1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "${keep:=$scratch/images}"
keep=$(cd "$keep" && pwd)
[ "$version" != all ] || version=base,patched
version=${version//,/ }
[ -n "$apps" ] || apps=$(cd "$here/apps" && printf '%s ' *.c | sed 's/\.c / /g')

# run IMAGE APP FORM: the console's text with "exit N" last, as boot.sh prints it.
run() {
  local input=/dev/null status=0
  [ ! -f "$here/apps/$2.in" ] || input=$here/apps/$2.in
  if [ "$3" = unikernel ]; then
    "$here/boot.sh" "$1" --timeout="$timeout" --input="$input" || true
  else
    rm -rf "$scratch/cwd"
    mkdir "$scratch/cwd"
    # The outer redirection is for the shell's own "Segmentation fault".
    { (cd "$scratch/cwd" && exec timeout "$timeout" "$1" <"$input" 2>&1) || status=$?; } 2>/dev/null
    echo "exit $status"
  fi
}

# The stock linker's result for DIR APP FORM, made again after a new build.
reference() {
  local dir=$1 app=$2 form=$3 text=$1/reference/$2.$3 option=
  [ "$form" = unikernel ] || option=--linux
  if ! cmp -s "$dir/key" "$text.key"; then
    mkdir -p "$dir/reference"
    "$here/link.sh" --linker="$stock" --dir="$dir" --app="$app" $option -o "$scratch/stock"
    run "$scratch/stock" "$app" "$form" >"$text.new.$$" 2>&1
    mv "$text.new.$$" "$text"
    cp "$dir/key" "$text.key"
  fi
  printf '%s\n' "$text"
}

passed=0 failed=0 skipped=0
report() { # KIND IMAGE [WHY]
  printf '%s %s%s\n' "$1" "$2" "${3:+: $3}"
  case $1 in pass) passed=$((passed + 1)) ;; FAIL) failed=$((failed + 1)) ;; skip) skipped=$((skipped + 1)) ;; esac
}

difference() { # EXPECTED FOUND
  awk 'NR == FNR { expected[FNR] = $0; next }
    expected[FNR] != $0 { printf "line %d is \"%s\", expected \"%s\"; ", FNR, $0, expected[FNR]; exit }' \
    "$1" "$2"
  echo "ends with $(tail -n 1 "$2"), expected $(tail -n 1 "$1")"
}

check() {
  local v=$1 app=$2 form=$3 image=$keep/$2.$1.$3 words= option= expected
  [ "$form" = unikernel ] || option=--linux
  if [ "$form" = unikernel ] && ! command -v qemu-system-x86_64 >/dev/null; then
    report skip "$app $v $form" "qemu-system-x86_64 is missing"
    return
  fi
  words=${flags//\{app\}/$app}; words=${words//\{version\}/$v}; words=${words//\{form\}/$form}
  if ! "$here/link.sh" --linker="$linker" --dir="$out/$v" --app="$app" $option -o "$image" -- $words \
    >"$scratch/link.log" 2>&1; then
    report FAIL "$app $v $form" "link: $(head -n 1 "$scratch/link.log")"
    return
  fi
  expected=$(reference "$out/$v" "$app" "$form")
  run "$image" "$app" "$form" >"$scratch/result" 2>&1
  if cmp -s "$scratch/result" "$expected"; then
    report pass "$app $v $form"
  else
    report FAIL "$app $v $form" "$(difference "$expected" "$scratch/result")"
  fi
}

for v in $version; do
  for app in $apps; do
    for form in $forms; do check "$v" "$app" "$form"; done
  done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
