-- The newest serials that went to an address with the digest $2 of merchant $1, at most $3: of live orders, and
-- of inventories.
SELECT found.serial_id FROM (
  SELECT sold.serial_id, e.created_at AS at
  FROM customer_orders AS o
  JOIN balances AS b ON b.balance_id = o.balance_id AND NOT b.test
  CROSS JOIN LATERAL (
    SELECT serial_ids, created_at FROM ledger_entries
    WHERE ledger_entries.balance_id = o.balance_id AND ledger_entries.version = o.version LIMIT 1
  ) AS e
  CROSS JOIN UNNEST(e.serial_ids) AS sold (serial_id)
  WHERE o.merchant_id = $1 AND o.digest = $2
  UNION ALL
  SELECT i.serial_id, i.delivered_at
  FROM inventory_items AS i
  WHERE i.merchant_id = $1 AND i.email_digest = $2 AND i.delivered_at IS NOT NULL
) AS found
ORDER BY found.at DESC, found.serial_id DESC LIMIT $3
