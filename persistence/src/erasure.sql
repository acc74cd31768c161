-- The next batches of lane $1 above number $2, at most $4 of them and none above $3, as long as they were committed
-- before $5; each with its orders that have an address. A batch without one is a row of its number alone.
SELECT b.seq, o.merchant_id, o.balance_id, o.version, o.email_sealed
FROM (
  SELECT seq, balance_ids, versions, bool_and(committed_at < $5) OVER (ORDER BY seq) AS old
  FROM (
    SELECT seq, balance_ids, versions, committed_at FROM batches
    WHERE lane = $1 AND seq > $2 AND seq <= $3 ORDER BY lane, seq LIMIT $4
  ) AS next
) AS b
LEFT JOIN LATERAL (
  SELECT m.merchant_id, f.balance_id, f.version, e.email_sealed
  FROM UNNEST(b.balance_ids, b.versions) AS f (balance_id, version)
  CROSS JOIN LATERAL (
    SELECT email_sealed FROM ledger_entries
    WHERE ledger_entries.balance_id = f.balance_id AND ledger_entries.version = f.version
      AND ledger_entries.kind = 1 AND ledger_entries.email_sealed IS NOT NULL LIMIT 1
  ) AS e
  CROSS JOIN LATERAL (
    SELECT merchant_id FROM balances WHERE balances.balance_id = f.balance_id LIMIT 1
  ) AS m
) AS o ON true
WHERE b.old
