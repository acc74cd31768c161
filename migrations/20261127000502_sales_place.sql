-- no-transaction
-- One sale for each line of an invoice, whoever's invoice it is; reported sales have one line.
CREATE UNIQUE INDEX CONCURRENTLY sales_external_invoice_id_place_key
  ON sales (merchant_id, external_invoice_id, place);
