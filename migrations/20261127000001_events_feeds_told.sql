-- The entries of a relationship are numbered when somebody listens to its feed: the feed says up to which
-- version of which balance it tells. A merchant's feed says neither, its entries come with the batches.

ALTER TABLE event_feeds
  ADD COLUMN balance_id bigint,
  ADD COLUMN told bigint,
  DROP CONSTRAINT event_feeds_seq_check,
  ADD CONSTRAINT event_feeds_seq_check CHECK (seq >= 0),
  ADD CONSTRAINT event_feeds_told_check
    CHECK ((balance_id IS NULL) = (told IS NULL) AND (relationship_id IS NOT NULL OR told IS NULL));

-- Until now a feed told what the cursors had passed: all entries below the first that waits.
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
