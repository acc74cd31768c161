-- One batch of fulfillments: the lane moves on by one number, under its owner and fence, or nothing
-- is written.
--
-- Columns of one width are read by subscript, which costs a third of unnesting them all side by side;
-- fingerprints are cut from one string of 16 bytes each. A serial goes over the wire once: claims take
-- the serials in order, an entry takes its part of the same array, between two of the ends in $17.
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
  SELECT c.serial_id, 1, ($20::smallint[])[c.n], ($21::bigint[])[c.n], ($22::bigint[])[c.n],
         ($5::bigint[])[($19::integer[])[c.n]], ($6::bigint[])[($19::integer[])[c.n]]
  FROM lane, UNNEST($18::uuid[]) WITH ORDINALITY AS c (serial_id, n)
), entered AS (
  INSERT INTO ledger_entries
    (balance_id, version, kind, channel, id, amount, balance_after, created_at, key_id, reference,
     fingerprint, email_sealed, serial_ids, details)
  SELECT ($5::bigint[])[e.n], ($6::bigint[])[e.n], 1, ($7::smallint[])[e.n], ($8::uuid[])[e.n],
         ($9::bigint[])[e.n], ($10::bigint[])[e.n], ($11::timestamptz[])[e.n], ($12::uuid[])[e.n],
         e.reference, substring($14::bytea FROM e.n::integer * 16 - 15 FOR 16),
         ($15::bytea[])[e.n],
         ($18::uuid[])[($17::integer[])[e.n] + 1 : ($17::integer[])[e.n + 1]],
         ($16::text[])[e.n]::jsonb
  FROM lane, UNNEST($13::text[]) WITH ORDINALITY AS e (reference, n)
)
SELECT seq FROM lane
