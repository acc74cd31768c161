-- Until now a feed told what the cursors had passed: all entries below the first that waits. In one
-- statement, and not by a job: a feed that says nothing of this tells everything a second time.

SET LOCAL lock_timeout = '2s';

WITH waiting AS (
  SELECT w.balance_id, MIN(w.version) AS version
  FROM batches AS b
  LEFT JOIN event_cursors AS c ON c.lane = b.lane
  CROSS JOIN LATERAL UNNEST(b.balance_ids, b.versions) AS w (balance_id, version)
  WHERE b.seq > COALESCE(c.seq, 0)
  GROUP BY w.balance_id
)
UPDATE event_feeds AS f SET balance_id = b.balance_id, told = e.version
FROM balances AS b
LEFT JOIN waiting AS w ON w.balance_id = b.balance_id
CROSS JOIN LATERAL (
  SELECT l.version FROM ledger_entries AS l
  WHERE l.balance_id = b.balance_id AND (w.version IS NULL OR l.version < w.version)
  ORDER BY l.balance_id DESC, l.version DESC LIMIT 1
) AS e
WHERE b.relationship_id = f.relationship_id AND b.test = f.test;
