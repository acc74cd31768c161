-- Of the feeds of relationships $1, test or live as $2 says, those that do not tell every entry of their
-- balances yet.
SELECT b.merchant_id, asked.relationship_id, asked.test
FROM UNNEST($1::uuid[], $2::boolean[]) AS asked (relationship_id, test)
CROSS JOIN LATERAL (
  SELECT balance_id, merchant_id FROM balances
  WHERE balances.relationship_id = asked.relationship_id AND balances.test = asked.test LIMIT 1
) AS b
LEFT JOIN LATERAL (
  SELECT told FROM event_feeds AS f
  WHERE f.merchant_id = b.merchant_id AND f.relationship_id = asked.relationship_id
    AND f.test = asked.test AND f.balance_id = b.balance_id LIMIT 1
) AS f ON true
WHERE EXISTS (
  SELECT FROM ledger_entries AS e
  WHERE e.balance_id = b.balance_id AND e.version > COALESCE(f.told, 0))
