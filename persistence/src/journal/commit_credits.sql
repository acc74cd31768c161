-- One batch of entries that add or take money without delivering: the lane moves on by one number, under its owner and fence,
-- or nothing is written. Who did it waits for the audit log, in the same statement.
WITH lane AS (
  UPDATE lanes SET seq = $4
  WHERE lane = $1 AND owner = $2 AND fence = $3 AND seq = $4 - 1
  RETURNING lane, seq, fence
), batch AS (
  INSERT INTO batches (lane, seq, fence, balance_ids, versions, committed_at)
  SELECT lane, seq, fence, $5, $6, clock_timestamp() FROM lane
), entered AS (
  INSERT INTO ledger_entries
    (balance_id, version, kind, id, amount, balance_after, created_at, reference, details)
  SELECT e.balance_id, e.version, e.kind, e.id, e.amount, e.balance_after, e.created_at,
         e.reference, e.details::jsonb
  FROM lane, UNNEST($5::bigint[], $6::bigint[], $7::smallint[], $8::uuid[], $9::bigint[],
                    $10::bigint[], $11::timestamptz[], $12::text[], $13::text[])
    AS e (balance_id, version, kind, id, amount, balance_after, created_at, reference, details)
), done AS (
  INSERT INTO audit_outbox (merchant_id, actor, balance_id, version, done_at)
  SELECT b.merchant_id, d.actor::jsonb, d.balance_id, d.version, d.created_at
  FROM lane, UNNEST($5::bigint[], $6::bigint[], $11::timestamptz[], $14::text[])
    AS d (balance_id, version, created_at, actor)
  CROSS JOIN LATERAL (
    SELECT merchant_id FROM balances WHERE balances.balance_id = d.balance_id LIMIT 1
  ) AS b
  WHERE d.actor IS NOT NULL
)
SELECT seq FROM lane
