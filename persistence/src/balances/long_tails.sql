-- Of the $3 balances after $1: how far each was summed up, how long its ledger is, and whether the
-- ledger confirms the sums; only those with more than $2 entries beyond, or with wrong sums.
SELECT b.balance_id, COALESCE(s.through_version, 0) AS through, e.version AS last,
       s.balance_id IS NULL OR (c.balance_after IS NOT DISTINCT FROM s.credited - s.spent
                                AND d.spent = s.spent) AS confirmed
FROM (
  SELECT balance_id FROM balances WHERE balance_id > $1 ORDER BY balance_id LIMIT $3
) AS b
LEFT JOIN purchase_sums AS s ON s.balance_id = b.balance_id
LEFT JOIN ledger_entries AS c ON c.balance_id = b.balance_id AND c.version = s.through_version
LEFT JOIN LATERAL (
  SELECT COALESCE(SUM(spent), 0) AS spent FROM purchase_days WHERE balance_id = s.balance_id
) AS d ON s.balance_id IS NOT NULL
CROSS JOIN LATERAL (
  SELECT version FROM ledger_entries WHERE balance_id = b.balance_id ORDER BY version DESC LIMIT 1
) AS e
WHERE e.version - COALESCE(s.through_version, 0) > $2
   OR (s.balance_id IS NOT NULL AND (c.balance_after IS DISTINCT FROM s.credited - s.spent
                                     OR d.spent <> s.spent))
ORDER BY b.balance_id
