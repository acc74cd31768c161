-- Claims for orders in these ranges of serials, in their order, at most $3: each with the entry that it names, and
-- whether that names the serial.
SELECT c.serial_id, b.relationship_id, c.version, COALESCE(c.serial_id = ANY (e.serial_ids), false) AS named
FROM UNNEST($1::uuid[], $2::uuid[]) WITH ORDINALITY AS wanted (first, last, place)
CROSS JOIN LATERAL (
  SELECT s.serial_id, s.balance_id, s.version FROM serial_claims AS s
  WHERE s.serial_id >= wanted.first AND s.serial_id <= wanted.last AND s.kind = 1
  ORDER BY s.serial_id LIMIT $3
) AS c
LEFT JOIN LATERAL (
  SELECT l.serial_ids FROM ledger_entries AS l
  WHERE l.balance_id = c.balance_id AND l.version = c.version LIMIT 1
) AS e ON true
LEFT JOIN balances AS b ON b.balance_id = c.balance_id
ORDER BY wanted.place, c.serial_id LIMIT $3
