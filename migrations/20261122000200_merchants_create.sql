-- The tenant, its program, and the proof that the root key is the one that sealed this database.

CREATE TABLE installation (
  singleton   boolean     NOT NULL DEFAULT true,
  canary      bytea       NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT installation_pkey PRIMARY KEY (singleton),
  CONSTRAINT installation_singleton_check CHECK (singleton)
);

CREATE TABLE merchants (
  merchant_id        uuid        NOT NULL,
  bucket             smallint    NOT NULL,
  name               text        NOT NULL,
  storefront_url     text,
  currency           text        NOT NULL,
  data_key           bytea       NOT NULL,
  rate_limit_factor  integer     NOT NULL DEFAULT 1,
  created_at         timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT merchants_pkey PRIMARY KEY (merchant_id),
  CONSTRAINT merchants_bucket_check CHECK (bucket BETWEEN 0 AND 1023),
  CONSTRAINT merchants_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
  CONSTRAINT merchants_rate_limit_factor_check CHECK (rate_limit_factor BETWEEN 1 AND 1000000)
);

CREATE TABLE programs (
  merchant_id                 uuid     NOT NULL,
  enabled                     boolean  NOT NULL,
  wholesale_discount_percent  integer,             -- hundredths of a percent
  dynamic_url_policy          text     NOT NULL DEFAULT 'ALLOWED',
  version                     bigint   NOT NULL DEFAULT 1,
  CONSTRAINT programs_pkey PRIMARY KEY (merchant_id),
  CONSTRAINT programs_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT programs_wholesale_discount_percent_check
    CHECK (wholesale_discount_percent BETWEEN 0 AND 10000),
  CONSTRAINT programs_dynamic_url_policy_check
    CHECK (dynamic_url_policy IN ('ALLOWED', 'SIGNED_ONLY', 'OFF'))
);
