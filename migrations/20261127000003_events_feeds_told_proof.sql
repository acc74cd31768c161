-- Proves the rows that there are against what feeds keep now.

SET LOCAL lock_timeout = '2s';

ALTER TABLE event_feeds VALIDATE CONSTRAINT event_feeds_seq_check;
ALTER TABLE event_feeds VALIDATE CONSTRAINT event_feeds_told_check;
