-- Connections: receivers of the calls with which resellers' shops ask for what their customers bought. To the
-- engine a connection is a key of its relationship under its own id, with a cap of the day; it is in force
-- while it is ACTIVE. Of its calls the last ones are remembered, without serials and without addresses.

SET LOCAL lock_timeout = '2s';

CREATE TABLE connections (
  connection_id     uuid         NOT NULL,
  merchant_id       uuid         NOT NULL,
  relationship_id   uuid         NOT NULL,
  name              text         NOT NULL,
  kind              text         NOT NULL,
  status            text         NOT NULL,
  secret            bytea        NOT NULL,
  old_secret        bytea,
  old_secret_until  timestamptz,
  -- Lines of products of the shop, and what each is here.
  product_map       jsonb        NOT NULL,
  -- How calls of kind CUSTOM are read, verified and answered.
  custom            jsonb,
  daily_spend_cap   bigint       NOT NULL,
  last_call_at      timestamptz,
  created_at        timestamptz  NOT NULL,
  updated_at        timestamptz  NOT NULL,
  CONSTRAINT connections_pkey PRIMARY KEY (connection_id),
  CONSTRAINT connections_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id),
  CONSTRAINT connections_kind_check
    CHECK (kind IN ('SHOPPEX', 'SELLAUTH', 'SELLIX', 'SELLAPP', 'CUSTOM')),
  CONSTRAINT connections_status_check CHECK (status IN ('ACTIVE', 'PAUSED', 'REVOKED')),
  CONSTRAINT connections_old_secret_check CHECK ((old_secret IS NULL) = (old_secret_until IS NULL)),
  CONSTRAINT connections_custom_check CHECK ((custom IS NOT NULL) = (kind = 'CUSTOM')),
  CONSTRAINT connections_daily_spend_cap_check CHECK (daily_spend_cap BETWEEN 0 AND 999999999999)
);
CREATE INDEX connections_relationship_id_idx ON connections (relationship_id, connection_id);

-- The log is short: whoever writes a line takes those away that are too old.
CREATE TABLE connection_calls (
  number             bigint       GENERATED ALWAYS AS IDENTITY,
  connection_id      uuid         NOT NULL,
  merchant_id        uuid         NOT NULL,
  relationship_id    uuid         NOT NULL,
  outcome            text         NOT NULL,
  external_order_id  text,
  foreign_product    text,
  foreign_variant    text,
  quantity           integer,
  code               text,
  message            text,
  fulfillment_id     uuid,
  took_ms            integer      NOT NULL,
  created_at         timestamptz  NOT NULL,
  CONSTRAINT connection_calls_pkey PRIMARY KEY (connection_id, number),
  CONSTRAINT connection_calls_connection_id_fkey
    FOREIGN KEY (connection_id) REFERENCES connections (connection_id),
  CONSTRAINT connection_calls_outcome_check
    CHECK (outcome IN ('DELIVERED', 'REPLAYED', 'REFUSED', 'BAD_SIGNATURE')),
  CONSTRAINT connection_calls_took_ms_check CHECK (took_ms >= 0)
);

GRANT SELECT ON connections, connection_calls TO consign_read;
ALTER TABLE connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE connection_calls ENABLE ROW LEVEL SECURITY;
CREATE POLICY connections_scope_policy ON connections FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY connection_calls_scope_policy ON connection_calls FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
