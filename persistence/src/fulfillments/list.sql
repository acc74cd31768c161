-- Fulfillments of orders, which wholesale purchases are not, above one version, up to another, newest first. A serial's import, and by it the
-- product, is its id without the ordinal in the low 32 bits.
SELECT e.balance_id, e.version, e.id, e.amount, e.balance_after, e.created_at, e.reference, e.channel,
       e.key_id, e.fingerprint, e.email_sealed, e.serial_ids, e.details,
       COALESCE(r.refunded, 0) AS refunded
FROM ledger_entries AS e
LEFT JOIN refunded AS r ON r.balance_id = e.balance_id AND r.version = e.version
WHERE e.balance_id = $1 AND e.version > $2 AND e.version <= $3 AND e.kind = 1 AND e.channel <> 7
  AND ($4::smallint IS NULL OR e.channel = $4)
  AND ($5::uuid IS NULL OR EXISTS (
    SELECT FROM UNNEST(e.serial_ids) AS sold (serial_id)
    JOIN imports AS i ON i.import_id = (LEFT(sold.serial_id::text, 28) || '00000000')::uuid
    WHERE i.product_id = $5
  ))
  AND ($7::text[] IS NULL OR CASE WHEN COALESCE(r.refunded, 0) = 0 THEN 'DELIVERED'
         WHEN r.refunded < r.cost THEN 'PARTIALLY_REFUNDED' ELSE 'REFUNDED' END = ANY ($7))
ORDER BY e.balance_id DESC, e.version DESC
LIMIT $6
