-- Another e-mail address that somebody wants, until the link that was mailed to it is followed.

CREATE TABLE email_changes (
  digest      bytea       NOT NULL,
  person_id   uuid        NOT NULL,
  email       text COLLATE "C" NOT NULL,
  expires_at  timestamptz NOT NULL,
  CONSTRAINT email_changes_pkey PRIMARY KEY (digest),
  CONSTRAINT email_changes_person_id_key UNIQUE (person_id),
  CONSTRAINT email_changes_person_id_fkey FOREIGN KEY (person_id) REFERENCES persons (person_id),
  CONSTRAINT email_changes_email_check CHECK (email = lower(email))
);
