-- Proves the rows that there are, and lets go of the bounds of one line per invoice. What replaces them has their
-- names, because both versions of Consign that run meanwhile match on those.

SET LOCAL lock_timeout = '2s';

ALTER TABLE checkout_sessions VALIDATE CONSTRAINT checkout_sessions_added_check;
ALTER TABLE invoice_lines
  VALIDATE CONSTRAINT invoice_lines_place_check,
  VALIDATE CONSTRAINT invoice_lines_refunded_check,
  DROP CONSTRAINT invoice_lines_invoice_id_key;
ALTER TABLE sales
  DROP CONSTRAINT sales_merchant_id_external_invoice_id_key,
  ADD CONSTRAINT sales_merchant_id_external_invoice_id_key
    UNIQUE USING INDEX sales_external_invoice_id_place_key;
DROP INDEX sales_invoice_id_key;
ALTER TABLE sale_refunds
  DROP CONSTRAINT sale_refunds_pkey,
  ADD CONSTRAINT sale_refunds_pkey PRIMARY KEY USING INDEX sale_refunds_reference_place_key;
