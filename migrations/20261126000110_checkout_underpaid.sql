-- no-transaction
-- Finds invoices of which a part was paid and whose time is over.
CREATE INDEX CONCURRENTLY invoices_underpaid_idx ON invoices (expires_at) WHERE status = 'UNDERPAID';
