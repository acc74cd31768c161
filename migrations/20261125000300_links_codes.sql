-- A code is one link's in the whole installation, be it a relationship's own or one made beside it: whoever
-- could make a link with the code of another's would get its visitors. Two tables hold codes, so a third keeps
-- them apart, written by triggers, because a version that knows nothing of it may run beside this one.

SET LOCAL lock_timeout = '2s';
LOCK TABLE relationships, links IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE link_codes (
  code     text COLLATE "C" NOT NULL,
  link_id  uuid             NOT NULL,
  CONSTRAINT link_codes_pkey PRIMARY KEY (code),
  CONSTRAINT link_codes_link_id_key UNIQUE (link_id)
);

INSERT INTO link_codes (code, link_id)
  SELECT code, relationship_id FROM relationships
  UNION ALL
  SELECT code, link_id FROM links WHERE code IS NOT NULL;

-- A relationship's own link has the relationship's id.
CREATE FUNCTION keep_code_of_relationship_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO link_codes AS c (code, link_id) VALUES (NEW.code, NEW.relationship_id)
  ON CONFLICT ON CONSTRAINT link_codes_link_id_key DO UPDATE SET code = EXCLUDED.code
    WHERE c.code <> EXCLUDED.code;
  RETURN NULL;
END $$;

CREATE TRIGGER relationships_code_trigger AFTER INSERT OR UPDATE OF code ON relationships
  FOR EACH ROW EXECUTE FUNCTION keep_code_of_relationship_v1();

CREATE FUNCTION keep_code_of_link_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO link_codes (code, link_id) VALUES (NEW.code, NEW.link_id);
  RETURN NULL;
END $$;

CREATE TRIGGER links_code_trigger AFTER INSERT ON links
  FOR EACH ROW WHEN (NEW.code IS NOT NULL) EXECUTE FUNCTION keep_code_of_link_v1();
