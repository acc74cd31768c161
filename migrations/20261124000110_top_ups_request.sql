-- The request that opened an invoice: sent again, however late, it finds the invoice that it opened. None
-- for an invoice that no request opened.

SET LOCAL lock_timeout = '2s';

ALTER TABLE invoices
  ADD COLUMN request_id uuid,
  ADD CONSTRAINT invoices_request_id_key UNIQUE (request_id);
