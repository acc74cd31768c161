-- Takes the deeds that waited longest, at most $1, with the change of each: an entry of a ledger or a
-- withdrawal. They come merchant by merchant, each merchant's in the order in which they were stored, so
-- that two who take never hold each other's heads.
WITH taken AS (
  DELETE FROM audit_outbox WHERE outbox_id IN (
    SELECT outbox_id FROM audit_outbox ORDER BY outbox_id LIMIT $1 FOR UPDATE
  )
  RETURNING outbox_id, merchant_id, actor, balance_id, version, withdrawal_id, done_at
)
SELECT t.merchant_id, t.actor, t.done_at, b.relationship_id, e.kind AS entry_kind,
       w.product_id, w.kind AS withdrawal_kind, COALESCE(e.digest, w.digest) AS digest
FROM taken AS t
LEFT JOIN balances AS b ON b.balance_id = t.balance_id
LEFT JOIN LATERAL (
  SELECT l.kind, sha256(convert_to(to_jsonb(l)::text, 'UTF8')) AS digest
  FROM ledger_entries AS l WHERE l.balance_id = t.balance_id AND l.version = t.version LIMIT 1
) AS e ON true
LEFT JOIN LATERAL (
  SELECT m.product_id, m.kind, sha256(convert_to(to_jsonb(m)::text, 'UTF8')) AS digest
  FROM withdrawals AS m WHERE m.withdrawal_id = t.withdrawal_id LIMIT 1
) AS w ON true
ORDER BY t.merchant_id, t.outbox_id
