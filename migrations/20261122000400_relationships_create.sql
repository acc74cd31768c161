-- One reseller in one program: status, mode, terms, product access. The version rises with every
-- change of any of them, of the keys, and is what the engine's actors compare.

CREATE TABLE relationships (
  relationship_id             uuid        NOT NULL,
  merchant_id                 uuid        NOT NULL,
  code                        text COLLATE "C" NOT NULL,
  email                       text        NOT NULL,
  name                        text        NOT NULL,
  status                      text        NOT NULL,
  status_reason               text,
  mode                        text        NOT NULL,
  wholesale_discount_percent  integer,                 -- hundredths of a percent
  purchase_limit_daily        bigint,
  purchase_limit_monthly      bigint,
  version                     bigint      NOT NULL DEFAULT 1,
  created_at                  timestamptz NOT NULL DEFAULT now(),
  updated_at                  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT relationships_pkey PRIMARY KEY (relationship_id),
  CONSTRAINT relationships_code_key UNIQUE (code),
  CONSTRAINT relationships_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT relationships_status_check
    CHECK (status IN ('INVITED', 'ACTIVE', 'SUSPENDED', 'TERMINATED')),
  CONSTRAINT relationships_mode_check
    CHECK (mode IN ('AFFILIATE', 'STOCK', 'AUTO_FULFILLED', 'BOTH')),
  CONSTRAINT relationships_wholesale_discount_percent_check
    CHECK (wholesale_discount_percent BETWEEN 0 AND 10000),
  CONSTRAINT relationships_purchase_limit_daily_check CHECK (purchase_limit_daily >= 0),
  CONSTRAINT relationships_purchase_limit_monthly_check CHECK (purchase_limit_monthly >= 0)
);
CREATE INDEX relationships_merchant_id_relationship_id_idx
  ON relationships (merchant_id, relationship_id);

CREATE TABLE product_access (
  relationship_id  uuid        NOT NULL,
  product_id       uuid        NOT NULL,
  variant_id       uuid,
  merchant_id      uuid        NOT NULL,
  wholesale_price  bigint,
  min_quantity     integer,
  max_quantity     integer,
  revoked_at       timestamptz,
  CONSTRAINT product_access_relationship_id_product_id_variant_id_key
    UNIQUE NULLS NOT DISTINCT (relationship_id, product_id, variant_id),
  CONSTRAINT product_access_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id),
  CONSTRAINT product_access_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (product_id),
  CONSTRAINT product_access_wholesale_price_check
    CHECK (wholesale_price BETWEEN 0 AND 999999999999),
  CONSTRAINT product_access_quantity_check CHECK (min_quantity >= 1 AND max_quantity >= 1)
);
