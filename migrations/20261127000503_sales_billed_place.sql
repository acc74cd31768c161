-- no-transaction
-- The sales of an invoice of ours are found together when its price goes back.
CREATE UNIQUE INDEX CONCURRENTLY sales_invoice_id_place_key ON sales (invoice_id, place)
  WHERE invoice_id IS NOT NULL;
