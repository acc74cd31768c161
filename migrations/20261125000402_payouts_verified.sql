-- A payout whose transaction was looked at on its chain, and paid what it was to pay.

SET LOCAL lock_timeout = '2s';

ALTER TABLE payouts
  ADD COLUMN verified boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT payouts_verified_check CHECK (NOT verified OR tx_hash IS NOT NULL) NOT VALID;
