-- Products and variants. A price change raises price_version, which orders record.

CREATE TABLE products (
  product_id       uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  title            text        NOT NULL,
  description      text        NOT NULL DEFAULT '',
  kind             text        NOT NULL,
  status           text        NOT NULL DEFAULT 'ACTIVE',
  base_price       bigint      NOT NULL,
  wholesale_price  bigint,
  min_quantity     integer,
  max_quantity     integer,
  custom_fields    jsonb       NOT NULL DEFAULT '[]',
  price_version    bigint      NOT NULL DEFAULT 1,
  created_at       timestamptz NOT NULL DEFAULT now(),
  updated_at       timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT products_pkey PRIMARY KEY (product_id),
  CONSTRAINT products_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT products_kind_check CHECK (kind IN ('SERIALS', 'SERVICE')),
  CONSTRAINT products_status_check CHECK (status IN ('ACTIVE', 'DISABLED', 'ARCHIVED')),
  CONSTRAINT products_base_price_check CHECK (base_price BETWEEN 0 AND 999999999999),
  CONSTRAINT products_wholesale_price_check CHECK (wholesale_price BETWEEN 0 AND 999999999999),
  CONSTRAINT products_quantity_check CHECK (min_quantity >= 1 AND max_quantity >= 1)
);
CREATE INDEX products_merchant_id_product_id_idx ON products (merchant_id, product_id);

CREATE TABLE variants (
  variant_id       uuid        NOT NULL,
  product_id       uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  position         smallint    NOT NULL,
  title            text        NOT NULL,
  status           text        NOT NULL DEFAULT 'ACTIVE',
  base_price       bigint      NOT NULL,
  wholesale_price  bigint,
  CONSTRAINT variants_pkey PRIMARY KEY (variant_id),
  CONSTRAINT variants_product_id_position_key UNIQUE (product_id, position),
  CONSTRAINT variants_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (product_id),
  CONSTRAINT variants_status_check CHECK (status IN ('ACTIVE', 'DISABLED')),
  CONSTRAINT variants_base_price_check CHECK (base_price BETWEEN 0 AND 999999999999),
  CONSTRAINT variants_wholesale_price_check CHECK (wholesale_price BETWEEN 0 AND 999999999999)
);
