# A reseller in mode STOCK: serials bought in advance, delivered one by one, what is left given back.
part 'Wholesale'

title 'A reseller buys stock to sell on, and pays it by bank'
stocks 8 E
joins stock STOCK ',"custom_wholesale_discount_percent":15'
own POST listings "{\"product_id\":\"$PRODUCT\",\"price\":\"15.00\"}"
expect 403 MODE_NOT_ALLOWED
own POST stock-requests "{\"product_id\":\"$PRODUCT\",\"quantity\":2,\"coin\":\"BANK\"}"
expect 201
same 'the purchase' "$(texts unit_price total status)" '10.20 20.40 REQUESTED'
REQUEST=$(text id)
TRANSFER=/dev/v1/resellers/$RESELLER/stock-transfers/$REQUEST
merchant POST "$TRANSFER/invoice" '{}'
expect 200
same 'the purchase' "$(text status)" INVOICED
say "$(text instructions)"
for _ in first again; do
    merchant POST "$TRANSFER/mark-paid" "{\"reference\":\"$RUN\"}"
    expect 200
    same 'the purchase' "$(text status)" ALLOCATED
done
say 'marked paid twice: one set of two serials for 20.40'

title 'delivers one of the two'
own GET inventory
expect 200
ITEM=$(text id)
for _ in first again; do
    own POST "inventory/$ITEM/deliver" '{"email":"ann@example.com"}'
    expect 200
    same 'the item' "$(text status)" DELIVERED
done
say "$(text serial) went to ann@example.com"
own POST "inventory/$ITEM/deliver" '{"email":"bob@example.com"}'
expect 409 INVALID_STATE
say 'once, and to nobody else'

title 'and the merchant takes the other back'
merchant POST "$TRANSFER/revoke" '{"reason":"The tour says so"}'
expect 200
same 'what goes back' "$(text refunded)" 10.20
own GET balance
expect 200
same 'the balance' "$(text available)" 10.20
own GET inventory/summary
expect 200
say 'what was paid for the one that never left goes to the balance: 10.20'
