-- Campaigns of a relationship, the newest first, or one of them, each with the sums over its sales.
SELECT c.campaign_id, c.relationship_id, c.name, c.status, c.product_ids, c.variant_ids, c.origins,
       c.token_version, c.created_at, c.updated_at, c.views, s.sales, s.revenue, s.commission
FROM embed_campaigns AS c
CROSS JOIN LATERAL (
  SELECT COUNT(*) AS sales,
    LEAST(COALESCE(SUM(s.amount - s.discount - s.refunded), 0), 999999999999)::bigint AS revenue,
    LEAST(COALESCE(SUM(s.commission - s.reversed), 0), 999999999999)::bigint AS commission
  FROM sales AS s WHERE s.link_id = c.campaign_id
) AS s
WHERE c.merchant_id = $1 AND c.relationship_id = $2
  AND ($3::uuid IS NULL OR c.campaign_id = $3)
  AND ($4::uuid IS NULL OR c.campaign_id < $4)
ORDER BY c.relationship_id DESC, c.campaign_id DESC
LIMIT $5
