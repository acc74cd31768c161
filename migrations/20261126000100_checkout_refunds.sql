-- Money of customers' invoices that their merchants gave back, once per reference. What of it is a sale's
-- is stored with it in `sale_refunds`.

SET LOCAL lock_timeout = '2s';

CREATE TABLE invoice_refunds (
  merchant_id  uuid             NOT NULL,
  reference    text COLLATE "C" NOT NULL,
  invoice_id   uuid             NOT NULL,
  amount       bigint           NOT NULL,
  note         text,
  created_at   timestamptz      NOT NULL,
  CONSTRAINT invoice_refunds_pkey PRIMARY KEY (merchant_id, reference),
  CONSTRAINT invoice_refunds_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id),
  CONSTRAINT invoice_refunds_amount_check CHECK (amount BETWEEN 1 AND 999999999999)
);

GRANT SELECT ON invoice_refunds TO consign_read;
ALTER TABLE invoice_refunds ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoice_refunds_scope_policy ON invoice_refunds FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant() AND scoped_relationship() IS NULL);
