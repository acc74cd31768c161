# A partner in mode AFFILIATE: a link, a widget, commissions, a refund that takes one back, a payout.
part 'Links and widgets'

# earned: what the partner's account says.
earned() {
    own GET earnings
    expect 200
    texts pending approved paid_out open_payouts available
}

title 'A partner joins, for 10 % of what it brings'
stocks 8 C
joins affiliate AFFILIATE ',"custom_commission_percent":10'
own POST api-keys '{"name":"Shop","scopes":["fulfillments.write"]}'
expect 403 MODE_NOT_ALLOWED
own POST stock-requests "{\"product_id\":\"$PRODUCT\",\"quantity\":1,\"coin\":\"BANK\"}"
expect 403 MODE_NOT_ALLOWED
say "$RESELLER; in this mode it neither orders nor buys"

title 'A customer follows two of its links to the product; the last one counts'
for name in Poster Blog; do
    own POST links "{\"name\":\"$name\",\"target_product_id\":\"$PRODUCT\"}"
    expect 201
    LINK=$(text url)
    page "${LINK#"$BASE"}"
    expect 302
done
page "/checkout/p/$PRODUCT"
expect 200
buys "/checkout/p/$PRODUCT" 'quantity=1&email=ann%40example.com' 12.00
same 'the sale' "$(sold)" 'LINK 12.00 1.20 PENDING'
own GET 'links?limit=1'
expect 200
same 'the link' "$(texts name revenue commission)" 'Blog 12.00 1.20'
say '12.00 paid, 1.20 of it the commission of Blog'

title 'A widget in a foreign page sells two'
own POST embed-campaigns "{\"name\":\"Widget $RUN\",\"product_ids\":[\"$PRODUCT\"]}"
expect 201
CAMPAIGN=$(text id)
own GET "embed-campaigns/$CAMPAIGN/snippet"
expect 200
SNIPPET=$(printf '%s' "$ANSWER" | sed 's/.*"snippet":"\(.*\)","preview_url".*/\1/; s/\\"/"/g')
WIDGET=$(text preview_url)
page "${WIDGET#"$BASE"}"
expect 200
BUTTON=$(printf '%s' "$ANSWER" | sed -n 's/.*class="buy" href="\([^"]*\)".*/\1/p' | sed 's/&amp;/\&/g')
BUTTON=${BUTTON#"$BASE"}
page "${BUTTON/t=ce1./t=ce2.}"
expect 403
page "$BUTTON"
expect 200
buys "${BUTTON%%\?*}" "${BUTTON#*\?}&quantity=2&email=ann%40example.com" 24.00
WIDGETS=$BOUGHT
same 'the sale' "$(sold)" 'CAMPAIGN 24.00 2.40 PENDING'
say "$SNIPPET"
say '24.00 paid, 2.40 earned; a token that was edited sells nothing'

title 'The merchant approves both commissions'
# approves COUNT: the commissions of so many of the newest sales.
approves() {
    merchant GET "/dev/v1/resellers/$RESELLER/sales?limit=$1"
    expect 200
    local commission
    for commission in $(printf '%s' "$ANSWER" | grep -o '"id":"com_[^"]*"' | cut -d '"' -f 4); do
        merchant POST "/dev/v1/resellers/$RESELLER/commissions/$commission/approve"
        expect 200
        same 'the commission' "$(text status)" APPROVED
    done
}
same 'the account' "$(earned)" '3.60 0.00 0.00 0.00 0.00'
approves 2
same 'the account' "$(earned)" '0.00 3.60 0.00 0.00 3.60'
say '3.60 to be paid out'

title 'The partner asks for 3.00, and is paid'
merchant PATCH /dev/v1/reseller-program \
    '{"payout_assets":[{"asset":"USDC","network":"BASE"}],"min_payout_threshold":"1.00"}'
expect 200
# asks AMOUNT ADDRESS
asks() { own POST payouts "{\"amount\":\"$1\",\"asset\":\"USDC\",\"network\":\"BASE\",\"address\":\"$2\"}"; }
ADDRESS=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed
asks 3.00 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa
expect 422 VALIDATION_ERROR
asks 3.61 $ADDRESS
expect 422 AMOUNT_OUT_OF_RANGE
asks 3.00 $ADDRESS
expect 201
PAYOUT=$(text id)
same 'the account' "$(earned)" '0.00 3.60 0.00 3.00 0.60'
PAYOUTS=/dev/v1/resellers/$RESELLER/payouts/$PAYOUT
merchant POST "$PAYOUTS/approve"
expect 409 INVALID_STATE
say 'nobody was ever paid at this address: it waits a day, unless the merchant insists'
merchant POST "$PAYOUTS/force-approve" '{"reason":"The tour says so"}'
expect 200
same 'the payout' "$(text status)" APPROVED
HASH=0x$(printf '%s' "$RUN" | openssl dgst -sha256 -r | cut -c 1-64)
for _ in first again; do
    merchant POST "$PAYOUTS/complete" "{\"tx_hash\":\"$HASH\"}"
    expect 200
    same 'the payout' "$(texts status proof)" 'COMPLETED UNVERIFIED'
done
same 'the account' "$(earned)" '0.00 3.60 3.00 0.00 0.60'
say "3.00 paid once, 0.60 left"

title 'The customer of the widget is given the money back: its commission goes too'
for _ in first again; do
    merchant POST "/dev/v1/invoices/$WIDGETS/refund" "{\"refund_ref\":\"$RUN\",\"reason\":\"The tour says so\"}"
    expect 200
    same 'the invoice' "$(texts status refunded)" 'REFUNDED 24.00'
done
same 'the sale' "$(sold)" 'CAMPAIGN 24.00 2.40 REVERSED'
same 'the account' "$(earned)" '0.00 1.20 3.00 0.00 -1.80'
asks 1.00 $ADDRESS
expect 422 AMOUNT_OUT_OF_RANGE
say 'paid out already: 1.80 is missing, and the next commissions fill it first'
page "${LINK#"$BASE"}"
expect 302
buys "/checkout/p/$PRODUCT" 'quantity=2&email=ann%40example.com' 24.00
same 'the sale' "$(sold)" 'LINK 24.00 2.40 PENDING'
approves 1
same 'the account' "$(earned)" '0.00 3.60 3.00 0.00 0.60'
say 'another 2.40 was earned: 0.60 can be asked for'
