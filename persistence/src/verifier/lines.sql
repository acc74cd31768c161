-- A slice of a ledger, with what is claimed for each delivery. Entry and claims are written by one
-- statement, so one that sees the entry sees its claims.
SELECT e.version, e.kind, e.amount, e.balance_after, COALESCE(cardinality(e.serial_ids), 0) AS serials,
  claimed.claims, claimed.cost
FROM ledger_entries AS e
CROSS JOIN LATERAL (
  SELECT COUNT(*) AS claims, COALESCE(SUM(c.unit_price), 0)::bigint AS cost
  FROM serial_claims AS c
  WHERE c.serial_id = ANY (e.serial_ids)
    AND c.kind = 1 AND c.balance_id = e.balance_id AND c.version = e.version
) AS claimed
WHERE e.balance_id = $1 AND e.version BETWEEN $2 AND $3
ORDER BY e.version
