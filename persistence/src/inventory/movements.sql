-- What came onto the shelves of product $2 of merchant $1 and what left them, newest first: below the
-- time $7 and the id $8, if there is one.
SELECT m.type, m.reference_id, m.variant_id, m.quantity, m.occurred_at, m.label, m.order_id
FROM (
  SELECT 'restock' AS type, i.import_id AS reference_id, i.variant_id, i.serials::bigint AS quantity,
         i.created_at AS occurred_at, i.label, NULL AS order_id
  FROM imports AS i
  WHERE i.merchant_id = $1 AND i.product_id = $2 AND i.number IS NOT NULL AND i.serials > 0
  UNION ALL
  SELECT CASE w.kind WHEN 3 THEN 'removal' WHEN 4 THEN 'claim' WHEN 5 THEN 'replacement'
           WHEN 7 THEN 'sale'
           ELSE 'reseller_stock' END,
         w.withdrawal_id, w.variant_id, -CARDINALITY(w.serial_ids)::bigint, w.withdrawn_at, NULL, NULL
  FROM withdrawals AS w
  WHERE w.merchant_id = $1 AND w.product_id = $2
  UNION ALL
  SELECT CASE e.channel WHEN 7 THEN 'reseller_stock' ELSE 'reseller_fulfillment' END, e.id,
         sold.variant_id, -sold.units, e.created_at, NULL,
         CASE e.channel WHEN 7 THEN e.reference END
  FROM (
    SELECT c.balance_id, c.version, i.variant_id, COUNT(*) AS units
    FROM imports AS i
    JOIN serial_claims AS c
      ON c.serial_id >= i.import_id AND c.kind = 1
     AND c.serial_id <= (LEFT(i.import_id::text, 28) || 'ffffffff')::uuid
    WHERE i.merchant_id = $1 AND i.product_id = $2 AND NOT i.test
    GROUP BY c.balance_id, c.version, i.variant_id
  ) AS sold
  JOIN ledger_entries AS e ON e.balance_id = sold.balance_id AND e.version = sold.version
) AS m
WHERE ($3::text[] = '{}' OR m.type = ANY ($3)) AND ($4::uuid IS NULL OR m.variant_id = $4)
  AND ($5::timestamptz IS NULL OR m.occurred_at >= $5)
  AND ($6::timestamptz IS NULL OR m.occurred_at < $6)
  AND ($7::timestamptz IS NULL OR (m.occurred_at, m.reference_id) < ($7, $8::uuid))
ORDER BY m.occurred_at DESC, m.reference_id DESC LIMIT $9
