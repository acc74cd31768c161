-- Links of a relationship, the newest first, or one of them, each with the sums over its sales. Sums stay
-- within the bound of amounts.
SELECT l.link_id, l.relationship_id, l.name, COALESCE(l.code, r.code) AS code, l.target_product_id,
       l.target_url, l.status, l.created_at, l.updated_at, l.clicks,
       s.sales, s.revenue, s.commission
FROM links AS l
JOIN relationships AS r ON r.relationship_id = l.relationship_id
CROSS JOIN LATERAL (
  SELECT COUNT(*) AS sales,
    LEAST(COALESCE(SUM(s.amount - s.discount - s.refunded), 0), 999999999999)::bigint AS revenue,
    LEAST(COALESCE(SUM(s.commission - s.reversed), 0), 999999999999)::bigint AS commission
  FROM sales AS s WHERE s.link_id = l.link_id
) AS s
WHERE l.merchant_id = $1 AND l.relationship_id = $2 AND l.kind = 'LINK'
  AND ($3::uuid IS NULL OR l.link_id = $3)
  AND ($4::uuid IS NULL OR l.link_id < $4)
ORDER BY l.relationship_id DESC, l.link_id DESC
LIMIT $5
