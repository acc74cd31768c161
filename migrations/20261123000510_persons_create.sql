-- People who sign in, what they may do for a merchant, and their sessions. Of passwords a slow hash is
-- stored, of sessions and links that were mailed only a digest: both have 256 random bits.

CREATE TABLE persons (
  person_id          uuid        NOT NULL,
  email              text COLLATE "C" NOT NULL,
  name               text        NOT NULL,
  locale             text        NOT NULL DEFAULT 'en',
  status             text        NOT NULL DEFAULT 'ACTIVE',
  password_hash      text        NOT NULL,
  failures           integer     NOT NULL DEFAULT 0,
  failures_since     timestamptz,
  locked_until       timestamptz,
  totp_secret        bytea,
  totp_confirmed_at  timestamptz,
  totp_step          bigint      NOT NULL DEFAULT 0,
  created_at         timestamptz NOT NULL,
  updated_at         timestamptz NOT NULL,
  CONSTRAINT persons_pkey PRIMARY KEY (person_id),
  CONSTRAINT persons_email_key UNIQUE (email),
  CONSTRAINT persons_email_check CHECK (email = lower(email)),
  CONSTRAINT persons_status_check CHECK (status IN ('ACTIVE', 'DISABLED')),
  CONSTRAINT persons_failures_check CHECK (failures >= 0),
  CONSTRAINT persons_totp_check CHECK (totp_confirmed_at IS NULL OR totp_secret IS NOT NULL)
);

CREATE TABLE members (
  merchant_id  uuid        NOT NULL,
  person_id    uuid        NOT NULL,
  role         text        NOT NULL,
  created_at   timestamptz NOT NULL,
  CONSTRAINT members_pkey PRIMARY KEY (person_id, merchant_id),
  CONSTRAINT members_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT members_person_id_fkey FOREIGN KEY (person_id) REFERENCES persons (person_id),
  CONSTRAINT members_role_check CHECK (role IN ('OWNER', 'MANAGER', 'VIEWER'))
);
CREATE INDEX members_merchant_id_idx ON members (merchant_id);

CREATE TABLE sessions (
  session_id     uuid        NOT NULL,
  person_id      uuid        NOT NULL,
  digest         bytea       NOT NULL,
  address        text        NOT NULL,
  agent          text        NOT NULL,
  created_at     timestamptz NOT NULL,
  last_used_at   timestamptz NOT NULL,
  stepped_up_at  timestamptz,
  CONSTRAINT sessions_pkey PRIMARY KEY (session_id),
  CONSTRAINT sessions_digest_key UNIQUE (digest),
  CONSTRAINT sessions_person_id_fkey FOREIGN KEY (person_id) REFERENCES persons (person_id)
);
CREATE INDEX sessions_person_id_idx ON sessions (person_id);
CREATE INDEX sessions_last_used_at_idx ON sessions (last_used_at);

CREATE TABLE password_resets (
  digest      bytea       NOT NULL,
  person_id   uuid        NOT NULL,
  expires_at  timestamptz NOT NULL,
  CONSTRAINT password_resets_pkey PRIMARY KEY (digest),
  CONSTRAINT password_resets_person_id_fkey FOREIGN KEY (person_id) REFERENCES persons (person_id)
);
CREATE INDEX password_resets_person_id_idx ON password_resets (person_id);

CREATE TABLE recovery_codes (
  person_id  uuid  NOT NULL,
  digest     bytea NOT NULL,
  CONSTRAINT recovery_codes_pkey PRIMARY KEY (person_id, digest),
  CONSTRAINT recovery_codes_person_id_fkey FOREIGN KEY (person_id) REFERENCES persons (person_id)
);
