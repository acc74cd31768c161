-- What is reserved of product $1, or of its variant $2: what has no end and was not redeemed, those that had
-- their units when they were made before those that wait, of those the ones that somebody paid for or said
-- yes to before the others, the oldest first. What was paid is as old as its payment.
SELECT r.withdrawal_id, r.quantity, r.waits, r.unpaid
FROM reservations AS r
LEFT JOIN LATERAL (
  SELECT w.withdrawal_id FROM withdrawals AS w WHERE w.withdrawal_id = r.withdrawal_id LIMIT 1
) AS redeemed ON true
WHERE r.product_id = $1 AND r.variant_id IS NOT DISTINCT FROM $2 AND r.ended_at IS NULL
  AND redeemed.withdrawal_id IS NULL
ORDER BY r.waits, r.unpaid, r.reserved_at, r.withdrawal_id
