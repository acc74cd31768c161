-- Proves the rows that there are against the bound of what is beyond a price.

SET LOCAL lock_timeout = '2s';

ALTER TABLE stock_requests VALIDATE CONSTRAINT stock_requests_surplus_check;
