-- Moves the cursor of lane $1 from number $2 to $3 and stores the orders between, or neither if it is not at $2. A
-- crash may take this back whole, and then it is stored again: the lanes' flushes have the disk.
WITH lazily AS (
  SELECT set_config('synchronous_commit', 'off', true)
), moved AS (
  INSERT INTO customer_cursors AS c (lane, seq)
  SELECT $1, $3 FROM lazily WHERE $2 = 0 OR EXISTS (SELECT FROM customer_cursors WHERE lane = $1)
  ON CONFLICT ON CONSTRAINT customer_cursors_pkey
    DO UPDATE SET seq = EXCLUDED.seq WHERE c.seq = $2
  RETURNING lane
), stored AS (
  INSERT INTO customer_orders (merchant_id, digest, balance_id, version)
  SELECT o.merchant_id, o.digest, o.balance_id, o.version
  FROM moved, UNNEST($4::uuid[], $5::bytea[], $6::bigint[], $7::bigint[])
    AS o (merchant_id, digest, balance_id, version)
  ON CONFLICT ON CONSTRAINT customer_orders_pkey DO NOTHING
)
SELECT lane FROM moved
