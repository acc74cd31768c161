# A reseller in mode AUTO_FULFILLED: the merchant's product at a price of its own, delivered from the merchant's stock.
part 'Prices of its own'

title 'A reseller joins that lists the product at its own price'
stocks 8 D
merchant PATCH "/dev/v1/products/$PRODUCT" '{"auto_fulfilled":true}'
expect 200
joins listing AUTO_FULFILLED ',"custom_wholesale_discount_percent":15'
own POST links '{"name":"Blog"}'
expect 403 MODE_NOT_ALLOWED
own GET "listings/quote?product_id=$PRODUCT&price=15.00"
expect 200
same 'the quote' "$(texts wholesale_price expected_margin)" '10.20 4.80'
own POST listings "{\"product_id\":\"$PRODUCT\",\"price\":\"10.19\"}"
expect 422 PRICE_OUT_OF_RANGE
own POST listings "{\"product_id\":\"$PRODUCT\",\"price\":\"15.00\"}"
expect 201
LISTING=$(text id)
same 'the listing' "$(texts price expected_margin status)" '15.00 4.80 ACTIVE'
say 'at 15.00 what costs it 10.20: 4.80 are its margin; below 10.20 is refused'

title 'A customer buys two from its widget'
own GET "listings/$LISTING/snippet?flavor=link"
expect 200
WIDGET=$(text preview_url)
page "${WIDGET#"$BASE"}"
expect 200
BUTTON=$(printf '%s' "$ANSWER" | sed -n 's/.*class="buy" href="\([^"]*\)".*/\1/p')
BUTTON=${BUTTON#"$BASE"}
page "$BUTTON"
expect 200
buys "${BUTTON%%\?*}" "${BUTTON#*\?}&quantity=2&email=ann%40example.com" 30.00
same 'the sale' "$(sold)" 'LISTING 30.00 9.60 PENDING'
call POST "$INVOICE/reveal" '' --data ''
expect 200
same 'the serials on the page' "$(printf '%s' "$ANSWER" | grep -c '^<pre>')" 2
own GET listings
expect 200
same 'the listing' "$(texts revenue margin)" '30.00 9.60'
say '30.00 paid, 9.60 earned, two serials of the merchant delivered'

title 'Half of it is given back'
merchant POST "/dev/v1/invoices/$BOUGHT/refund" "{\"amount\":\"15.00\",\"refund_ref\":\"$RUN-half\"}"
expect 200
same 'the invoice' "$(texts status refunded)" 'PARTIALLY_REFUNDED 15.00'
own GET earnings
expect 200
same 'the account' "$(texts pending available)" '4.80 0.00'
own GET listings
expect 200
same 'the listing' "$(texts revenue margin)" '15.00 4.80'
say 'and half of the margin with it'

title 'The product becomes dearer than its listing'
merchant PATCH "/dev/v1/products/$PRODUCT" '{"base_price":"20.00"}'
expect 200
page "$BUTTON"
expect 403
merchant PATCH "/dev/v1/products/$PRODUCT" '{"base_price":"12.00"}'
expect 200
page "$BUTTON"
expect 200
say 'nobody can buy it from the answer on, and everybody when the price is back'
