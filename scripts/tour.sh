#!/usr/bin/env bash
# The whole story over HTTP on a running `consign dev`: program, product, serials, invitation, acceptance,
# terms, key, balance, orders, limit, price change, a customer's purchase, suspension, wholesale, and a
# statement that sums.
#
# usage: scripts/tour.sh [path of demo.json]      (.consign/demo.json if none is given)
#
# Needs nothing but curl. May be run again: every run invites somebody else. Ends with 1 at the first
# answer that is not the expected one.
set -euo pipefail

DEMO=${1:-.consign/demo.json}
RUN=$$-$RANDOM
PASSWORD=marble-7-window-tea
JAR=$(mktemp)
trap 'rm -f "$JAR"' EXIT

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
person() { call "$1" "$2" "${3-}" --cookie "$JAR" --cookie-jar "$JAR" --header 'sec-fetch-site: same-origin'; }
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
# leads PATH FORM: where a form of a customer's page leads.
leads() {
    local to
    to=$(curl --silent --show-error --max-time 20 --output /dev/null --write-out '%{redirect_url}' --data "$2" "$BASE$1")
    printf '%s' "${to#"$BASE"}"
}
# order ID [FIELDS]: an order of one unit of the product.
order() {
    shop POST /reseller/v1/fulfillments \
        "{\"external_order_id\":\"$1\",\"product_id\":\"$PRODUCT\",\"customer_email\":\"ann@example.com\"${2-}}"
}

title 'The merchant opens its reseller program'
merchant PATCH /dev/v1/reseller-program '{"is_enabled":true}'
expect 200
say "everybody is given $(printf '%s' "$ANSWER" | grep -o '"default_wholesale_discount_percent":[^,]*' | cut -d : -f 2) % off the base price"

title 'makes a product and stocks it'
merchant POST /dev/v1/products "{\"title\":\"Tour $RUN\",\"type\":\"SERIALS\",\"base_price\":\"10.00\"}"
expect 201
PRODUCT=$(text id)
merchant POST "/dev/v1/products/$PRODUCT/serials" \
    "{\"serials\":[\"$RUN-A\",\"$RUN-B\",\"$RUN-C\",\"$RUN-D\",\"$RUN-E\"]}"
expect 201
say "$PRODUCT at 10.00, five serials"

title 'invites a reseller'
merchant POST /dev/v1/resellers/invite \
    "{\"email\":\"tour-$RUN@partner.example\",\"mode\":\"BOTH\",\"product_ids\":[\"$PRODUCT\"]}"
expect 201
TOKEN=$(text token)
RESELLER=$(text relationship_id)
say "$(text accept_url)"

title 'The invited person accepts and is signed in'
person GET "/portal/v1/invitations/$TOKEN"
expect 200
person POST "/portal/v1/invitations/$TOKEN/accept" \
    "{\"accept_terms\":true,\"name\":\"Tour $RUN\",\"password\":\"$PASSWORD\"}"
expect 200
same 'the relationship' "$(text relationship_id)" "$RESELLER"
say "$RESELLER"

title 'The merchant sets terms: 15 % off, at most 25.00 a day'
merchant PATCH "/dev/v1/resellers/$RESELLER" \
    '{"custom_wholesale_discount_percent":15,"purchase_limit_daily":25}'
expect 200
say 'in force with the answer'

title 'The reseller makes a key for its shop'
person POST /portal/v1/step-up "{\"password\":\"$PASSWORD\"}"
expect 200
person POST "/portal/v1/programs/$RESELLER/api-keys" \
    '{"name":"Shop","scopes":["balance.read","products.read","fulfillments.read","fulfillments.write"]}'
expect 201
KEY=$(text key)
say "$(text prefix)..., its secret is told this once"

title 'and has nothing to spend yet'
order "tour-$RUN-1"
expect 402 INSUFFICIENT_BALANCE
say "$(text message)"

title 'A top-up of 100.00 is opened, and the merchant sees the money'
merchant POST "/dev/v1/resellers/$RESELLER/top-ups" '{"amount":"100.00"}'
expect 201
TOP_UP=$(text id)
for _ in first again; do
    merchant POST "/dev/v1/resellers/$RESELLER/top-ups/$TOP_UP/mark-paid" '{}'
    expect 200
    same 'the top-up' "$(text status)" COMPLETED
done
shop GET /reseller/v1/balance
expect 200
same 'the balance' "$(text available)" 100.00
say 'marked paid twice, credited once'

title 'The shop orders: one debit, one serial'
order "tour-$RUN-1"
expect 201
SERIAL=$(text serial)
say "$SERIAL for $(text unit_price), $(text balance_after) left"
order "tour-$RUN-1"
expect 200
same 'the serial of the same order' "$(text serial)" "$SERIAL"
say 'the same order again: the same serial, nothing debited'

title 'reaches the daily limit with its third order'
order "tour-$RUN-2"
expect 201
order "tour-$RUN-3"
expect 403 PURCHASE_LIMIT_EXCEEDED
say "$(text message)"
merchant PATCH "/dev/v1/resellers/$RESELLER" '{"purchase_limit_daily":null}'
expect 200
order "tour-$RUN-3"
expect 201
say 'the limit is lifted: the same order is delivered'

title 'The price rises'
merchant PATCH "/dev/v1/products/$PRODUCT" '{"base_price":"12.00"}'
expect 200
order "tour-$RUN-4" ',"max_unit_price":"8.50"'
expect 422 PRICE_CHANGED
say "$(text message)"
order "tour-$RUN-4"
expect 201
same 'the new price' "$(text unit_price)" 10.20
say 'without a maximum it is sold at the new price: 10.20'

title 'A customer buys the last one on a page'
merchant POST /dev/v1/checkout/sessions "{\"product_id\":\"$PRODUCT\",\"quantity\":1}"
expect 201
VISIT=$(text url)
INVOICE=$(leads "${VISIT#"$BASE"}" 'email=ann%40example.com&coin=BANK')
merchant GET '/dev/v1/invoices?purpose=CHECKOUT&limit=1'
expect 200
same 'the invoice' "$(text status) $(text amount)" 'OPEN 12.00'
BOUGHT=$(text id)
for _ in first again; do
    merchant POST "/dev/v1/invoices/$BOUGHT/complete" '{}'
    expect 200
    same 'the invoice' "$(text status)" COMPLETED
done
ANSWER=$(curl --silent --show-error --max-time 20 --data '' "$BASE$INVOICE/reveal")
same 'the serial on the page' "$(printf '%s' "$ANSWER" | sed -n 's/^<pre>\(.*\)<\/pre>$/\1/p')" "$RUN-E"
say "$RUN-E for 12.00; paid twice, delivered once"

title 'The reseller is suspended'
merchant POST "/dev/v1/resellers/$RESELLER/suspend" '{"reason":"The tour says so"}'
expect 200
order "tour-$RUN-5"
expect 403 RELATIONSHIP_INACTIVE
say "$(text message)"
order "tour-$RUN-1"
expect 200
same 'the serial of a delivered order' "$(text serial)" "$SERIAL"
say 'what was delivered is still told'
merchant POST "/dev/v1/resellers/$RESELLER/reactivate"
expect 200

title 'The reseller buys stock to sell on, and pays it by bank'
merchant POST "/dev/v1/products/$PRODUCT/serials" "{\"serials\":[\"$RUN-F\",\"$RUN-G\"]}"
expect 201
person POST "/portal/v1/programs/$RESELLER/stock-requests" \
    "{\"product_id\":\"$PRODUCT\",\"quantity\":2,\"coin\":\"BANK\"}"
expect 201
REQUEST=$(text id)
merchant POST "/dev/v1/resellers/$RESELLER/stock-transfers/$REQUEST/invoice" '{}'
expect 200
same 'the purchase' "$(text status)" INVOICED
say "$(text instructions)"
for _ in first again; do
    merchant POST "/dev/v1/resellers/$RESELLER/stock-transfers/$REQUEST/mark-paid" "{\"reference\":\"$RUN\"}"
    expect 200
    same 'the purchase' "$(text status)" ALLOCATED
done
say 'marked paid twice: one set of two serials'

title 'delivers one of the two, and the merchant takes the other back'
person GET "/portal/v1/programs/$RESELLER/inventory"
expect 200
ITEM=$(text id)
person POST "/portal/v1/programs/$RESELLER/inventory/$ITEM/deliver" '{"email":"ann@example.com"}'
expect 200
same 'the item' "$(text status)" DELIVERED
say "$(text serial) went to ann@example.com"
merchant POST "/dev/v1/resellers/$RESELLER/stock-transfers/$REQUEST/revoke" '{"reason":"The tour says so"}'
expect 200
same 'what goes back' "$(text refunded)" 10.20
say 'what was paid for the one that never left goes to the balance: 10.20'

title 'The statement sums'
YEAR=$(date -u +%Y)
shop GET "/reseller/v1/balance/statement?from=$YEAR-01-01T00:00:00.000Z&to=$((YEAR + 1))-01-01T00:00:00.000Z"
expect 200
OPENING=$(text opening_balance)
CLOSING=$(text closing_balance)
TOTALS=$(printf '%s' "$ANSWER" | sed 's/.*"totals":{\([^}]*\)}.*/\1/')
SUM=$(printf '%s,' "$TOTALS" | tr ',' '\n' | cut -d '"' -f 4 |
    awk -v opening="$OPENING" '{ cents += $1 * 100 } END { printf "%.2f", opening + cents / 100 }')
same 'the sum of the statement' "$SUM" "$CLOSING"
same 'the closing balance' "$CLOSING" 74.50
shop GET /reseller/v1/balance
expect 200
same 'the balance' "$(text available)" "$CLOSING"
say "$OPENING + ($(printf '%s' "$TOTALS" | tr -d '"')) = $CLOSING"

printf '\nAll %d steps went as they should.\n' "$step"
