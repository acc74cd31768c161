-- Payments in tokens of a chain. A method has an account from whose public key addresses are derived, and a
-- token. An invoice in it has an address of its own: indexes are counted by account, so an address is given
-- away once for ever, by whichever method. A cursor says up to which block a network was read for good.

SET LOCAL lock_timeout = '2s';

ALTER TABLE payment_methods
  ADD COLUMN xpub          text,
  ADD COLUMN network       text,
  ADD COLUMN chain_id      bigint,
  ADD COLUMN token         bytea,
  ADD COLUMN decimals      integer,
  ADD COLUMN confirmations integer,
  DROP CONSTRAINT payment_methods_provider_check,
  ADD CONSTRAINT payment_methods_provider_check CHECK (provider IN ('manual', 'evm_erc20')),
  ADD CONSTRAINT payment_methods_token_check
    CHECK (num_nonnulls(xpub, network, chain_id, token, decimals, confirmations)
      = CASE provider WHEN 'evm_erc20' THEN 6 ELSE 0 END);

CREATE TABLE deposit_accounts (
  account     bytea  NOT NULL,                       -- a digest of the public key
  next_index  bigint NOT NULL,
  CONSTRAINT deposit_accounts_pkey PRIMARY KEY (account),
  CONSTRAINT deposit_accounts_next_index_check CHECK (next_index BETWEEN 0 AND 2147483648)
);

CREATE TABLE deposits (
  invoice_id       uuid             NOT NULL,
  merchant_id      uuid             NOT NULL,
  relationship_id  uuid,
  account          bytea            NOT NULL,
  address_index    bigint           NOT NULL,
  address          bytea            NOT NULL,
  network          text COLLATE "C" NOT NULL,
  chain_id         bigint           NOT NULL,
  token            bytea            NOT NULL,
  decimals         integer          NOT NULL,
  confirmations    integer          NOT NULL,
  CONSTRAINT deposits_pkey PRIMARY KEY (invoice_id),
  CONSTRAINT deposits_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id),
  CONSTRAINT deposits_account_address_index_key UNIQUE (account, address_index),
  CONSTRAINT deposits_address_key UNIQUE (address),
  CONSTRAINT deposits_address_check CHECK (octet_length(address) = 20),
  CONSTRAINT deposits_token_check CHECK (octet_length(token) = 20),
  CONSTRAINT deposits_decimals_check CHECK (decimals BETWEEN 0 AND 36),
  CONSTRAINT deposits_confirmations_check CHECK (confirmations BETWEEN 1 AND 256)
);
CREATE INDEX deposits_network_idx ON deposits (network, invoice_id);

CREATE TABLE chain_cursors (
  network     text COLLATE "C" NOT NULL,
  block       bigint           NOT NULL,             -- up to it nothing can change any more
  updated_at  timestamptz      NOT NULL,
  CONSTRAINT chain_cursors_pkey PRIMARY KEY (network),
  CONSTRAINT chain_cursors_block_check CHECK (block >= 0)
);

GRANT SELECT ON deposits TO consign_read;

ALTER TABLE deposits ENABLE ROW LEVEL SECURITY;

CREATE POLICY deposits_scope_policy ON deposits FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
