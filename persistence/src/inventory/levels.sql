-- The shelves of merchant $1 whose products come after $2, at most $3 products in their order: how many
-- serials of each nobody has or has reserved, and how it stood at the last look. Of an import everything below its mark
-- is claimed, so what was sold long ago is not read.
WITH wares AS (
  SELECT p.product_id, p.low_stock_threshold
  FROM products AS p
  WHERE p.merchant_id = $1 AND p.product_id > $2 AND p.kind = 'SERIALS' AND p.status <> 'ARCHIVED'
  ORDER BY p.product_id LIMIT $3
)
SELECT w.product_id, v.variant_id, w.low_stock_threshold, l.level,
       GREATEST(stock.free - reserved.units, 0) AS free
FROM wares AS w
LEFT JOIN variants AS v ON v.product_id = w.product_id
LEFT JOIN shelf_levels AS l ON l.shelf_id = COALESCE(v.variant_id, w.product_id)
CROSS JOIN LATERAL (
  SELECT COALESCE(SUM(i.serials - i.low_ordinal - claimed.n), 0)::bigint AS free
  FROM imports AS i
  CROSS JOIN LATERAL (
    SELECT COUNT(*) AS n FROM serial_claims AS c
    WHERE c.serial_id >= (LEFT(i.import_id::text, 28) || LPAD(TO_HEX(i.low_ordinal), 8, '0'))::uuid
      AND c.serial_id <= (LEFT(i.import_id::text, 28) || 'ffffffff')::uuid
  ) AS claimed
  WHERE i.product_id = w.product_id AND i.variant_id IS NOT DISTINCT FROM v.variant_id
    AND i.number > 0 AND i.low_ordinal < 4294967296
) AS stock
CROSS JOIN LATERAL (
  SELECT COALESCE(SUM(r.quantity), 0)::bigint AS units
  FROM reservations AS r
  WHERE r.product_id = w.product_id AND r.variant_id IS NOT DISTINCT FROM v.variant_id
    AND r.ended_at IS NULL
    AND NOT EXISTS (SELECT FROM withdrawals AS d WHERE d.withdrawal_id = r.withdrawal_id)
) AS reserved
ORDER BY w.product_id, v.position
