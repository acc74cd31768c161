-- One fact of the outbox as the next event of its feeds: of merchant $1 if $7, of relationship $2 if that is
-- one, and of every active relationship that sells product $8, if that is one, and its variant $9: by its
-- access to it, or because it refers customers to whatever the merchant has.
WITH heard AS (
  SELECT NULL::uuid AS relationship_id WHERE $7
  UNION ALL
  SELECT $2::uuid WHERE $2 IS NOT NULL
  UNION ALL
  (SELECT r.relationship_id FROM product_access AS a
   JOIN relationships AS r ON r.relationship_id = a.relationship_id
   WHERE a.product_id = $8 AND a.revoked_at IS NULL AND r.merchant_id = $1
     AND (a.variant_id IS NULL OR $9::uuid IS NULL OR a.variant_id = $9)
     AND r.status = 'ACTIVE'
   UNION
   SELECT r.relationship_id FROM relationships AS r
   WHERE $8 IS NOT NULL AND r.merchant_id = $1 AND r.status = 'ACTIVE'
     AND r.product_scope = 'ALL' AND r.mode IN ('AFFILIATE', 'BOTH'))
), raised AS (
  INSERT INTO event_feeds AS f (merchant_id, relationship_id, test, seq)
  SELECT $1, heard.relationship_id, false, 1 FROM heard
  ON CONFLICT ON CONSTRAINT event_feeds_merchant_id_relationship_id_test_key
    DO UPDATE SET seq = f.seq + 1
  RETURNING feed_id, relationship_id, seq
), told AS (
  INSERT INTO event_spans (feed_id, first_seq, last_seq, made_at, event_id, fact, occurred_at)
  SELECT feed_id, seq, seq, $3, $4, $5, $6 FROM raised
)
SELECT relationship_id FROM raised
