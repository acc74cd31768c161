-- Commission, product scope and the dates of its life on a relationship; commission, resale and stock
-- bounds on product access. One living relationship per e-mail address and program.

SET LOCAL lock_timeout = '2s';

ALTER TABLE relationships
  ADD COLUMN commission_percent  integer,                  -- hundredths of a percent
  ADD COLUMN product_scope       text    NOT NULL DEFAULT 'ALL',
  ADD COLUMN notify_customer     boolean NOT NULL DEFAULT true,
  ADD COLUMN accepted_at         timestamptz,
  ADD COLUMN suspended_at        timestamptz,
  ADD COLUMN terminated_at       timestamptz,
  ADD CONSTRAINT relationships_commission_percent_check CHECK (commission_percent BETWEEN 0 AND 10000),
  ADD CONSTRAINT relationships_product_scope_check CHECK (product_scope IN ('ALL', 'SELECTED'));

CREATE UNIQUE INDEX relationships_merchant_id_email_key
  ON relationships (merchant_id, lower(email) COLLATE "C") WHERE status <> 'TERMINATED';

ALTER TABLE product_access
  ADD COLUMN commission_percent  integer,                  -- hundredths of a percent
  ADD COLUMN auto_fulfilled      boolean NOT NULL DEFAULT true,
  ADD COLUMN min_resale_price    bigint,
  ADD COLUMN max_resale_price    bigint,
  ADD COLUMN stock_min_quantity  integer,
  ADD COLUMN stock_max_quantity  integer,
  ADD CONSTRAINT product_access_commission_percent_check CHECK (commission_percent BETWEEN 0 AND 10000),
  ADD CONSTRAINT product_access_resale_check
    CHECK (min_resale_price >= 0 AND max_resale_price >= 0 AND min_resale_price <= max_resale_price),
  ADD CONSTRAINT product_access_stock_quantity_check
    CHECK (stock_min_quantity >= 1 AND stock_max_quantity >= 1 AND stock_min_quantity <= stock_max_quantity);
