-- Proves the payouts that there are against their constraint, without keeping new ones from being written
-- meanwhile.

SET LOCAL lock_timeout = '2s';

ALTER TABLE payouts VALIDATE CONSTRAINT payouts_verified_check;
