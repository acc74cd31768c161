-- Offers to join a program. Of the token in the link only a digest is kept, so a copy of the database
-- opens nothing; sending again replaces it, and the old link is dead.

CREATE TABLE invitations (
  invitation_id    uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  relationship_id  uuid        NOT NULL,
  email            text COLLATE "C" NOT NULL,
  status           text        NOT NULL,
  token_digest     bytea       NOT NULL,
  message          text,
  valid_days       integer     NOT NULL,
  expires_at       timestamptz NOT NULL,
  accepted_at      timestamptz,
  declined_at      timestamptz,
  revoked_at       timestamptz,
  created_at       timestamptz NOT NULL,
  updated_at       timestamptz NOT NULL,
  CONSTRAINT invitations_pkey PRIMARY KEY (invitation_id),
  CONSTRAINT invitations_token_digest_key UNIQUE (token_digest),
  CONSTRAINT invitations_relationship_id_key UNIQUE (relationship_id),
  CONSTRAINT invitations_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id),
  CONSTRAINT invitations_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id),
  CONSTRAINT invitations_status_check
    CHECK (status IN ('PENDING', 'ACCEPTED', 'DECLINED', 'REVOKED', 'EXPIRED')),
  CONSTRAINT invitations_valid_days_check CHECK (valid_days BETWEEN 1 AND 90)
);
CREATE UNIQUE INDEX invitations_merchant_id_email_key
  ON invitations (merchant_id, email) WHERE status = 'PENDING';
CREATE INDEX invitations_merchant_id_invitation_id_idx ON invitations (merchant_id, invitation_id);
CREATE INDEX invitations_expires_at_idx ON invitations (expires_at) WHERE status = 'PENDING';
