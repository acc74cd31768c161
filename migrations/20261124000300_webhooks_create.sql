-- Webhooks: addresses to which the events of a feed are sent, and each event on its way to one of them. A
-- webhook has a mark in its feed, which moves in the transaction that stores the deliveries up to it, so no
-- event is left out and none is stored twice for one webhook. Whoever works on a webhook has a lease of it;
-- when the lease is over somebody else goes on, so that what was sent and not noted is sent again. Nothing
-- here is touched by an order: the feeds are read behind it.

CREATE TABLE webhooks (
  webhook_id        uuid         NOT NULL,
  merchant_id       uuid         NOT NULL,
  relationship_id   uuid,
  url               text         NOT NULL,
  -- Names of events; all of them if it is null.
  events            text[],
  status            text         NOT NULL,
  secret            bytea        NOT NULL,
  old_secret        bytea,
  old_secret_until  timestamptz,
  told_seq          bigint       NOT NULL,
  due_at            timestamptz,
  lease             bigint       NOT NULL DEFAULT 0,
  leased_until      timestamptz,
  failures          integer      NOT NULL DEFAULT 0,
  failing_since     timestamptz,
  rests_until       timestamptz,
  disabled_at       timestamptz,
  disabled_told_at  timestamptz,
  created_at        timestamptz  NOT NULL,
  updated_at        timestamptz  NOT NULL,
  CONSTRAINT webhooks_pkey PRIMARY KEY (webhook_id),
  CONSTRAINT webhooks_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT webhooks_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id),
  CONSTRAINT webhooks_status_check CHECK (status IN ('ACTIVE', 'PAUSED', 'DISABLED')),
  CONSTRAINT webhooks_told_seq_check CHECK (told_seq >= 0),
  CONSTRAINT webhooks_failures_check CHECK (failures >= 0),
  CONSTRAINT webhooks_old_secret_check CHECK ((old_secret IS NULL) = (old_secret_until IS NULL))
) WITH (fillfactor = 50);
CREATE INDEX webhooks_merchant_id_idx ON webhooks (merchant_id, relationship_id, webhook_id);
CREATE INDEX webhooks_due_at_idx ON webhooks (due_at) WHERE status = 'ACTIVE' AND due_at IS NOT NULL;
CREATE INDEX webhooks_disabled_at_idx ON webhooks (disabled_at)
  WHERE disabled_at IS NOT NULL AND disabled_told_at IS NULL;

-- The log outlives its webhook, so it has no foreign key to it.
CREATE TABLE webhook_deliveries (
  delivery_id      uuid         NOT NULL,
  webhook_id       uuid         NOT NULL,
  merchant_id      uuid         NOT NULL,
  relationship_id  uuid,
  event_id         uuid         NOT NULL,
  event            text         NOT NULL,
  -- The event's number in the feed; none for a trial that somebody asked for.
  seq              bigint,
  status           text         NOT NULL,
  attempts         integer      NOT NULL DEFAULT 0,
  due_at           timestamptz,
  response_status  integer,
  failure          text,
  latency_ms       integer,
  created_at       timestamptz  NOT NULL,
  updated_at       timestamptz  NOT NULL,
  CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (delivery_id),
  CONSTRAINT webhook_deliveries_webhook_id_seq_key UNIQUE (webhook_id, seq),
  CONSTRAINT webhook_deliveries_attempts_check CHECK (attempts >= 0),
  CONSTRAINT webhook_deliveries_status_check
    CHECK (status IN ('PENDING', 'RETRYING', 'DELIVERED', 'FAILED')),
  CONSTRAINT webhook_deliveries_due_at_check
    CHECK ((due_at IS NOT NULL) = (status IN ('PENDING', 'RETRYING')))
) WITH (fillfactor = 70);
CREATE INDEX webhook_deliveries_due_at_idx ON webhook_deliveries (webhook_id, due_at)
  WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_log_idx
  ON webhook_deliveries (merchant_id, relationship_id, delivery_id);
CREATE INDEX webhook_deliveries_updated_at_idx ON webhook_deliveries (updated_at)
  WHERE due_at IS NULL;

GRANT SELECT ON webhooks, webhook_deliveries TO consign_read;
ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY webhooks_scope_policy ON webhooks FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY webhook_deliveries_scope_policy ON webhook_deliveries FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
