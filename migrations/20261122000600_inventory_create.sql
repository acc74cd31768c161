-- Serials. A serial's id is its import's id with the ordinal in the low 32 bits, so an import is one
-- range of the primary key, in the order of sale. Rows are immutable: a serial is unclaimed as long as
-- serial_claims has no row for it.

CREATE SEQUENCE imports_number_seq;

-- An import is stored first and numbered afterwards, by its product's lane: numbers become visible in
-- the order of commit, so whoever has read up to a number never misses one before it.
CREATE TABLE imports (
  import_id    uuid        NOT NULL,
  merchant_id  uuid        NOT NULL,
  product_id   uuid        NOT NULL,
  variant_id   uuid,
  number       bigint,
  serials      integer     NOT NULL,
  low_ordinal  bigint      NOT NULL DEFAULT 0,   -- every ordinal below is claimed
  label        text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT imports_pkey PRIMARY KEY (import_id),
  CONSTRAINT imports_number_key UNIQUE (number),
  CONSTRAINT imports_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (product_id),
  CONSTRAINT imports_serials_check CHECK (serials >= 0)
);
CREATE INDEX imports_product_id_variant_id_number_idx ON imports (product_id, variant_id, number);
CREATE INDEX imports_unnumbered_idx ON imports (import_id) WHERE number IS NULL;

CREATE TABLE serials (
  serial_id    uuid  NOT NULL,
  merchant_id  uuid  NOT NULL,
  fingerprint  bytea NOT NULL,
  sealed       bytea NOT NULL,
  removed_at   timestamptz,
  CONSTRAINT serials_pkey PRIMARY KEY (serial_id)
);
-- One secret is stored once per merchant.
CREATE UNIQUE INDEX serials_merchant_id_fingerprint_key
  ON serials (merchant_id, fingerprint) WHERE removed_at IS NULL;

-- The single, permanent use of a serial. Kinds: 1 fulfillment, 2 quarantine.
CREATE TABLE serial_claims (
  serial_id      uuid     NOT NULL,
  kind           smallint NOT NULL,
  line           smallint NOT NULL,
  unit_price     bigint   NOT NULL,
  price_version  bigint   NOT NULL,
  balance_id     bigint   NOT NULL,
  version        bigint   NOT NULL,
  CONSTRAINT serial_claims_pkey PRIMARY KEY (serial_id),
  CONSTRAINT serial_claims_unit_price_check CHECK (unit_price >= 0)
);
