-- What was wanted of a replacement that is carried out later: whether despite what was replaced or paid back before,
-- which is judged again then, and the digest of the request, by which another under the same key is told apart. Those
-- that were stored before have none.

SET LOCAL lock_timeout = '2s';

ALTER TABLE invoice_replacements
  ADD COLUMN despite boolean NOT NULL DEFAULT false,
  ADD COLUMN body_digest bytea;
