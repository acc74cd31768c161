-- The entries of batches of lane $1 up to number $2 as spans, made at $3: one per merchant $4, live and test
-- ($5) apart, each of its count $6 of the balances $7 and versions $8, which come in that order. The caller
-- holds the dispatcher. The cursor moves with them.
WITH grouped AS (
  SELECT g.merchant_id, g.test, g.entries, (SUM(g.entries) OVER (ORDER BY g.place))::integer AS through
  FROM UNNEST($4::uuid[], $5::boolean[], $6::integer[]) WITH ORDINALITY
    AS g (merchant_id, test, entries, place)
), raised AS (
  INSERT INTO event_feeds AS f (merchant_id, test, seq)
  SELECT merchant_id, test, entries FROM grouped
  ON CONFLICT ON CONSTRAINT event_feeds_merchant_id_relationship_id_test_key
    DO UPDATE SET seq = f.seq + EXCLUDED.seq
  RETURNING feed_id, merchant_id, test, seq
), told AS (
  INSERT INTO event_spans (feed_id, first_seq, last_seq, made_at, balance_ids, versions)
  SELECT r.feed_id, r.seq - g.entries + 1, r.seq, $3,
         ($7::bigint[])[g.through - g.entries + 1 : g.through],
         ($8::bigint[])[g.through - g.entries + 1 : g.through]
  FROM raised AS r
  JOIN grouped AS g ON g.merchant_id = r.merchant_id AND g.test = r.test
)
INSERT INTO event_cursors (lane, seq) VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT event_cursors_pkey DO UPDATE SET seq = EXCLUDED.seq
