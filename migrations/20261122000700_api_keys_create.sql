-- Keys of resellers' shops and of merchants. Only a keyed digest of the secret is stored.

CREATE TABLE api_keys (
  key_id                 uuid        NOT NULL,
  merchant_id            uuid        NOT NULL,
  relationship_id        uuid,                       -- none: a merchant's key
  test                   boolean     NOT NULL,
  name                   text        NOT NULL,
  last4                  text        NOT NULL,
  digest                 bytea       NOT NULL,
  scopes                 text[]      NOT NULL,
  product_ids            uuid[]      NOT NULL DEFAULT '{}',
  max_quantity           integer,
  daily_spend_cap        bigint,
  ip_allow_list          text[]      NOT NULL DEFAULT '{}',
  rate_limit_per_second  integer,
  url_secret             bytea,
  created_at             timestamptz NOT NULL DEFAULT now(),
  expires_at             timestamptz,
  revoked_at             timestamptz,
  revoked_reason         text,
  last_used_at           timestamptz,
  last_used_ip           text,
  CONSTRAINT api_keys_pkey PRIMARY KEY (key_id),
  CONSTRAINT api_keys_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT api_keys_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id),
  CONSTRAINT api_keys_daily_spend_cap_check CHECK (daily_spend_cap >= 0),
  CONSTRAINT api_keys_dynamic_check
    CHECK (NOT 'dynamic.write' = ANY (scopes) OR (daily_spend_cap IS NOT NULL AND url_secret IS NOT NULL))
);
CREATE INDEX api_keys_relationship_id_idx ON api_keys (relationship_id);

-- How often a dynamic URL showed an order's serials again.
CREATE TABLE dynamic_url_replays (
  balance_id  bigint  NOT NULL,
  version     bigint  NOT NULL,
  shown       integer NOT NULL,
  CONSTRAINT dynamic_url_replays_pkey PRIMARY KEY (balance_id, version)
);
