-- The spine. A lane's row says who may write, under which fence, and the number of its last batch:
-- a batch commits only as the next number under owner and fence, so nothing is written twice and an
-- unknown outcome can be looked up.

CREATE TABLE shards (
  shard         smallint    NOT NULL,
  owner         uuid,
  epoch         bigint      NOT NULL DEFAULT 0,
  heartbeat_at  timestamptz,
  backend_pid   integer,
  CONSTRAINT shards_pkey PRIMARY KEY (shard)
);
INSERT INTO shards (shard) VALUES (0);

CREATE TABLE lanes (
  lane           smallint    NOT NULL,
  shard          smallint    NOT NULL,
  owner          uuid,
  fence          bigint      NOT NULL DEFAULT 0,
  seq            bigint      NOT NULL DEFAULT 0,
  backend_pid    integer,
  backend_start  timestamptz,
  CONSTRAINT lanes_pkey PRIMARY KEY (lane),
  CONSTRAINT lanes_shard_fkey FOREIGN KEY (shard) REFERENCES shards (shard)
) WITH (fillfactor = 10);

-- Each takeover of a shard, for operators.
CREATE TABLE ownership_log (
  shard     smallint    NOT NULL,
  epoch     bigint      NOT NULL,
  owner     uuid        NOT NULL,
  taken_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ownership_log_pkey PRIMARY KEY (shard, epoch)
);

-- One row per commit: the change feed, found by (lane, seq) without a gap.
CREATE TABLE batches (
  lane          smallint    NOT NULL,
  seq           bigint      NOT NULL,
  fence         bigint      NOT NULL,
  balance_ids   bigint[]    NOT NULL,
  versions      bigint[]    NOT NULL,
  committed_at  timestamptz NOT NULL,
  CONSTRAINT batches_pkey PRIMARY KEY (lane, seq)
);
ALTER TABLE batches ALTER COLUMN balance_ids SET STORAGE EXTERNAL;
ALTER TABLE batches ALTER COLUMN versions SET STORAGE EXTERNAL;
