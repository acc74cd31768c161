-- Who did what to what, one chain per merchant: each entry's hash is over its own fields and the hash
-- before it, so a row that was changed or taken away is found by its number. The head says where the
-- chain ends, so the last rows cannot be missing unnoticed; it is also the lock that puts appends in
-- order, taken last in the transaction of the change.

CREATE TABLE audit_heads (
  merchant_id  uuid    NOT NULL,
  seq          bigint  NOT NULL,
  hash         bytea   NOT NULL,
  CONSTRAINT audit_heads_pkey PRIMARY KEY (merchant_id),
  CONSTRAINT audit_heads_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id)
);

CREATE TABLE audit_log (
  merchant_id    uuid              NOT NULL,
  seq            bigint            NOT NULL,
  actor_type     text              NOT NULL,
  actor_id       text COLLATE "C",
  actor_label    text              NOT NULL,
  ip             text,
  action         text COLLATE "C"  NOT NULL,
  target         text COLLATE "C"  NOT NULL,
  before_digest  bytea,
  after_digest   bytea,
  created_at     timestamptz       NOT NULL,
  prev_hash      bytea             NOT NULL,
  hash           bytea             NOT NULL,
  CONSTRAINT audit_log_pkey PRIMARY KEY (merchant_id, seq),
  CONSTRAINT audit_log_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT audit_log_seq_check CHECK (seq >= 1),
  CONSTRAINT audit_log_actor_type_check CHECK (actor_type IN ('API_KEY', 'PERSON', 'JOB'))
);
