-- The entries above what the feeds $1 tell of their balances, at most $2 of each, as one span a feed, made
-- at $3. The caller holds the feeds.
WITH behind AS (
  SELECT f.feed_id, b.balance_id, CASE WHEN f.balance_id = b.balance_id THEN f.told ELSE 0 END AS told
  FROM event_feeds AS f
  CROSS JOIN LATERAL (
    SELECT balance_id FROM balances
    WHERE balances.relationship_id = f.relationship_id AND balances.test = f.test LIMIT 1
  ) AS b
  WHERE f.feed_id = ANY ($1)
), found AS (
  SELECT n.feed_id, n.balance_id, ARRAY_AGG(e.version ORDER BY e.version) AS versions
  FROM behind AS n
  CROSS JOIN LATERAL (
    SELECT version FROM ledger_entries
    WHERE ledger_entries.balance_id = n.balance_id AND version > n.told
    ORDER BY ledger_entries.balance_id, version LIMIT $2
  ) AS e
  GROUP BY n.feed_id, n.balance_id
), raised AS (
  UPDATE event_feeds AS f
  SET seq = f.seq + CARDINALITY(n.versions), balance_id = n.balance_id,
      told = n.versions[CARDINALITY(n.versions)]
  FROM found AS n WHERE f.feed_id = n.feed_id
  RETURNING f.feed_id, f.seq, n.balance_id, n.versions
)
INSERT INTO event_spans (feed_id, first_seq, last_seq, made_at, balance_ids, versions)
SELECT feed_id, seq - CARDINALITY(versions) + 1, seq, $3,
       ARRAY_FILL(balance_id, ARRAY[CARDINALITY(versions)]), versions
FROM raised
RETURNING last_seq - first_seq + 1
