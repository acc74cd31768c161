#!/usr/bin/env bash
# Breaks one rule at a time and demands that the tests notice. Without names: all of scripts/sabotage.txt.
#   scripts/sabotage.sh [name ...]
# The same runs where nothing is broken must end well. Ends with one summary, which is in
# target/sabotage/summary.txt too.
set -uo pipefail
cd "$(dirname "$0")/.."

logs=$PWD/target/sabotage
programs=$logs/bin
seed=1
mkdir -p "$logs"
rows=() wrong=0 known=0
commit=$(git describe --always --dirty --abbrev=7 --exclude='*')

# All rules are in these builds, and the one to break is chosen when a program starts. What they made is
# copied, because the next ordinary build takes its place.
build_programs() {
    [ ! -e "$programs/built" ] || return 0
    printf 'building programs and tests with rules that can be broken ...\n'
    cargo build --locked --quiet --workspace --bins --test tidy --test it --features api/sabotage \
        --message-format=json 2>"$logs/build.log" >"$logs/build.json" || return 1
    cp target/debug/consign target/debug/loadtest "$programs" &&
        cp "$(made persistence it)" "$programs/persistence" && touch "$programs/built"
}

build_simulation() {
    [ ! -e "$programs/simulated" ] || return 0
    printf 'building the engine with rules that can be broken ...\n'
    RUSTFLAGS='--cfg tokio_unstable' cargo test --locked --quiet --profile sim -p engine --lib --test sim \
        --no-run --features simulation,sabotage --message-format=json \
        2>"$logs/build.log" >"$logs/build.json" || return 1
    cp "$(made engine sim)" "$programs/simulation" &&
        cp "$(made engine engine)" "$programs/engine" && touch "$programs/simulated"
}

# Where the last build put a package's target.
made() {
    grep "/$1#" "$logs/build.json" | grep "\"name\":\"$2\"" |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1
}

# A run of the rig must end with a false verdict, not with anything else.
try_rig() {
    local log=$logs/$known-$1-rig.log run=$logs/run
    shift
    build_programs || { verdict="does not compile"; return 1; }
    rm -rf "$run"
    if timeout "${SABOTAGE_SECONDS:-600}" "$programs/loadtest" crash --seed "$seed" \
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

# Tests that were never run have noticed nothing.
try_tests() {
    local log=$logs/$known-$1-$2.log package=$2
    shift 2
    case $package in
    engine) build_simulation ;;
    *) build_programs ;;
    esac || { verdict="does not compile"; return 1; }
    if (cd "$package" && timeout "${SABOTAGE_SECONDS:-600}" "$programs/$package" "$@") >"$log" 2>&1; then
        verdict=SURVIVED
    elif grep -q '^test result: FAILED' "$log"; then
        verdict="caught by $(grep -E '^    [a-z_:]+$' "$log" | sort -u | wc -l) tests"
        return 0
    else
        verdict="ended without a result"
    fi
    return 1
}

# The simulation ends well, or says `sim:` and what is broken, or hangs, or dies with the engine's own
# guards: whatever is not an orderly success is noticed.
try_sim() {
    local log=$logs/$known-$1-sim.log seeds=$2 status said at
    build_simulation || { verdict="does not compile"; return 1; }
    timeout "${SABOTAGE_SECONDS:-240}" "$programs/simulation" --seeds "$seeds" >"$log" 2>&1
    status=$?
    said=$(sed -nE 's/^sim: (.{1,60}).*/\1/p' "$log" | head -1)
    at=$(sed -nE 's/.*make sim SEED=([0-9]+).*/\1/p' "$log" | head -1)
    case $status in
    0) verdict=SURVIVED && return 1 ;;
    124) verdict="caught: it hangs" ;;
    *)
        # All promises were kept, though something never happened.
        if grep -q '^never struck' "$log"; then verdict=SURVIVED && return 1; fi
        verdict="caught${at:+ at seed $at}: ${said:-the engine ends its process}"
        ;;
    esac
}

# What was built from other sources than these is of no use.
rm -rf "$programs" && mkdir -p "$programs"
while read -r name level arguments; do
    [[ -z $name || $name == \#* ]] && continue
    [[ $# -gt 0 && " $* " != *" $name "* ]] && continue
    known=$((known + 1)) start=$SECONDS
    printf '%s ...\n' "$name"
    export CONSIGN_SABOTAGE=$name
    # shellcheck disable=SC2086 # the arguments are words
    case $level in
    rig) try_rig "$name" $arguments </dev/null ;;
    sim) try_sim "$name" "$arguments" </dev/null ;;
    *) try_tests "$name" "$level" $arguments </dev/null ;;
    esac
    caught=$?
    if [ "$name" = nothing ] && [ "$verdict" = SURVIVED ]; then
        verdict="ends well" caught=0
    elif [ "$name" = nothing ]; then
        verdict="FAILED: $verdict" caught=1
    fi
    wrong=$((wrong + caught))
    rows+=("$(printf '%-28s %-12s %4d s  %s' "$name" "$level" $((SECONDS - start)) "$verdict")")
done <scripts/sabotage.txt

{
    printf '\nsabotage: commit %s, seed %s of the rig, %d s\n' "$commit" "$seed" "$SECONDS"
    printf '%s\n' "${rows[@]}"
    printf '%d runs, %d not as they must be; logs in %s\n' "$known" "$wrong" target/sabotage
} | tee "$logs/summary.txt"
[ "$wrong" = 0 ] && [ "$known" -gt 0 ]
