-- The Idempotency-Key of the admin API: who has claimed a key, and what was answered, sealed
-- (admin/once.h). A claim whose time is over is taken over, unless what it did in steps may be
-- there; rows of a day ago go with the next ones of their organisation, or by housekeeping.
CREATE TABLE idempotency_keys (
  org_id         uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  actor          text NOT NULL, -- user:<id>, key:<id>
  key_sha256     text NOT NULL,
  request_sha256 text NOT NULL, -- method, path, query and body
  claim          text NOT NULL,
  claimed_until  timestamptz NOT NULL,
  steps          boolean NOT NULL DEFAULT false, -- it commits as it goes: not to be taken over
  status         int, -- NULL: not answered yet
  content_type   text,
  answer         bytea,
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, actor, key_sha256)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (org_id, created_at);
CREATE INDEX idempotency_keys_old ON idempotency_keys (created_at);
SELECT protect_tenant_table('idempotency_keys');

-- Rows of a day ago, of organisations that send no more, too: the oldest, at most so many; how
-- many went.
GRANT SELECT, DELETE ON idempotency_keys TO frontdesk_platform;
CREATE POLICY platform_forget ON idempotency_keys TO frontdesk_platform USING (true);
CREATE FUNCTION platform_forget_idempotency_keys(most int) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH gone AS (
    DELETE FROM idempotency_keys k
     USING (SELECT org_id, actor, key_sha256 FROM idempotency_keys
             WHERE created_at < now() - interval '24 hours' ORDER BY created_at LIMIT most) o
     WHERE k.org_id = o.org_id AND k.actor = o.actor AND k.key_sha256 = o.key_sha256
       AND k.created_at < now() - interval '24 hours' -- not one that was claimed again meanwhile
    RETURNING 1)
  SELECT count(*)::int FROM gone
$$;
SELECT give_to_platform('platform_forget_idempotency_keys(int)');

-- What a thing of the audit log is called now: NULL, it is gone; '', it has no name.
CREATE FUNCTION audit_thing_name(org uuid, thing text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  what   text := split_part(thing, '/', 1);
  called text := substr(thing, length(what) + 2);
  one    uuid := CASE WHEN called ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN called::uuid END;
BEGIN
  CASE what
    WHEN 'tools' THEN
      RETURN coalesce(
        (SELECT tool_name FROM client_tools WHERE org_id = org AND tool_name = called),
        (SELECT tool_name FROM tools WHERE tool_name = called));
    WHEN 'endpoints' THEN
      RETURN (SELECT name FROM integration_endpoints WHERE org_id = org AND name = called LIMIT 1);
    WHEN 'articles' THEN RETURN (SELECT title FROM articles WHERE org_id = org AND slug = called);
    WHEN 'channels' THEN
      RETURN (SELECT channel FROM channels WHERE org_id = org AND channel = called);
    WHEN 'integrations' THEN
      RETURN (SELECT name FROM client_integrations WHERE org_id = org AND id = one);
    WHEN 'keys' THEN RETURN (SELECT name FROM api_keys WHERE org_id = org AND id = one);
    WHEN 'teams' THEN RETURN (SELECT name FROM teams WHERE org_id = org AND id = one);
    WHEN 'users' THEN
      RETURN (SELECT coalesce(nullif(name, ''), email) FROM users WHERE org_id = org AND id = one);
    WHEN 'canned-replies' THEN
      RETURN (SELECT shortcut FROM canned_replies WHERE org_id = org AND id = one);
    WHEN 'test-cases' THEN RETURN (SELECT name FROM test_cases WHERE org_id = org AND id = one);
    WHEN 'test-runs' THEN RETURN (SELECT '' FROM test_runs WHERE org_id = org AND id = one);
    WHEN 'conversations' THEN RETURN (SELECT '' FROM conversations WHERE org_id = org AND id = one);
    WHEN 'approvals' THEN RETURN '';
    WHEN 'identity-secrets' THEN RETURN (SELECT '' FROM identity_secrets WHERE org_id = org AND id = one);
    WHEN 'organizations' THEN RETURN (SELECT name FROM organizations WHERE id = one);
    ELSE RETURN NULL;
  END CASE;
END $$;

-- Whom and what of the audit log a part of a name means, in any case. Tools, endpoints and channels
-- are called by their names there.
CREATE FUNCTION audit_named(org uuid, part text) RETURNS TABLE (actor text, thing text)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT named.actor, named.thing FROM (
    SELECT 'user:' || id, 'users/' || id, name || ' ' || email FROM users WHERE org_id = org
     UNION ALL
    SELECT 'key:' || id, 'keys/' || id, name FROM api_keys WHERE org_id = org
     UNION ALL
    SELECT NULL, 'teams/' || id, name FROM teams WHERE org_id = org
     UNION ALL
    SELECT NULL, 'integrations/' || id, name FROM client_integrations WHERE org_id = org
     UNION ALL
    SELECT NULL, 'articles/' || slug, title FROM articles WHERE org_id = org
     UNION ALL
    SELECT NULL, 'canned-replies/' || id, shortcut FROM canned_replies WHERE org_id = org
     UNION ALL
    SELECT NULL, 'test-cases/' || id, name FROM test_cases WHERE org_id = org
  ) named (actor, thing, called)
   WHERE strpos(lower(named.called), lower(part)) > 0
$$;
