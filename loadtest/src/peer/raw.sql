WITH lane AS (
  UPDATE lanes SET seq = $4
  WHERE lane = $1 AND owner = $2 AND fence = $3 AND seq = $4 - 1
  RETURNING lane, seq, fence
), batch AS (
  INSERT INTO batches (lane, seq, fence, balance_ids, versions, committed_at)
  SELECT lane, seq, fence, $5, $6, clock_timestamp() FROM lane
), claimed AS (
  INSERT INTO serial_claims (serial_id, kind, line, unit_price, price_version, balance_id, version)
  SELECT c.serial_id, 1, 1, c.unit_price, 1, c.balance_id, c.version
  FROM lane, UNNEST($7::uuid[], $8::bigint[], $5::bigint[], $6::bigint[])
    AS c (serial_id, unit_price, balance_id, version)
), entered AS (
  INSERT INTO ledger_entries (balance_id, version, kind, channel, id, amount, balance_after,
    created_at, key_id, reference, fingerprint, email_sealed, serial_ids)
  SELECT e.balance_id, e.version, 1, 1, e.id, -e.unit_price, e.balance_after, clock_timestamp(),
    e.key_id, e.reference, e.fingerprint, e.email_sealed, ARRAY[e.serial_id]
  FROM lane, UNNEST($5::bigint[], $6::bigint[], $9::uuid[], $8::bigint[], $10::bigint[],
      $11::uuid[], $12::text[], $13::bytea[], $14::bytea[], $7::uuid[])
    AS e (balance_id, version, id, unit_price, balance_after, key_id, reference, fingerprint,
      email_sealed, serial_id)
)
SELECT seq FROM lane
