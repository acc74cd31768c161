-- What a merchant sets of a product and no order is judged by: whether resellers may list it at a price of
-- their own, and from which stock on it hears that it is low.

SET LOCAL lock_timeout = '2s';

ALTER TABLE products
  ADD COLUMN auto_fulfilled       boolean NOT NULL DEFAULT false,
  ADD COLUMN low_stock_threshold  integer,
  ADD CONSTRAINT products_low_stock_threshold_check CHECK (low_stock_threshold BETWEEN 0 AND 1000000);
