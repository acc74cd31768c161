-- Proves the rows that there are.

SET LOCAL lock_timeout = '2s';

ALTER TABLE invoice_refunds VALIDATE CONSTRAINT invoice_refunds_place_check;
ALTER TABLE sales VALIDATE CONSTRAINT sales_place_check;
ALTER TABLE sale_refunds VALIDATE CONSTRAINT sale_refunds_place_check;
