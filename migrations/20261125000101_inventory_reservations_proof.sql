-- Proves the withdrawals that there are against their constraint, without keeping new ones from being
-- written meanwhile.

SET LOCAL lock_timeout = '2s';

ALTER TABLE withdrawals VALIDATE CONSTRAINT withdrawals_kind_check;
