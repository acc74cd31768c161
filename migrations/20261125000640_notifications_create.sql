-- Which mails a reseller does not want, and who gets a copy of the others that it could switch off. Nobody who
-- set nothing has a row.

CREATE TABLE notification_settings (
  relationship_id  uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  switched_off     text[]      NOT NULL,
  recipients       text[]      NOT NULL,
  updated_at       timestamptz NOT NULL,
  CONSTRAINT notification_settings_pkey PRIMARY KEY (relationship_id),
  CONSTRAINT notification_settings_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id),
  CONSTRAINT notification_settings_recipients_check CHECK (CARDINALITY(recipients) <= 5)
);
