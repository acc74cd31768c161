-- The product access of one relationship that differs from what is stored. The relationship's row is
-- locked, so nothing changes between the look and the write.
INSERT INTO product_access AS a (relationship_id, merchant_id, product_id, variant_id, revoked_at,
  commission_percent, wholesale_price, auto_fulfilled, min_resale_price, max_resale_price,
  min_quantity, max_quantity, stock_min_quantity, stock_max_quantity)
SELECT $1, $2, n.*
FROM UNNEST($3::uuid[], $4::uuid[], $5::timestamptz[], $6::integer[], $7::bigint[], $8::boolean[],
            $9::bigint[], $10::bigint[], $11::integer[], $12::integer[], $13::integer[],
            $14::integer[])
  AS n (product_id, variant_id, revoked_at, commission_percent, wholesale_price, auto_fulfilled,
        min_resale_price, max_resale_price, min_quantity, max_quantity, stock_min_quantity,
        stock_max_quantity)
WHERE NOT EXISTS (
  SELECT FROM product_access AS s
  WHERE s.relationship_id = $1 AND s.product_id = n.product_id
    AND s.variant_id IS NOT DISTINCT FROM n.variant_id
    AND (s.revoked_at IS NULL) = (n.revoked_at IS NULL)
    AND (s.commission_percent, s.wholesale_price, s.auto_fulfilled, s.min_resale_price,
         s.max_resale_price, s.min_quantity, s.max_quantity, s.stock_min_quantity,
         s.stock_max_quantity)
      IS NOT DISTINCT FROM
        (n.commission_percent, n.wholesale_price, n.auto_fulfilled, n.min_resale_price,
         n.max_resale_price, n.min_quantity, n.max_quantity, n.stock_min_quantity,
         n.stock_max_quantity)
)
ON CONFLICT ON CONSTRAINT product_access_relationship_id_product_id_variant_id_key
DO UPDATE SET
  revoked_at = CASE WHEN EXCLUDED.revoked_at IS NULL THEN NULL
               ELSE COALESCE(a.revoked_at, EXCLUDED.revoked_at) END,
  commission_percent = EXCLUDED.commission_percent,
  wholesale_price = EXCLUDED.wholesale_price,
  auto_fulfilled = EXCLUDED.auto_fulfilled,
  min_resale_price = EXCLUDED.min_resale_price,
  max_resale_price = EXCLUDED.max_resale_price,
  min_quantity = EXCLUDED.min_quantity, max_quantity = EXCLUDED.max_quantity,
  stock_min_quantity = EXCLUDED.stock_min_quantity,
  stock_max_quantity = EXCLUDED.stock_max_quantity
