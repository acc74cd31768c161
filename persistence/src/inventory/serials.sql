-- Serials of product $2 of merchant $1, or of its variant $3, or of import $4, in the order of sale.
FROM imports AS i
CROSS JOIN LATERAL (
  SELECT s.serial_id, s.sealed, s.removed_at FROM serials AS s
  WHERE s.serial_id >= i.import_id
    AND s.serial_id <= (LEFT(i.import_id::text, 28) || 'ffffffff')::uuid
) AS s
LEFT JOIN serial_claims AS c ON c.serial_id = s.serial_id
LEFT JOIN ledger_entries AS e
  ON c.kind = 1 AND e.balance_id = c.balance_id AND e.version = c.version
CROSS JOIN LATERAL (
  SELECT CASE
    WHEN c.kind IS NULL THEN 'AVAILABLE'
    WHEN c.kind = 3 OR s.removed_at IS NOT NULL THEN 'REMOVED'
    WHEN c.kind = 2 THEN 'QUARANTINED'
    WHEN c.kind = 4 THEN 'PULLED'
    WHEN EXISTS (
      SELECT FROM replacements AS r WHERE r.serial_id = s.serial_id AND r.status NOT IN ('REJECTED', 'CANCELLED')
        AND r.status IN ('ISSUED', 'CREDITED')
    ) OR EXISTS (
      SELECT FROM sold_serials AS g WHERE g.serial_id = s.serial_id AND g.successor_id IS NOT NULL
    ) THEN 'BURNED'
    WHEN c.kind = 6 OR e.channel = 7 THEN 'ASSIGNED'
    WHEN c.kind = 5 AND EXISTS (
      SELECT FROM inventory_items AS n WHERE n.serial_id = s.serial_id
    ) THEN 'ASSIGNED'
    ELSE 'SOLD'
  END AS status
) AS t
WHERE i.merchant_id = $1 AND i.product_id = $2 AND NOT i.test
  AND ($3::uuid IS NULL OR i.variant_id = $3) AND ($4::uuid IS NULL OR i.import_id = $4)
  AND ($5::text[] = '{}' OR t.status = ANY ($5))
