-- What both database peers store: the same facts as Consign, in the shape a transaction per request
-- wants. Terms and keys are read-mostly, balances are updated in place (HOT, so a low fillfactor),
-- free serials are found by a partial index.
CREATE TABLE relationships (
  relationship_id bigint PRIMARY KEY,
  status smallint NOT NULL,
  key_id bigint NOT NULL,
  key_mac bytea NOT NULL
);

CREATE TABLE products (
  product_id bigint PRIMARY KEY,
  status smallint NOT NULL,
  title text NOT NULL,
  unit_minor bigint NOT NULL CHECK (unit_minor >= 0),
  price_version bigint NOT NULL,
  quantity_min integer NOT NULL,
  quantity_max integer NOT NULL
);

CREATE TABLE product_access (
  relationship_id bigint NOT NULL,
  product_id bigint NOT NULL,
  PRIMARY KEY (relationship_id, product_id)
);

CREATE TABLE balances (
  relationship_id bigint PRIMARY KEY,
  posted_minor bigint NOT NULL CHECK (posted_minor >= 0),
  version bigint NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE serials (
  serial_id bigint NOT NULL,
  product_id bigint NOT NULL,
  ciphertext bytea NOT NULL,
  relationship_id bigint,
  fulfillment_id uuid,
  line smallint,
  unit_minor bigint,
  price_version bigint
);

-- The primary key serves the detail page and, its second half being time-ordered, the newest-first
-- list; the unique key serves the look-up by order id.
CREATE TABLE fulfillments (
  relationship_id bigint NOT NULL,
  fulfillment_id uuid NOT NULL,
  external_order_id text COLLATE "C" NOT NULL,
  fingerprint bytea NOT NULL,
  product_id bigint NOT NULL,
  quantity integer NOT NULL,
  unit_minor bigint NOT NULL,
  price_version bigint NOT NULL,
  cost_minor bigint NOT NULL CHECK (cost_minor >= 0),
  channel smallint NOT NULL,
  key_id bigint NOT NULL,
  email_sealed bytea NOT NULL,
  details jsonb,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (relationship_id, fulfillment_id),
  UNIQUE (relationship_id, external_order_id)
);

CREATE TABLE ledger_entries (
  relationship_id bigint NOT NULL,
  version bigint NOT NULL,
  kind smallint NOT NULL,
  amount_minor bigint NOT NULL,
  balance_after_minor bigint NOT NULL CHECK (balance_after_minor >= 0),
  fulfillment_id uuid,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (relationship_id, version)
);
