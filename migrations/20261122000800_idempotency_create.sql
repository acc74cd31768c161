-- Answers of changes that carried an Idempotency-Key, so that the same request is executed once
-- however often it is sent. An answer is kept for a week; a row without one is still being executed,
-- or was when the process ended.

CREATE TABLE idempotency_keys (
  caller_id    uuid        NOT NULL,
  merchant_id  uuid        NOT NULL,
  route        text COLLATE "C" NOT NULL,
  key          text COLLATE "C" NOT NULL,
  digest       bytea       NOT NULL,
  started_at   timestamptz NOT NULL,
  status       smallint,
  body         bytea,
  CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller_id, route, key),
  CONSTRAINT idempotency_keys_answer_check CHECK ((status IS NULL) = (body IS NULL))
);
CREATE INDEX idempotency_keys_started_at_idx ON idempotency_keys (started_at);
