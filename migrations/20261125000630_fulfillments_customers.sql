-- Which orders went to an e-mail address, by its keyed digest. Written behind the lanes, up to a batch of each
-- (`customer_cursors`), because an index of the ledger would cost every commit; whoever asks has the rest read
-- first.

CREATE TABLE customer_orders (
  merchant_id  uuid   NOT NULL,
  digest       bytea  NOT NULL,
  balance_id   bigint NOT NULL,
  version      bigint NOT NULL,
  CONSTRAINT customer_orders_pkey PRIMARY KEY (merchant_id, digest, balance_id, version)
);

CREATE TABLE customer_cursors (
  lane  smallint NOT NULL,
  seq   bigint   NOT NULL,
  CONSTRAINT customer_cursors_pkey PRIMARY KEY (lane)
);

GRANT SELECT ON customer_orders TO consign_read;
ALTER TABLE customer_orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer_orders_scope_policy ON customer_orders FOR SELECT TO consign_read
  USING (EXISTS (SELECT FROM balances AS b WHERE b.balance_id = customer_orders.balance_id));
