# A reseller in mode BOTH, whose own shop orders by key and by signed calls from a prepaid balance.
part 'A shop of its own'

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
stocks 5 A
say "$PRODUCT at 10.00, five serials"

title 'invites a reseller, who accepts and is signed in'
joins both BOTH
say "$RESELLER"

title 'The merchant sets terms: 15 % off, at most 25.00 a day'
merchant PATCH "/dev/v1/resellers/$RESELLER" \
    '{"custom_wholesale_discount_percent":15,"purchase_limit_daily":25}'
expect 200
say 'in force with the answer'

title 'The reseller makes a key for its shop'
own POST api-keys '{"name":"Shop","scopes":["balance.read","products.read","fulfillments.read","fulfillments.write"]}'
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
same 'the invoice' "$(texts status amount)" 'OPEN 12.00'
BOUGHT=$(text id)
for _ in first again; do
    merchant POST "/dev/v1/invoices/$BOUGHT/complete" '{}'
    expect 200
    same 'the invoice' "$(text status)" COMPLETED
done
call POST "$INVOICE/reveal" '' --data ''
expect 200
same 'the serial on the page' "$(printf '%s' "$ANSWER" | sed -n 's/^<pre>\(.*\)<\/pre>$/\1/p')" "$RUN-A5"
say "$RUN-A5 for 12.00; paid twice, delivered once"

title 'A shop of another maker signs a call for what it sold'
stocks 2 B
SECRET=dynsec_0123456789abcdef0123456789abcdef
own POST connections "{\"name\":\"Second shop\",\"kind\":\"SELLAUTH\",\"secret\":\"$SECRET\",
    \"product_map\":[{\"foreign_product\":\"p-1\",\"product_id\":\"$PRODUCT\"}],\"daily_spend_cap\":\"50.00\"}"
expect 201
CONNECTION=$(text id)
HOOK=$(text callback_url)
HOOK=${HOOK#"$BASE"}
SOLD="{\"event\":\"INVOICE.ITEM.DELIVER-DYNAMIC\",\"unique_id\":\"$RUN\",\"email\":\"ann@example.com\",\"item\":{\"id\":7,\"product_id\":\"p-1\",\"quantity\":2}}"
# signs TEXT: as that shop does.
signs() { printf '%s' "$1" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -c 1-64; }
call POST "$HOOK" "$SOLD" --header "x-signature: $(signs "$SOLD ")"
expect 401
same 'what a wrong signature is told' "$ANSWER" ''
for _ in first again; do
    call POST "$HOOK" "$SOLD" --header "x-signature: $(signs "$SOLD")"
    expect 200
    same 'what the shop is told' "$ANSWER" "$RUN-B1
$RUN-B2"
done
shop GET /reseller/v1/balance
expect 200
same 'the balance' "$(text available)" 43.90
shop GET "/reseller/v1/fulfillments?external_order_id=$CONNECTION:$RUN:7"
expect 200
same 'the order' "$(texts channel total)" 'CALLBACK 20.40'
say 'two serials, one per line, for 20.40; asked twice, delivered once'

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
same 'the closing balance' "$CLOSING" 43.90
shop GET /reseller/v1/balance
expect 200
same 'the balance' "$(text available)" "$CLOSING"
say "$OPENING + ($(printf '%s' "$TOTALS" | tr -d '"')) = $CLOSING"
