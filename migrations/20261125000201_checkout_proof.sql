-- Proves the rows that there are against the constraints that the checkout changed, without keeping new ones
-- from being written meanwhile.

SET LOCAL lock_timeout = '2s';

ALTER TABLE invoices
  VALIDATE CONSTRAINT invoices_purpose_check,
  VALIDATE CONSTRAINT invoices_origin_check,
  VALIDATE CONSTRAINT invoices_status_check,
  VALIDATE CONSTRAINT invoices_paid_at_check,
  VALIDATE CONSTRAINT invoices_completed_at_check,
  VALIDATE CONSTRAINT invoices_checkout_check;
ALTER TABLE sales VALIDATE CONSTRAINT sales_invoice_id_fkey;
