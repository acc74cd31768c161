-- The entries of the next batches of lane $1 as spans: one per merchant, live and test apart. At most $2
-- batches, and at most $3 entries unless the first batch alone has more. The cursor moves with them. The
-- feeds that have something new: relationships' entries are numbered when somebody listens (number.sql).
WITH next AS (
  SELECT b.seq, b.balance_ids, b.versions
  FROM batches AS b
  WHERE b.lane = $1
    AND b.seq > COALESCE((SELECT c.seq FROM event_cursors AS c WHERE c.lane = $1), 0)
  ORDER BY b.lane, b.seq
  LIMIT $2
), counted AS (
  SELECT seq, balance_ids, versions, SUM(CARDINALITY(balance_ids)) OVER (ORDER BY seq) AS entries,
         ROW_NUMBER() OVER (ORDER BY seq) AS place
  FROM next
), taken AS (
  SELECT seq, balance_ids, versions FROM counted WHERE entries <= $3 OR place = 1
), facts AS (
  SELECT t.seq, f.place, f.balance_id, f.version, b.merchant_id, b.relationship_id, b.test
  FROM taken AS t
  CROSS JOIN LATERAL UNNEST(t.balance_ids, t.versions) WITH ORDINALITY
    AS f (balance_id, version, place)
  CROSS JOIN LATERAL (
    SELECT merchant_id, relationship_id, test FROM balances
    WHERE balances.balance_id = f.balance_id LIMIT 1
  ) AS b
), grouped AS (
  SELECT merchant_id, test, COUNT(*) AS entries,
         ARRAY_AGG(balance_id ORDER BY seq, place) AS balance_ids,
         ARRAY_AGG(version ORDER BY seq, place) AS versions
  FROM facts
  GROUP BY merchant_id, test
), raised AS (
  INSERT INTO event_feeds AS f (merchant_id, test, seq)
  SELECT merchant_id, test, entries FROM grouped
  ON CONFLICT ON CONSTRAINT event_feeds_merchant_id_relationship_id_test_key
    DO UPDATE SET seq = f.seq + EXCLUDED.seq
  RETURNING feed_id, merchant_id, test, seq
), told AS (
  INSERT INTO event_spans (feed_id, first_seq, last_seq, made_at, balance_ids, versions)
  SELECT r.feed_id, r.seq - g.entries + 1, r.seq, $4, g.balance_ids, g.versions
  FROM raised AS r
  JOIN grouped AS g ON g.merchant_id = r.merchant_id AND g.test = r.test
), moved AS (
  INSERT INTO event_cursors (lane, seq) SELECT $1, MAX(seq) FROM taken HAVING COUNT(*) > 0
  ON CONFLICT ON CONSTRAINT event_cursors_pkey DO UPDATE SET seq = EXCLUDED.seq
)
SELECT merchant_id, NULL::uuid AS relationship_id, test FROM raised
UNION ALL
SELECT DISTINCT merchant_id, relationship_id, test FROM facts
