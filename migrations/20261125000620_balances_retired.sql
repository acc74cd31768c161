-- A test balance that was reset leaves `balances`, and another is opened in its place: what lanes wrote about
-- it stays as it was written and is found by nobody but the merchant's feed, and its order ids are free again.

CREATE TABLE retired_balances (
  balance_id       bigint      NOT NULL,
  relationship_id  uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  retired_at       timestamptz NOT NULL,
  CONSTRAINT retired_balances_pkey PRIMARY KEY (balance_id),
  CONSTRAINT retired_balances_relationship_id_fkey
    FOREIGN KEY (relationship_id) REFERENCES relationships (relationship_id)
);
GRANT SELECT ON retired_balances TO consign_read;
ALTER TABLE retired_balances ENABLE ROW LEVEL SECURITY;
CREATE POLICY retired_balances_scope_policy ON retired_balances FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
