-- One batch of withdrawals: the lane moves on by one number, under its owner and fence, or nothing is
-- written. A withdrawal takes its part of the array of all serials, between two of the ends in $11. A
-- serial that is removed makes room for another upload of its text. Who withdrew waits for the audit log,
-- in the same statement.
WITH lane AS (
  UPDATE lanes SET seq = $4
  WHERE lane = $1 AND owner = $2 AND fence = $3 AND seq = $4 - 1
  RETURNING lane, seq, fence
), batch AS (
  INSERT INTO batches (lane, seq, fence, balance_ids, versions, committed_at)
  SELECT lane, seq, fence, '{}', '{}', clock_timestamp() FROM lane
), withdrawn AS (
  INSERT INTO withdrawals
    (withdrawal_id, merchant_id, product_id, variant_id, kind, serial_ids, withdrawn_at, actor)
  SELECT w.withdrawal_id, ($6::uuid[])[w.n], ($7::uuid[])[w.n], ($8::uuid[])[w.n],
         ($9::smallint[])[w.n],
         ($10::uuid[])[($11::integer[])[w.n] + 1 : ($11::integer[])[w.n + 1]],
         clock_timestamp(), ($13::text[])[w.n]::jsonb - 'label' - 'ip'
  FROM lane, UNNEST($5::uuid[]) WITH ORDINALITY AS w (withdrawal_id, n)
), done AS (
  INSERT INTO audit_outbox (merchant_id, actor, withdrawal_id, done_at)
  SELECT ($6::uuid[])[w.n], ($13::text[])[w.n]::jsonb, w.withdrawal_id, clock_timestamp()
  FROM lane, UNNEST($5::uuid[]) WITH ORDINALITY AS w (withdrawal_id, n)
  WHERE ($13::text[])[w.n] IS NOT NULL
), claimed AS (
  INSERT INTO serial_claims
    (serial_id, kind, line, unit_price, price_version, balance_id, version)
  SELECT c.serial_id, c.kind, 0, 0, 0, 0, 0
  FROM lane, UNNEST($10::uuid[], $12::smallint[]) AS c (serial_id, kind)
), removed AS (
  UPDATE serials SET removed_at = clock_timestamp()
  FROM lane, UNNEST($10::uuid[], $12::smallint[]) AS c (serial_id, kind)
  WHERE c.kind = 3 AND serials.serial_id = c.serial_id
)
SELECT seq FROM lane
