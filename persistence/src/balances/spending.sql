-- What a balance spent since $3 until entry $2, by key, and whether since $4. Versions have no gap
-- and rise with time, so where the month begins is found by halving, not by reading all before it.
-- The clock may have been set back, so the reading begins an hour earlier and compares each time.
WITH RECURSIVE halves (low, high) AS (
  SELECT 1::bigint, $2::bigint + 1
  UNION ALL
  SELECT CASE WHEN e.created_at < $3::timestamptz - interval '1 hour' THEN e.version + 1 ELSE low END,
         CASE WHEN e.created_at < $3::timestamptz - interval '1 hour' THEN high ELSE e.version END
  FROM halves
  CROSS JOIN LATERAL (
    SELECT version, created_at FROM ledger_entries
    WHERE balance_id = $1 AND version = (low + high) / 2 LIMIT 1
  ) AS e
  WHERE low < high
)
SELECT created_at >= $4 AS today, key_id, SUM(-amount)::bigint AS spent
FROM ledger_entries
WHERE balance_id = $1 AND kind = 1 AND created_at >= $3
  AND version >= (SELECT MAX(low) FROM halves) AND version <= $2
GROUP BY 1, 2
