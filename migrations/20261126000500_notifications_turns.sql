-- Mails about facts: what somebody is to be mailed about is stored with the fact's numbers, and waits until its
-- side's turn comes, so that many things of one kind are one mail. A side is a relationship or a merchant.

CREATE TABLE mail_causes (
  cause_id         bigint       GENERATED ALWAYS AS IDENTITY,
  side_id          uuid         NOT NULL,
  merchant_id      uuid         NOT NULL,
  relationship_id  uuid,
  topic            text         NOT NULL,
  fact             jsonb        NOT NULL,
  occurred_at      timestamptz  NOT NULL,
  CONSTRAINT mail_causes_pkey PRIMARY KEY (cause_id),
  CONSTRAINT mail_causes_side_id_check CHECK (side_id = COALESCE(relationship_id, merchant_id))
);
CREATE INDEX mail_causes_side_id_topic_cause_id_idx ON mail_causes (side_id, topic, cause_id);

-- When a side was mailed about something last.
CREATE TABLE mail_turns (
  side_id    uuid         NOT NULL,
  topic      text         NOT NULL,
  mailed_at  timestamptz  NOT NULL,
  CONSTRAINT mail_turns_pkey PRIMARY KEY (side_id, topic)
);

-- What a merchant set, as notification_settings has it of relationships.
CREATE TABLE merchant_notification_settings (
  merchant_id   uuid        NOT NULL,
  switched_off  text[]      NOT NULL,
  recipients    text[]      NOT NULL,
  updated_at    timestamptz NOT NULL,
  CONSTRAINT merchant_notification_settings_pkey PRIMARY KEY (merchant_id),
  CONSTRAINT merchant_notification_settings_merchant_id_fkey
    FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT merchant_notification_settings_recipients_check CHECK (CARDINALITY(recipients) <= 5)
);
