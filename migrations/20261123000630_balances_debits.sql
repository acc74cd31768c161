-- Kinds of entries that take money without delivering, and refunds. Kinds: 4 refund, 5 debit, 6 top-up
-- taken back, which may take nothing because nothing was left. The constraint keeps its name, because
-- the journal is not opened without it; a file of its own proves the rows that there are.

SET LOCAL lock_timeout = '2s';

ALTER TABLE ledger_entries
  DROP CONSTRAINT ledger_entries_amount_check,
  ADD CONSTRAINT ledger_entries_amount_check CHECK (
    (kind IN (1, 6) AND amount <= 0) OR (kind = 5 AND amount < 0)
    OR (kind NOT IN (1, 5, 6) AND amount > 0)
  ) NOT VALID;

-- What was added may be less than what was taken back in some entries, though never over all of them:
-- that is what the ledger's own balance proves.
ALTER TABLE purchase_sums
  DROP CONSTRAINT purchase_sums_check,
  ADD CONSTRAINT purchase_sums_check CHECK (spent >= 0);
