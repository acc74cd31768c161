-- Items that were refunded by name: the price of a serial is given back once, whatever asks for it, be it
-- the merchant or a replacement. What is refunded as an amount names none.

SET LOCAL lock_timeout = '2s';

CREATE TABLE refund_items (
  serial_id   uuid             NOT NULL,         -- as it was delivered
  balance_id  bigint           NOT NULL,
  reference   text COLLATE "C" NOT NULL,
  CONSTRAINT refund_items_pkey PRIMARY KEY (serial_id),
  CONSTRAINT refund_items_reference_fkey
    FOREIGN KEY (balance_id, reference) REFERENCES refunds (balance_id, reference)
);
CREATE INDEX refund_items_balance_id_reference_idx ON refund_items (balance_id, reference);

GRANT SELECT ON refund_items TO consign_read;
ALTER TABLE refund_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY refund_items_scope_policy ON refund_items FOR SELECT TO consign_read
  USING (EXISTS (SELECT FROM balances AS b WHERE b.balance_id = refund_items.balance_id));
