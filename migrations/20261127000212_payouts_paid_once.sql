-- no-transaction
-- A payout is paid once: as the index before says of commissions too, which are approved again after a dispute.
CREATE UNIQUE INDEX CONCURRENTLY earning_entries_payout_key ON earning_entries (subject_id)
  WHERE kind = 'PAYOUT';
