-- Takes deed $1 with its change: an entry of a ledger or a withdrawal. The digest is over columns that are
-- named, so that a column which comes later changes none.
WITH taken AS (
  DELETE FROM audit_outbox WHERE outbox_id = $1
  RETURNING merchant_id, actor, balance_id, version, withdrawal_id, done_at
)
SELECT t.merchant_id, t.actor, t.done_at, b.relationship_id, e.kind AS entry_kind,
       w.product_id, w.kind AS withdrawal_kind, COALESCE(e.digest, w.digest) AS digest
FROM taken AS t
LEFT JOIN balances AS b ON b.balance_id = t.balance_id
LEFT JOIN LATERAL (
  SELECT l.kind, sha256(convert_to(jsonb_build_array(l.balance_id, l.version, l.kind, l.id, l.amount,
           l.balance_after, extract(epoch FROM l.created_at), l.reference, l.details)::text, 'UTF8')) AS digest
  FROM ledger_entries AS l WHERE l.balance_id = t.balance_id AND l.version = t.version LIMIT 1
) AS e ON true
LEFT JOIN LATERAL (
  SELECT m.product_id, m.kind, sha256(convert_to(jsonb_build_array(m.withdrawal_id, m.merchant_id,
           m.product_id, m.variant_id, m.kind, to_jsonb(m.serial_ids),
           extract(epoch FROM m.withdrawn_at))::text, 'UTF8')) AS digest
  FROM withdrawals AS m WHERE m.withdrawal_id = t.withdrawal_id LIMIT 1
) AS w ON true
