#!/usr/bin/env bash
# The whole story over HTTP on a running `consign dev`: a shop that orders, a partner with links and widgets, a
# reseller with prices of its own, wholesale, and a check that all of it adds up. The parts are in scripts/tour/.
#
# usage: scripts/tour.sh [path of demo.json]      (.consign/demo.json if none is given)
#
# Needs nothing but curl and openssl. May be run again: every run invites somebody else. Ends with 1 at the
# first answer that is not the expected one.
set -euo pipefail

DEMO=${1:-.consign/demo.json}
PARTS=$(dirname "$0")/tour
RUN=$$-$RANDOM
PASSWORD=marble-7-window-tea
JARS=$(mktemp -d)
trap 'rm -rf "$JARS"' EXIT

# of_demo NAME: the first text of that name in demo.json.
of_demo() { sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" "$DEMO" | head -n 1; }

if [ ! -r "$DEMO" ]; then
    echo "tour: cannot read $DEMO: start \`consign dev\` (make run) first" >&2
    exit 1
fi
BASE=$(of_demo base_url)
MERCHANT=$(of_demo key)

step=0
title() {
    step=$((step + 1))
    printf '\n%2d  %s\n' "$step" "$1"
}
part() { printf '\n--  %s\n' "$1"; }
say() { printf '    %s\n' "$1"; }

STATUS=
ANSWER=
# call METHOD PATH [BODY] [curl arguments...]: sets STATUS and ANSWER.
call() {
    local method=$1 path=$2 body=${3-}
    shift 2
    if [ $# -gt 0 ]; then shift; fi
    local sent=(--silent --show-error --max-time 20 --request "$method" --write-out '\n%{http_code}')
    if [ -n "$body" ]; then sent+=(--header 'content-type: application/json' --data "$body"); fi
    ANSWER=$(curl "${sent[@]}" "$@" "$BASE$path")
    STATUS=${ANSWER##*$'\n'}
    ANSWER=${ANSWER%$'\n'*}
}
merchant() { call "$1" "$2" "${3-}" --header "authorization: Bearer $MERCHANT"; }
# The person who joined last, as a browser of theirs.
person() { call "$1" "$2" "${3-}" --cookie "$JAR" --cookie-jar "$JAR" --header 'sec-fetch-site: same-origin'; }
# What that person sees of the program.
own() { person "$1" "/portal/v1/programs/$RESELLER/$2" "${3-}"; }
shop() { call "$1" "$2" "${3-}" --header "authorization: Bearer $KEY"; }

# expect STATUS [CODE]: the last answer was this one.
expect() {
    if [ "$STATUS" != "$1" ] || { [ -n "${2-}" ] && [ "$(text code)" != "$2" ]; }; then
        printf '\ntour: expected %s %s, was answered %s\n%s\n' "$1" "${2-}" "$STATUS" "$ANSWER" >&2
        exit 1
    fi
}
# text NAME: the first text of that name in the last answer.
text() { printf '%s' "$ANSWER" | awk -v name="\"$1\":\"" '{
    at = index($0, name); if (at) { rest = substr($0, at + length(name)); print substr(rest, 1, index(rest, "\"") - 1) } }'; }
# same WHAT ONE OTHER: both are equal.
same() {
    if [ "$2" != "$3" ]; then
        printf '\ntour: %s: %s is not %s\n%s\n' "$1" "$2" "$3" "$ANSWER" >&2
        exit 1
    fi
}
# texts NAME...: the first text of each name, apart by a space.
texts() {
    local all=
    for name in "$@"; do all="$all $(text "$name")"; done
    printf '%s' "${all# }"
}
# page PATH [curl arguments...]: a page as a customer's browser asks for it; sets STATUS and ANSWER.
page() { call GET "$1" '' --cookie "$JARS/customer" --cookie-jar "$JARS/customer" --user-agent 'Mozilla/5.0 (X11)'; }
# leads PATH FORM: where a form of a customer's page leads.
leads() {
    local to
    to=$(curl --silent --show-error --max-time 20 --output /dev/null --write-out '%{redirect_url}' \
        --cookie "$JARS/customer" --data "$2" "$BASE$1")
    printf '%s' "${to#"$BASE"}"
}
# buys PAGE FORM AMOUNT: a customer sends the form of a page, says yes, and pays; sets BOUGHT and INVOICE.
buys() {
    local visit
    visit=$(leads "$1" "$2")
    INVOICE=$(leads "$visit" 'email=ann%40example.com&coin=BANK')
    merchant GET '/dev/v1/invoices?purpose=CHECKOUT&limit=1'
    expect 200
    same 'the invoice' "$(texts status amount)" "OPEN $3"
    BOUGHT=$(text id)
    merchant POST "/dev/v1/invoices/$BOUGHT/complete" '{}'
    expect 200
    same 'the invoice' "$(text status)" COMPLETED
}
# sold: the newest sale of the last who joined: what brought it, what was paid, what it earns.
sold() {
    merchant GET "/dev/v1/resellers/$RESELLER/sales?limit=1"
    expect 200
    local earns
    earns=$(printf '%s' "$ANSWER" | sed 's/.*"commission":{//')
    printf '%s %s %s' "$(text type)" "$(text net)" "$(ANSWER=$earns texts amount status)"
}
# joins NAME MODE [FIELDS]: somebody is invited, accepts, signs in and repeats the password; sets RESELLER.
joins() {
    merchant POST /dev/v1/resellers/invite \
        "{\"email\":\"tour-$RUN-$1@partner.example\",\"mode\":\"$2\",\"product_ids\":[\"$PRODUCT\"]${3-}}"
    expect 201
    local token
    token=$(text token)
    RESELLER=$(text relationship_id)
    JAR=$JARS/$1
    person GET "/portal/v1/invitations/$token"
    expect 200
    person POST "/portal/v1/invitations/$token/accept" \
        "{\"accept_terms\":true,\"name\":\"Tour $1 $RUN\",\"password\":\"$PASSWORD\"}"
    expect 200
    same 'the relationship' "$(texts relationship_id mode)" "$RESELLER $2"
    person POST /portal/v1/step-up "{\"password\":\"$PASSWORD\"}"
    expect 200
}
# stocks COUNT LETTER: so many serials more, $RUN-X1 and so on.
stocks() {
    local serials= number
    for ((number = 1; number <= $1; number++)); do serials="$serials,\"$RUN-$2$number\""; done
    merchant POST "/dev/v1/products/$PRODUCT/serials" "{\"serials\":[${serials#,}]}"
    expect 201
}

for name in shop affiliate auto_fulfilled stock sums; do
    # shellcheck source=/dev/null
    . "$PARTS/$name.sh"
done

printf '\nAll %d steps went as they should.\n' "$step"
