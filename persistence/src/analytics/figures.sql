-- What happened from $3 on and before $4 to the resellers of merchant $1, or to its one $2: one row per fact,
-- with its reseller, its product and its day; then their sums over all, over parts of the time ($5), over
-- products and over resellers. One statement, so that all of them are of one moment. Test mode is left out.
WITH RECURSIVE balance AS (
  SELECT b.balance_id, b.relationship_id FROM balances AS b
  WHERE b.merchant_id = $1 AND NOT b.test AND ($2::uuid IS NULL OR b.relationship_id = $2)
), edge AS (
  -- The last versions before both times, as in the list of a ledger: by look-ups of the primary key.
  SELECT b.balance_id, t.place, t.time, 40 AS bit, 0::bigint AS version
  FROM balance AS b CROSS JOIN UNNEST(ARRAY[1, 2], ARRAY[$3, $4]::timestamptz[]) AS t (place, time)
  UNION ALL
  SELECT e.balance_id, e.place, e.time, e.bit - 1,
         e.version + CASE WHEN EXISTS (
           SELECT FROM ledger_entries AS l
           WHERE l.balance_id = e.balance_id AND l.created_at < e.time
             AND l.version = e.version + (1::bigint << (e.bit - 1))
         ) THEN 1::bigint << (e.bit - 1) ELSE 0 END
  FROM edge AS e WHERE e.bit > 0
), entry AS (
  SELECT b.relationship_id, l.id, l.created_at, l.channel, l.serial_ids
  FROM balance AS b
  JOIN edge AS f ON f.balance_id = b.balance_id AND f.place = 1 AND f.bit = 0
  JOIN edge AS u ON u.balance_id = b.balance_id AND u.place = 2 AND u.bit = 0
  JOIN ledger_entries AS l
    ON l.balance_id = b.balance_id AND l.version > f.version AND l.version <= u.version AND l.kind = 1
), fact (relationship_id, product_id, at, order_id, units, spend, revenue, pending, approved, reversed,
         paid_out, assigned, burned) AS (
  SELECT e.relationship_id, i.product_id, e.created_at, CASE WHEN e.channel <> 7 THEN e.id END,
         (e.channel <> 7)::int, c.unit_price, 0, 0, 0, 0, 0, 0, 0
  FROM entry AS e
  CROSS JOIN UNNEST(e.serial_ids) AS s (serial_id)
  CROSS JOIN LATERAL (
    SELECT unit_price FROM serial_claims WHERE serial_claims.serial_id = s.serial_id LIMIT 1
  ) AS c
  CROSS JOIN LATERAL (
    SELECT product_id FROM imports
    WHERE imports.import_id = (LEFT(s.serial_id::text, 28) || '00000000')::uuid LIMIT 1
  ) AS i
  UNION ALL
  SELECT s.relationship_id, s.product_id, s.sold_at, NULL, 0, 0, s.amount - s.discount - s.refunded,
         CASE s.commission_status WHEN 'PENDING' THEN s.commission - s.reversed ELSE 0 END,
         CASE s.commission_status WHEN 'APPROVED' THEN s.commission - s.reversed ELSE 0 END,
         s.reversed, 0, 0, 0
  FROM sales AS s
  WHERE s.merchant_id = $1 AND ($2::uuid IS NULL OR s.relationship_id = $2)
    AND s.sold_at >= $3 AND s.sold_at < $4
  UNION ALL
  SELECT p.relationship_id, NULL, p.completed_at, NULL, 0, 0, 0, 0, 0, 0, p.amount, 0, 0
  FROM payouts AS p
  WHERE p.merchant_id = $1 AND ($2::uuid IS NULL OR p.relationship_id = $2)
    AND p.completed_at >= $3 AND p.completed_at < $4
  UNION ALL
  SELECT i.relationship_id, r.product_id, i.created_at, NULL, 0, 0, 0, 0, 0, 0, 0, 1, 0
  FROM inventory_items AS i
  JOIN stock_requests AS r ON r.stock_request_id = i.stock_request_id
  WHERE i.merchant_id = $1 AND ($2::uuid IS NULL OR i.relationship_id = $2)
    AND i.created_at >= $3 AND i.created_at < $4
  UNION ALL
  SELECT r.relationship_id, r.product_id, r.updated_at, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 1
  FROM replacements AS r
  WHERE r.merchant_id = $1 AND ($2::uuid IS NULL OR r.relationship_id = $2) AND NOT r.test
    AND r.status IN ('ISSUED', 'CREDITED') AND r.updated_at >= $3 AND r.updated_at < $4
)
SELECT GROUPING(p.part, d.product_id, d.relationship_id) AS summed,
       p.part, d.product_id, d.relationship_id,
       (SELECT r.code FROM relationships AS r WHERE r.relationship_id = d.relationship_id) AS code,
       (SELECT r.name FROM relationships AS r WHERE r.relationship_id = d.relationship_id) AS name,
       COUNT(DISTINCT d.order_id) AS fulfillments, COALESCE(SUM(d.units), 0)::bigint AS units,
       COALESCE(SUM(d.spend), 0)::bigint AS wholesale_spend,
       COALESCE(SUM(d.revenue), 0)::bigint AS revenue,
       COALESCE(SUM(d.pending), 0)::bigint AS commission_pending,
       COALESCE(SUM(d.approved), 0)::bigint AS commission_approved,
       COALESCE(SUM(d.reversed), 0)::bigint AS commission_reversed,
       COALESCE(SUM(d.paid_out), 0)::bigint AS paid_out,
       COALESCE(SUM(d.assigned), 0)::bigint AS stock_assigned,
       COALESCE(SUM(d.burned), 0)::bigint AS burned_units
FROM fact AS d
CROSS JOIN LATERAL (SELECT date_trunc($5, d.at AT TIME ZONE 'UTC')::date AS part) AS p
GROUP BY GROUPING SETS ((), (p.part), (d.product_id), (d.relationship_id))
ORDER BY summed DESC, p.part, COALESCE(SUM(d.spend), 0) + COALESCE(SUM(d.revenue), 0) DESC,
         d.product_id, d.relationship_id
