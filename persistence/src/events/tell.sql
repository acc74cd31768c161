-- One fact of the outbox as the next event of the live feeds of merchant $1 and relationships $2; null is
-- the merchant's own.
WITH raised AS (
  INSERT INTO event_feeds AS f (merchant_id, relationship_id, test, seq)
  SELECT $1, heard.relationship_id, false, 1 FROM UNNEST($2::uuid[]) AS heard (relationship_id)
  ON CONFLICT ON CONSTRAINT event_feeds_merchant_id_relationship_id_test_key
    DO UPDATE SET seq = f.seq + 1
  RETURNING feed_id, seq
)
INSERT INTO event_spans (feed_id, first_seq, last_seq, made_at, event_id, fact, occurred_at)
SELECT feed_id, seq, seq, $3, $4, $5, $6 FROM raised
