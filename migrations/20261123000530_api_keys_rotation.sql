-- Rotation of keys: the successor of a key, and until when the old one works beside it. A key has one
-- successor, so of a chain at most two are alive. Whose expiry was announced is told once.

SET LOCAL lock_timeout = '2s';

ALTER TABLE api_keys
  ADD COLUMN retires_at      timestamptz,
  ADD COLUMN replaced_by     uuid,
  ADD COLUMN replaces        uuid,
  ADD COLUMN expiry_told_at  timestamptz,
  ADD CONSTRAINT api_keys_replaces_key UNIQUE (replaces),
  ADD CONSTRAINT api_keys_retires_at_check CHECK ((retires_at IS NULL) = (replaced_by IS NULL));
CREATE INDEX api_keys_merchant_id_idx ON api_keys (merchant_id, key_id) WHERE relationship_id IS NULL;
CREATE INDEX api_keys_expires_at_idx ON api_keys (expires_at)
  WHERE revoked_at IS NULL AND expiry_told_at IS NULL AND expires_at IS NOT NULL;
