-- Proves the constraint against the rows that there are; lanes go on writing meanwhile.

SET LOCAL lock_timeout = '2s';

ALTER TABLE ledger_entries VALIDATE CONSTRAINT ledger_entries_amount_check;
