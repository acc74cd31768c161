-- As the list of all, of those that were refunded in whole or in part: found by what was given back, which
-- is little, so a page costs what was refunded and not what was sold.
SELECT e.balance_id, e.version, e.id, e.amount, e.balance_after, e.created_at, e.reference, e.channel,
       e.key_id, e.fingerprint, e.email_sealed, e.serial_ids, e.details, r.refunded
FROM refunded AS r
CROSS JOIN LATERAL (
  SELECT l.balance_id, l.version, l.id, l.amount, l.balance_after, l.created_at, l.reference,
         l.channel, l.key_id, l.fingerprint, l.email_sealed, l.serial_ids, l.details
  FROM ledger_entries AS l
  WHERE l.balance_id = r.balance_id AND l.version = r.version AND l.kind = 1
    AND l.channel <> 7 LIMIT 1
) AS e
WHERE r.balance_id = $1 AND r.version > $2 AND r.version <= $3 AND r.refunded > 0
  AND ($4::smallint IS NULL OR e.channel = $4)
  AND ($5::uuid IS NULL OR EXISTS (
    SELECT FROM UNNEST(e.serial_ids) AS sold (serial_id)
    JOIN imports AS i ON i.import_id = (LEFT(sold.serial_id::text, 28) || '00000000')::uuid
    WHERE i.product_id = $5
  ))
  AND CASE WHEN r.refunded < r.cost THEN 'PARTIALLY_REFUNDED' ELSE 'REFUNDED' END = ANY ($7::text[])
ORDER BY r.balance_id DESC, r.version DESC
LIMIT $6
