-- One batch of imports that go on sale. The lane's row is locked before a number is drawn, so the
-- numbers of a product become visible in the order in which they were drawn. An import that has its
-- number keeps it. What went on sale is told by the outbox of events.
WITH lane AS (
  UPDATE lanes SET seq = $4
  WHERE lane = $1 AND owner = $2 AND fence = $3 AND seq = $4 - 1
  RETURNING lane, seq, fence
), batch AS (
  INSERT INTO batches (lane, seq, fence, balance_ids, versions, committed_at)
  SELECT lane, seq, fence, '{}', '{}', clock_timestamp() FROM lane
), numbered AS (
  UPDATE imports SET number = nextval('imports_number_seq')
  FROM lane, UNNEST($5::uuid[]) AS restocked (import_id)
  WHERE imports.import_id = restocked.import_id AND imports.number IS NULL
  RETURNING imports.import_id, imports.merchant_id, imports.product_id, imports.variant_id,
            imports.serials
), told AS (
  INSERT INTO event_outbox (merchant_id, fact, occurred_at)
  SELECT merchant_id,
         jsonb_build_object('fact', 'serials_imported', 'import', import_id, 'product', product_id,
                            'variant', variant_id, 'serials', serials),
         clock_timestamp()
  FROM numbered
)
SELECT seq FROM lane
