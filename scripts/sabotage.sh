#!/usr/bin/env bash
# Breaks one rule at a time and demands that the tests notice. Without names: all of scripts/sabotage.txt.
#   scripts/sabotage.sh [name ...]
set -uo pipefail
cd "$(dirname "$0")/.."

logs=target/sabotage
mkdir -p "$logs"
rows=() survived=0 known=0

# The crash rig's rules are in one build of the binary. A run of it must end with a false verdict, not with
# anything else.
broken=
try_rig() {
    local name=$1 log=$logs/$1.log run=$PWD/$logs/run
    shift
    if [ -z "$broken" ]; then
        broken=$logs/bin
        rm -rf "$broken" && mkdir -p "$broken"
        cargo build --locked --quiet --workspace --bins --test tidy --features api/sabotage >"$log" 2>&1 &&
            cp target/debug/consign target/debug/loadtest "$broken"
    fi
    rm -rf "$run"
    if [ ! -x "$broken/consign" ]; then
        verdict="does not compile"
    elif CONSIGN_SABOTAGE=$name timeout "${SABOTAGE_SECONDS:-600}" "$broken/loadtest" crash --seed 1 \
        --directory "$run" "$@" >"$log" 2>&1; then
        verdict=SURVIVED
    elif grep -q '^C[0-9]* VIOLATED' "$log"; then
        verdict="caught by $(grep -oE '^C[0-9]+ VIOLATED' "$log" | cut -d' ' -f1 | xargs)"
        rm -rf "$run"
        return 0
    else
        verdict="ended without a verdict"
    fi
    return 1
}

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

# The simulation is no cargo test, and has all its rules in one build. It ends well, or says `sim:` and what
# is broken, or hangs, or dies with the engine's own guards: whatever is not an orderly success is noticed.
simulation=
try_sim() {
    local name=$1 seeds=$2 log=$logs/$1.log status said
    if [ -z "$simulation" ]; then
        simulation=$(RUSTFLAGS='--cfg tokio_unstable' cargo build --locked --quiet --profile sim -p engine \
            --test sim --features simulation,sabotage --message-format=json 2>"$log" |
            sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
    fi
    if [ ! -x "$simulation" ]; then
        verdict="does not compile"
        return 1
    fi
    timeout "${SABOTAGE_SECONDS:-600}" "$simulation" --sabotage "$name" --seeds "$seeds" >"$log" 2>&1
    status=$?
    said=$(sed -nE 's/^sim: (.{1,70}).*/\1/p' "$log" | head -1)
    case $status in
    0) verdict=SURVIVED && return 1 ;;
    124) verdict="caught: it hangs" ;;
    *) verdict="caught: ${said:-the engine ends its process}" ;;
    esac
}

while read -r name package arguments; do
    [[ -z $name || $name == \#* ]] && continue
    [[ $# -gt 0 && " $* " != *" $name "* ]] && continue
    known=$((known + 1)) start=$SECONDS
    printf '%s ...\n' "$name"
    # shellcheck disable=SC2086 # the arguments are words
    case $package in
    rig) try_rig "$name" $arguments </dev/null ;;
    sim) try_sim "$name" "$arguments" </dev/null ;;
    *) try "$name" "$package" $arguments </dev/null ;;
    esac || survived=$((survived + 1))
    rows+=("$(printf '%-28s %-26s %5d s' "$name" "$verdict" $((SECONDS - start)))")
done <scripts/sabotage.txt

printf '\n'
printf '%s\n' "${rows[@]}"
printf '\n%d sabotages, %d not caught; logs in %s\n' "$known" "$survived" "$logs"
[ "$survived" = 0 ] && [ "$known" -gt 0 ]
