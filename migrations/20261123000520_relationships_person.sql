-- Who is the reseller of a relationship: nobody until the invitation is accepted.

SET LOCAL lock_timeout = '2s';
ALTER TABLE relationships ADD COLUMN person_id uuid,
  ADD CONSTRAINT relationships_person_id_fkey FOREIGN KEY (person_id) REFERENCES persons (person_id);
CREATE INDEX relationships_person_id_idx ON relationships (person_id) WHERE person_id IS NOT NULL;
