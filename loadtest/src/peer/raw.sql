-- The engine's commit of a batch of fulfillments, parameter for parameter.
WITH lane AS (
  UPDATE lanes SET seq = $4
  WHERE lane = $1 AND owner = $2 AND fence = $3 AND seq = $4 - 1
  RETURNING lane, seq, fence
), batch AS (
  INSERT INTO batches (lane, seq, fence, balance_ids, versions, committed_at)
  SELECT lane, seq, fence, $5, $6, clock_timestamp() FROM lane
), claimed AS (
  INSERT INTO serial_claims
    (serial_id, kind, line, unit_price, price_version, balance_id, version)
  SELECT c.serial_id, 1, c.line, c.unit_price, c.price_version, c.balance_id, c.version
  FROM lane, UNNEST($19::uuid[], $20::smallint[], $21::bigint[], $22::bigint[], $23::bigint[],
                    $24::bigint[])
    AS c (serial_id, line, unit_price, price_version, balance_id, version)
), entered AS (
  INSERT INTO ledger_entries
    (balance_id, version, kind, channel, id, amount, balance_after, created_at, key_id, reference,
     fingerprint, email_sealed, serial_ids, details)
  SELECT e.balance_id, e.version, 1, e.channel, e.id, e.amount, e.balance_after, e.created_at,
         e.key_id, e.reference, e.fingerprint, e.email_sealed,
         ($19::uuid[])[e.first_serial:e.last_serial], e.details::jsonb
  FROM lane, UNNEST($5::bigint[], $6::bigint[], $7::smallint[], $8::uuid[], $9::bigint[],
                    $10::bigint[], $11::timestamptz[], $12::uuid[], $13::text[], $14::bytea[],
                    $15::bytea[], $16::text[], $17::integer[], $18::integer[])
    AS e (balance_id, version, channel, id, amount, balance_after, created_at, key_id, reference,
          fingerprint, email_sealed, details, first_serial, last_serial)
)
SELECT seq FROM lane
