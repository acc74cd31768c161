#!/usr/bin/env bash
# Breaks one rule at a time and demands that the tests notice. Without names: all of scripts/sabotage.txt.
#   scripts/sabotage.sh [name ...]
set -uo pipefail
cd "$(dirname "$0")/.."

logs=target/sabotage
mkdir -p "$logs"
rows=() survived=0 known=0

# A sabotage that does not compile was not caught, nor was one whose tests were never run.
try() {
    local name=$1 package=$2 log=$logs/$1.log
    shift 2
    local target=() filters=()
    while [ $# -gt 0 ]; do
        case $1 in
        --*) target+=("$1" "$2") && shift 2 ;;
        *) filters+=("$1") && shift ;;
        esac
    done
    local command=(cargo test --locked --quiet -p "$package" --features "sabotage_$name" "${target[@]}")
    if ! "${command[@]}" --no-run >"$log" 2>&1; then
        verdict="does not compile"
    elif timeout "${SABOTAGE_SECONDS:-600}" "${command[@]}" -- "${filters[@]}" >>"$log" 2>&1; then
        verdict=SURVIVED
    elif grep -q '^test result: FAILED' "$log"; then
        verdict="caught by $(grep -cE '^    [a-z_:]+$' "$log") tests"
        return 0
    else
        verdict="ended without a result"
    fi
    return 1
}

while read -r name package arguments; do
    [[ -z $name || $name == \#* ]] && continue
    [[ $# -gt 0 && " $* " != *" $name "* ]] && continue
    known=$((known + 1)) start=$SECONDS
    printf '%s ...\n' "$name"
    # shellcheck disable=SC2086 # the arguments are words
    try "$name" "$package" $arguments || survived=$((survived + 1))
    rows+=("$(printf '%-28s %-26s %5d s' "$name" "$verdict" $((SECONDS - start)))")
done <scripts/sabotage.txt

printf '\n'
printf '%s\n' "${rows[@]}"
printf '\n%d sabotages, %d not caught; logs in %s\n' "$known" "$survived" "$logs"
[ "$survived" = 0 ] && [ "$known" -gt 0 ]
