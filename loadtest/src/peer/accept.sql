-- Checks access, price and quantity and binds the order id, in one round trip.
-- No row: not allowed. A row without created_at: the order id is bound already.
WITH offer AS (
  SELECT p.title, p.unit_minor, p.price_version
  FROM product_access a
  JOIN products p ON p.product_id = a.product_id
  JOIN relationships r ON r.relationship_id = a.relationship_id
  WHERE a.relationship_id = $1 AND a.product_id = $2
    AND r.status = 1 AND p.status = 1
    AND $3 BETWEEN p.quantity_min AND p.quantity_max
), entered AS (
  INSERT INTO fulfillments (relationship_id, fulfillment_id, external_order_id, fingerprint,
    product_id, quantity, unit_minor, price_version, cost_minor, channel, key_id, email_sealed,
    created_at)
  SELECT $1, $4, $5, $6, $2, $3, unit_minor, price_version, unit_minor * $3, 1, $7, $8,
    clock_timestamp()
  FROM offer
  ON CONFLICT (relationship_id, external_order_id) DO NOTHING
  RETURNING created_at
)
SELECT o.title, o.unit_minor, o.price_version, e.created_at
FROM offer o LEFT JOIN entered e ON true
