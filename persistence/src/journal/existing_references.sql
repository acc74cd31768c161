-- Which of these references have an entry, in the order asked. The look-up is lateral and limited, so
-- that no plan reads the whole table.
SELECT found.balance_id IS NOT NULL
FROM UNNEST($1::bigint[], $2::smallint[], $3::text[]) WITH ORDINALITY
  AS asked (balance_id, kind, reference, place)
LEFT JOIN LATERAL (
  SELECT e.balance_id FROM ledger_entries AS e
  WHERE e.balance_id = asked.balance_id AND e.kind = asked.kind
    AND e.reference = asked.reference COLLATE "C"
  LIMIT 1
) AS found ON true
ORDER BY asked.place
