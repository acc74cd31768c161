-- A commission that was approved is on hold again while its sale is disputed, and is approved once more.

SET LOCAL lock_timeout = '2s';

DROP INDEX earning_entries_subject_id_key;
