-- What a campaign of a relationship sells now: what it names, or everything, as far as the relationship
-- covers it and the merchant sells it. A product with variants is sold as one of them. With $5 and no names: what the
-- merchant $1 has on sale, whoever asks. With $6: of that only product $6, as its variant $7 or, without one, as it is.
SELECT p.product_id, v.variant_id, p.title, v.title AS variant_title,
       COALESCE(v.base_price, p.base_price) AS price
FROM products AS p
LEFT JOIN variants AS v ON v.product_id = p.product_id
WHERE p.merchant_id = $1 AND p.status = 'ACTIVE'
  AND (v.variant_id IS NULL OR v.status = 'ACTIVE')
  AND ($3::uuid[] = '{}' AND $4::uuid[] = '{}'
    OR p.product_id = ANY ($3) OR v.variant_id = ANY ($4))
  AND ($5 OR EXISTS (
    SELECT FROM product_access AS a
    WHERE a.relationship_id = $2 AND a.product_id = p.product_id AND a.revoked_at IS NULL
      AND (a.variant_id IS NULL OR a.variant_id = v.variant_id)))
  AND ($6::uuid IS NULL OR p.product_id = $6 AND v.variant_id IS NOT DISTINCT FROM $7::uuid)
ORDER BY p.title, p.product_id, v.position
LIMIT 100
