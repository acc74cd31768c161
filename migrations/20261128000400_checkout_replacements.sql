-- Serials of customers' purchases that were no good. What a merchant wants is stored here first; then as many leave
-- the shelf under the replacement's own id, and are noted as the customer's with what they replace. One that a crash
-- cut off is carried out later, and never twice; one for which there is too little is taken back.

SET LOCAL lock_timeout = '2s';

CREATE TABLE invoice_replacements (
  replacement_id  uuid        NOT NULL,
  merchant_id     uuid        NOT NULL,
  invoice_id      uuid        NOT NULL,
  product_id      uuid        NOT NULL,
  variant_id      uuid,
  serial_ids      uuid[]      NOT NULL,
  successor_ids   uuid[],                      -- one for each, in their order, once they left their shelf
  reason          text,
  attempted_at    timestamptz NOT NULL,
  created_at      timestamptz NOT NULL,
  CONSTRAINT invoice_replacements_pkey PRIMARY KEY (replacement_id),
  CONSTRAINT invoice_replacements_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id),
  CONSTRAINT invoice_replacements_serial_ids_check CHECK (CARDINALITY(serial_ids) BETWEEN 1 AND 20),
  CONSTRAINT invoice_replacements_successor_ids_check CHECK (CARDINALITY(successor_ids) = CARDINALITY(serial_ids))
);
CREATE INDEX invoice_replacements_invoice_id_idx ON invoice_replacements (invoice_id);
CREATE INDEX invoice_replacements_waiting_idx ON invoice_replacements (attempted_at)
  WHERE successor_ids IS NULL;

-- What took a serial's place, because it was no good: then it is burned.
ALTER TABLE sold_serials ADD COLUMN successor_id uuid;

GRANT SELECT ON invoice_replacements TO consign_read;
ALTER TABLE invoice_replacements ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoice_replacements_scope_policy ON invoice_replacements FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant() AND scoped_relationship() IS NULL);
