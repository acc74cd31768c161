-- What a balance spent since $3 until entry $2, by key, and whether since $4: the days that were summed
-- up, and what came after them. The sums count only if they agree with each other and give the balance
-- that the ledger had then.
-- Versions have no gap and rise with time, so where the month begins is found by halving, not by
-- reading all before it. The clock may have been set back, so the reading begins an hour earlier and
-- compares each time.
WITH RECURSIVE summed (through) AS (
  SELECT COALESCE((
    SELECT s.through_version FROM purchase_sums AS s
    JOIN ledger_entries AS e ON e.balance_id = s.balance_id AND e.version = s.through_version
    WHERE s.balance_id = $1 AND s.through_version <= $2 AND e.balance_after = s.credited - s.spent
      AND s.spent = (SELECT COALESCE(SUM(spent), 0) FROM purchase_days WHERE balance_id = $1)
  ), 0)
),
halves (low, high) AS (
  SELECT through + 1, $2::bigint + 1 FROM summed
  UNION ALL
  SELECT CASE WHEN e.created_at < $3::timestamptz - interval '1 hour' THEN e.version + 1 ELSE low END,
         CASE WHEN e.created_at < $3::timestamptz - interval '1 hour' THEN high ELSE e.version END
  FROM halves
  CROSS JOIN LATERAL (
    SELECT version, created_at FROM ledger_entries
    WHERE balance_id = $1 AND version = (low + high) / 2 LIMIT 1
  ) AS e
  WHERE low < high
),
parts (today, key_id, spent) AS (
  SELECT day >= ($4::timestamptz AT TIME ZONE 'UTC')::date, key_id, spent
  FROM purchase_days
  WHERE balance_id = $1 AND day >= ($3::timestamptz AT TIME ZONE 'UTC')::date
    AND (SELECT through FROM summed) > 0
  UNION ALL
  SELECT created_at >= $4, key_id, -amount
  FROM ledger_entries
  WHERE balance_id = $1 AND kind = 1 AND created_at >= $3
    AND version >= (SELECT MAX(low) FROM halves) AND version <= $2
)
SELECT today, key_id, SUM(spent)::bigint AS spent FROM parts GROUP BY today, key_id
