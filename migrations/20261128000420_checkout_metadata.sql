-- What a merchant's shop sends with a visit, to read it again with the invoice: names and values that mean nothing
-- here. A constant default writes no row.

SET LOCAL lock_timeout = '2s';

ALTER TABLE checkout_sessions ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
ALTER TABLE invoices ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
