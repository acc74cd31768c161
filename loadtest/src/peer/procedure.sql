-- The whole fulfilment in one call: the statements of the transaction peer, without the round trips
-- between them. A refusal after the first write is raised, so that the call undoes itself.
CREATE FUNCTION fulfill_v1(
  wanted_relationship_id bigint, wanted_product_id bigint, wanted_quantity integer,
  new_fulfillment_id uuid, wanted_order_id text, wanted_fingerprint bytea, wanted_key_id bigint,
  wanted_email_sealed bytea,
  OUT outcome smallint, OUT title text, OUT unit_minor bigint, OUT price_version bigint,
  OUT created_at timestamptz, OUT balance_after_minor bigint, OUT serial_ids bigint[],
  OUT ciphertexts bytea[])
LANGUAGE plpgsql AS $$
DECLARE
  cost_minor bigint;
  next_version bigint;
BEGIN
  SELECT p.title, p.unit_minor, p.price_version INTO title, unit_minor, price_version
  FROM product_access a
  JOIN products p ON p.product_id = a.product_id
  JOIN relationships r ON r.relationship_id = a.relationship_id
  WHERE a.relationship_id = wanted_relationship_id AND a.product_id = wanted_product_id
    AND r.status = 1 AND p.status = 1
    AND wanted_quantity BETWEEN p.quantity_min AND p.quantity_max;
  IF NOT FOUND THEN
    outcome := 403;
    RETURN;
  END IF;

  cost_minor := unit_minor * wanted_quantity;
  created_at := clock_timestamp();
  INSERT INTO fulfillments AS f (relationship_id, fulfillment_id, external_order_id, fingerprint,
    product_id, quantity, unit_minor, price_version, cost_minor, channel, key_id, email_sealed,
    created_at)
  VALUES (wanted_relationship_id, new_fulfillment_id, wanted_order_id, wanted_fingerprint,
    wanted_product_id, wanted_quantity, fulfill_v1.unit_minor, fulfill_v1.price_version,
    cost_minor, 1, wanted_key_id, wanted_email_sealed, fulfill_v1.created_at)
  ON CONFLICT ON CONSTRAINT fulfillments_relationship_id_external_order_id_key DO NOTHING;
  IF NOT FOUND THEN
    outcome := 200;
    RETURN;
  END IF;

  WITH claimed AS (
    UPDATE serials s
    SET relationship_id = wanted_relationship_id, fulfillment_id = new_fulfillment_id, line = 1,
      unit_minor = fulfill_v1.unit_minor, price_version = fulfill_v1.price_version
    WHERE s.serial_id = ANY (ARRAY(
      SELECT free.serial_id FROM serials free
      WHERE free.product_id = wanted_product_id AND free.fulfillment_id IS NULL
      ORDER BY free.serial_id LIMIT wanted_quantity
      FOR UPDATE SKIP LOCKED))
    RETURNING s.serial_id, s.ciphertext
  )
  SELECT array_agg(c.serial_id), array_agg(c.ciphertext) INTO serial_ids, ciphertexts
  FROM claimed c;
  IF cardinality(serial_ids) IS DISTINCT FROM wanted_quantity THEN
    RAISE EXCEPTION USING ERRCODE = 'PR409', MESSAGE = 'out of stock';
  END IF;

  UPDATE balances b SET posted_minor = posted_minor - cost_minor, version = version + 1
  WHERE b.relationship_id = wanted_relationship_id AND b.posted_minor >= cost_minor
  RETURNING b.posted_minor, b.version INTO balance_after_minor, next_version;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'PR402', MESSAGE = 'insufficient balance';
  END IF;
  INSERT INTO ledger_entries (relationship_id, version, kind, amount_minor, balance_after_minor,
    fulfillment_id, created_at)
  VALUES (wanted_relationship_id, next_version, 1, -cost_minor, balance_after_minor,
    new_fulfillment_id, clock_timestamp());
  outcome := 201;
END
$$;
