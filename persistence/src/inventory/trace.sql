-- Serials of merchant $1, each with the order it was delivered for; which of them, whoever asks appends.
SELECT s.serial_id, i.product_id, i.variant_id, i.label, i.created_at AS stored_at,
       CASE
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
       END AS status,
       e.id AS entry_id, b.relationship_id, e.balance_id, e.reference, e.email_sealed,
       e.created_at AS delivered_at
FROM serials AS s
JOIN imports AS i ON i.import_id = (LEFT(s.serial_id::text, 28) || '00000000')::uuid
LEFT JOIN serial_claims AS c ON c.serial_id = s.serial_id
LEFT JOIN ledger_entries AS e
  ON c.kind = 1 AND e.balance_id = c.balance_id AND e.version = c.version
LEFT JOIN balances AS b ON b.balance_id = e.balance_id
