-- The entries of a relationship are numbered when somebody listens to its feed: the feed says up to which
-- version of which balance it tells. A merchant's feed says neither, its entries come with the batches.

SET LOCAL lock_timeout = '2s';

ALTER TABLE event_feeds
  ADD COLUMN balance_id bigint,
  ADD COLUMN told bigint,
  DROP CONSTRAINT event_feeds_seq_check,
  ADD CONSTRAINT event_feeds_seq_check CHECK (seq >= 0) NOT VALID,
  ADD CONSTRAINT event_feeds_told_check
    CHECK ((balance_id IS NULL) = (told IS NULL) AND (relationship_id IS NOT NULL OR told IS NULL))
    NOT VALID;
