-- The sign of an entry by its kind, in a third of the nodes: Postgres reads the text of each constraint anew for every
-- statement, which was a tenth of what a commit of few orders costs. A debit of nothing is an entry that changes
-- nothing; the engine makes none.

SET LOCAL lock_timeout = '2s';

ALTER TABLE ledger_entries
  DROP CONSTRAINT ledger_entries_amount_check,
  ADD CONSTRAINT ledger_entries_amount_check
    CHECK ((amount > 0) = (kind NOT IN (1, 5, 6, 9))) NOT VALID;
