-- A refund of an invoice says of which line it was, if it was of one: the same reference for another line is another
-- refund. What was stored before says none. The places of sales and their refunds are bounded as those of lines are.

SET LOCAL lock_timeout = '2s';

ALTER TABLE invoice_refunds
  ADD COLUMN place integer,
  ADD CONSTRAINT invoice_refunds_place_check CHECK (place BETWEEN 0 AND 9) NOT VALID;
ALTER TABLE sales ADD CONSTRAINT sales_place_check CHECK (place BETWEEN 0 AND 9) NOT VALID;
ALTER TABLE sale_refunds ADD CONSTRAINT sale_refunds_place_check CHECK (place BETWEEN 0 AND 9) NOT VALID;
