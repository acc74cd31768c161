-- Purchases summed up by UTC day and key, so that a balance that bought millions of times this month is
-- loaded as fast as any other. Written behind the ledger by a job, and believed only as far as the
-- ledger confirms it: the sums through a version must give the balance after that version.

CREATE TABLE purchase_sums (
  balance_id       bigint      NOT NULL,
  through_version  bigint      NOT NULL,
  credited         bigint      NOT NULL,
  spent            bigint      NOT NULL,
  updated_at       timestamptz NOT NULL,
  CONSTRAINT purchase_sums_pkey PRIMARY KEY (balance_id),
  CONSTRAINT purchase_sums_check CHECK (spent >= 0 AND credited >= 0)
);

CREATE TABLE purchase_days (
  balance_id  bigint NOT NULL,
  day         date   NOT NULL,
  key_id      uuid   NOT NULL,
  spent       bigint NOT NULL,
  CONSTRAINT purchase_days_pkey PRIMARY KEY (balance_id, day, key_id),
  CONSTRAINT purchase_days_spent_check CHECK (spent >= 0)
);
