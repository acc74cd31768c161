-- Events: one feed per merchant and one per relationship, for live and for test, numbered without a gap.
-- Facts of the ledger are told by the batches that committed them, all others by a row of the outbox
-- that was stored in the transaction of the fact. The dispatcher moves its cursors and gives the numbers
-- in one transaction, so each fact is in each of its feeds exactly once.

CREATE TABLE event_feeds (
  feed_id          bigint   GENERATED ALWAYS AS IDENTITY,
  merchant_id      uuid     NOT NULL,
  relationship_id  uuid,
  test             boolean  NOT NULL,
  seq              bigint   NOT NULL,
  CONSTRAINT event_feeds_pkey PRIMARY KEY (feed_id),
  CONSTRAINT event_feeds_merchant_id_relationship_id_test_key
    UNIQUE NULLS NOT DISTINCT (merchant_id, relationship_id, test),
  CONSTRAINT event_feeds_seq_check CHECK (seq >= 1)
) WITH (fillfactor = 50);

-- Consecutive numbers of one feed: entries of ledgers in their order, or one other fact. A span costs a
-- row whether it holds one order or thousands, so the feed is cheap beside the lanes.
CREATE TABLE event_spans (
  feed_id      bigint       NOT NULL,
  first_seq    bigint       NOT NULL,
  last_seq     bigint       NOT NULL,
  made_at      timestamptz  NOT NULL,
  balance_ids  bigint[],
  versions     bigint[],
  event_id     uuid,
  fact         jsonb,
  occurred_at  timestamptz,
  CONSTRAINT event_spans_pkey PRIMARY KEY (feed_id, last_seq),
  CONSTRAINT event_spans_seq_check CHECK (first_seq >= 1 AND last_seq >= first_seq),
  CONSTRAINT event_spans_entries_check
    CHECK (fact IS NOT NULL
           OR (balance_ids IS NOT NULL AND versions IS NOT NULL
               AND CARDINALITY(balance_ids) = last_seq - first_seq + 1
               AND CARDINALITY(versions) = last_seq - first_seq + 1)),
  CONSTRAINT event_spans_fact_check
    CHECK (fact IS NULL
           OR (event_id IS NOT NULL AND occurred_at IS NOT NULL AND first_seq = last_seq
               AND balance_ids IS NULL AND versions IS NULL))
);
ALTER TABLE event_spans ALTER COLUMN balance_ids SET STORAGE EXTERNAL;
ALTER TABLE event_spans ALTER COLUMN versions SET STORAGE EXTERNAL;
CREATE INDEX event_spans_made_at_idx ON event_spans (made_at);

CREATE TABLE event_outbox (
  outbox_id        bigint       GENERATED ALWAYS AS IDENTITY,
  event_id         uuid         NOT NULL DEFAULT gen_random_uuid(),
  merchant_id      uuid         NOT NULL,
  relationship_id  uuid,
  fact             jsonb        NOT NULL,
  occurred_at      timestamptz  NOT NULL,
  CONSTRAINT event_outbox_pkey PRIMARY KEY (outbox_id)
);

-- Up to which batch each lane's entries are in the feeds.
CREATE TABLE event_cursors (
  lane  smallint  NOT NULL,
  seq   bigint    NOT NULL,
  CONSTRAINT event_cursors_pkey PRIMARY KEY (lane)
);

-- The lock that lets one dispatcher of a shard work at a time.
CREATE TABLE event_dispatchers (
  shard  smallint  NOT NULL,
  CONSTRAINT event_dispatchers_pkey PRIMARY KEY (shard),
  CONSTRAINT event_dispatchers_shard_fkey FOREIGN KEY (shard) REFERENCES shards (shard)
);
INSERT INTO event_dispatchers (shard) SELECT shard FROM shards;
