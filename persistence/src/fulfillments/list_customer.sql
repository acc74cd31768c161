-- As the list of all, of those that went to an address: found by its digest $9 under merchant $8, so a page costs
-- what the customer bought.
SELECT e.balance_id, e.version, e.id, e.amount, e.balance_after, e.created_at, e.reference, e.channel,
       e.key_id, e.fingerprint, e.email_sealed, e.serial_ids, e.details,
       COALESCE(r.refunded, 0) AS refunded
FROM customer_orders AS o
CROSS JOIN LATERAL (
  SELECT l.balance_id, l.version, l.id, l.amount, l.balance_after, l.created_at, l.reference,
         l.channel, l.key_id, l.fingerprint, l.email_sealed, l.serial_ids, l.details
  FROM ledger_entries AS l
  WHERE l.balance_id = o.balance_id AND l.version = o.version AND l.kind = 1
    AND l.channel <> 7 LIMIT 1
) AS e
LEFT JOIN refunded AS r ON r.balance_id = o.balance_id AND r.version = o.version
WHERE o.merchant_id = $8 AND o.digest = $9 AND o.balance_id = $1 AND o.version > $2 AND o.version <= $3
  AND ($4::smallint IS NULL OR e.channel = $4)
  AND ($5::uuid IS NULL OR EXISTS (
    SELECT FROM UNNEST(e.serial_ids) AS sold (serial_id)
    JOIN imports AS i ON i.import_id = (LEFT(sold.serial_id::text, 28) || '00000000')::uuid
    WHERE i.product_id = $5
  ))
  AND ($7::text[] IS NULL OR CASE WHEN COALESCE(r.refunded, 0) = 0 THEN 'DELIVERED'
         WHEN r.refunded < r.cost THEN 'PARTIALLY_REFUNDED' ELSE 'REFUNDED' END = ANY ($7))
ORDER BY o.balance_id DESC, o.version DESC
LIMIT $6
