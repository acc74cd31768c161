-- Proves the rows that there are against what names their cause.

SET LOCAL lock_timeout = '2s';

ALTER TABLE takings VALIDATE CONSTRAINT takings_stock_request_id_fkey;
ALTER TABLE takings VALIDATE CONSTRAINT takings_cause_check;
