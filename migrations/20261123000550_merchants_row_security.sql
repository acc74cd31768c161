-- The second wall between tenants: lists are read as a role that sees the rows of one merchant, or of one
-- relationship, and without a scope none. It guards against a forgotten WHERE, not against arbitrary SQL.
-- Who migrates must be allowed to make roles, or find `consign_read` made and granted.

SET LOCAL lock_timeout = '2s';

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'consign_read') THEN
    BEGIN
      CREATE ROLE consign_read NOLOGIN NOINHERIT;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;  -- another database of this cluster is being migrated too
    END;
  END IF;
  IF NOT pg_has_role(current_user, 'consign_read', 'MEMBER') THEN
    EXECUTE format('GRANT consign_read TO %I', current_user);
  END IF;
END
$$;

GRANT SELECT ON relationships, product_access, api_keys, invitations, audit_log, balances
  TO consign_read;

ALTER TABLE relationships ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE balances ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION scoped_merchant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('consign.merchant', true), '')::uuid;
CREATE FUNCTION scoped_relationship() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('consign.relationship', true), '')::uuid;

CREATE POLICY relationships_scope_policy ON relationships FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY product_access_scope_policy ON product_access FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY api_keys_scope_policy ON api_keys FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY invitations_scope_policy ON invitations FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY balances_scope_policy ON balances FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
-- Whose an entry of the log is depends on its target, which the statement names.
CREATE POLICY audit_log_scope_policy ON audit_log FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant());
