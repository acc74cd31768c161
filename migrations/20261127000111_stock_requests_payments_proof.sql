-- Proves the rows that there are against the constraints that purchases changed.

SET LOCAL lock_timeout = '2s';

ALTER TABLE invoices VALIDATE CONSTRAINT invoices_purpose_check;
ALTER TABLE stock_requests VALIDATE CONSTRAINT stock_requests_paid_check;
