-- Proves the rows that there are against the words for who cancelled.

SET LOCAL lock_timeout = '2s';

ALTER TABLE stock_requests VALIDATE CONSTRAINT stock_requests_cancelled_by_check;
