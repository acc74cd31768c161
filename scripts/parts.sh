#!/usr/bin/env bash
# Runs parts of `make test` in turn, all of them even if one fails, and closes with one summary:
# each part's verdict and duration, then the tests counted over all parts. A part that hangs is ended, so
# that the others still run and the summary says which it was.
set -uo pipefail
cd "$(dirname "$0")/.."

logs=target/parts
mkdir -p "$logs"
rows=() failed=0 began=$SECONDS

for part in "$@"; do
    printf '\n==> %s\n' "$part"
    start=$SECONDS verdict=ok
    timeout "${PART_SECONDS:-1800}" make --no-print-directory "$part" 2>&1 | tee "$logs/$part.log" || verdict=FAILED
    [ "$verdict" = ok ] || failed=$((failed + 1))
    if [ "$verdict" = ok ] && grep -q "^$part: skipped" "$logs/$part.log"; then verdict=skipped; fi
    rows+=("$(printf '%-10s %-8s %5d s' "$part" "$verdict" $((SECONDS - start)))")
done

# Lines of cargo test, node's runner and promtool's silence: what ran is what was counted.
count() {
    local log total=0 n
    for part in "${parts[@]}"; do
        log=$logs/$part.log
        while read -r n; do total=$((total + n)); done < <(
            sed -nE "s/^test result: .* ([0-9]+) $1;.*/\1/p; s/^(# |ℹ )$2 ([0-9]+)$/\2/p" "$log")
    done
    echo "$total"
}
parts=("$@")

printf '\n==> summary\n'
printf '%s\n' "${rows[@]}"
printf '%-10s %-8s %5d s\n\n' all "$([ $failed = 0 ] && echo ok || echo FAILED)" $((SECONDS - began))
printf '%d passed, %d failed\n' "$(count passed pass)" "$(count failed fail)"
[ "$failed" = 0 ]
