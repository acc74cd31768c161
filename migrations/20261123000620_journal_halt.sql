-- A shard that was found in a state that nobody can explain is not served before an operator has looked.
ALTER TABLE shards
  ADD COLUMN halted_at       timestamptz,
  ADD COLUMN halted_because  text,
  ADD CONSTRAINT shards_halt_check CHECK ((halted_at IS NULL) = (halted_because IS NULL));
