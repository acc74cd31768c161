-- no-transaction
-- An invoice has one line in each place, and its lines are read together.
CREATE UNIQUE INDEX CONCURRENTLY invoice_lines_invoice_id_place_key ON invoice_lines (invoice_id, place);
