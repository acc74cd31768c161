-- The outbox of mails: a mail is stored in the transaction of what it tells, and sent afterwards. What
-- it says is sealed, because it carries addresses and links that open something; once it was sent or
-- given up, only the fact remains.

CREATE TABLE mails (
  mail_id    uuid        NOT NULL,
  kind       text        NOT NULL,
  letter     bytea,
  queued_at  timestamptz NOT NULL,
  due_at     timestamptz NOT NULL,
  attempts   integer     NOT NULL DEFAULT 0,
  sent_at    timestamptz,
  failed_at  timestamptz,
  CONSTRAINT mails_pkey PRIMARY KEY (mail_id),
  CONSTRAINT mails_attempts_check CHECK (attempts >= 0),
  CONSTRAINT mails_end_check CHECK (sent_at IS NULL OR failed_at IS NULL),
  CONSTRAINT mails_letter_check CHECK ((letter IS NULL) = (sent_at IS NOT NULL OR failed_at IS NOT NULL))
);
CREATE INDEX mails_due_at_idx ON mails (due_at) WHERE letter IS NOT NULL;
CREATE INDEX mails_queued_at_idx ON mails (queued_at) WHERE letter IS NULL;
