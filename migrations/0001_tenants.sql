-- Organisations and what belongs to the account: users, keys, settings.
--
-- Roles: the role that runs migrations owns every object. `frontdesk_app` is
-- what the worker signs in as: not the owner, no BYPASSRLS. `frontdesk_platform`
-- cannot sign in; it owns the few functions that must see every organisation.
-- Every table is under row-level security that its owner is subject to as well,
-- so a migration that changes tenants' rows lifts FORCE for its own transaction.
DO $$
DECLARE
  missing text;
  creator boolean := (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user);
BEGIN
  FOREACH missing IN ARRAY ARRAY['frontdesk_app', 'frontdesk_platform'] LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = missing);
    IF NOT creator THEN
      RAISE EXCEPTION 'role % does not exist and % may not create it', missing, current_user
        USING ERRCODE = 'insufficient_privilege',
              HINT = format('As a superuser: ALTER ROLE %I CREATEROLE, or CREATE ROLE frontdesk_app LOGIN; '
                            'CREATE ROLE frontdesk_platform NOLOGIN; GRANT frontdesk_platform TO %I',
                            current_user, current_user);
    END IF;
    EXECUTE format('CREATE ROLE %I %s', missing,
                   CASE missing WHEN 'frontdesk_app' THEN 'LOGIN' ELSE 'NOLOGIN' END);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname IN ('frontdesk_app', 'frontdesk_platform')
                                    AND (rolsuper OR rolbypassrls)) THEN
    RAISE EXCEPTION 'frontdesk_app and frontdesk_platform must have neither SUPERUSER nor BYPASSRLS'
      USING HINT = 'Either would switch row-level security off; ALTER ROLE ... NOSUPERUSER NOBYPASSRLS';
  END IF;
  IF NOT pg_has_role(current_user, 'frontdesk_platform', 'USAGE') THEN
    GRANT frontdesk_platform TO CURRENT_USER; -- to hand functions over to it
  END IF;
END $$;

REVOKE CREATE ON SCHEMA public FROM public; -- PostgreSQL 15 does; older clusters did not
GRANT USAGE ON SCHEMA public TO frontdesk_app, frontdesk_platform;
GRANT SELECT ON schema_migrations TO frontdesk_app; -- for `frontdesk doctor`
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- The organisation of the running transaction; NULL (no row is visible) if unset.
CREATE FUNCTION app_org() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('app.org_id', true), '')::uuid $$;

-- Row-level security for one table: the second net under explicit org ids.
CREATE FUNCTION protect_tenant_rows(target regclass, org_column text DEFAULT 'org_id')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant ON %s USING (%I = app_org()) WITH CHECK (%I = app_org())',
                 target, org_column, org_column);
END $$;

CREATE FUNCTION protect_tenant_table(target regclass, org_column text DEFAULT 'org_id')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM protect_tenant_rows(target, org_column);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO frontdesk_app', target);
END $$;

-- A function that may see every organisation's rows and that only the worker calls.
CREATE FUNCTION give_to_platform(target regprocedure) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  GRANT CREATE ON SCHEMA public TO frontdesk_platform; -- a new owner needs it at this moment
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM public', target);
  EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO frontdesk_app', target);
  EXECUTE format('ALTER FUNCTION %s OWNER TO frontdesk_platform', target);
  REVOKE CREATE ON SCHEMA public FROM frontdesk_platform;
END $$;
REVOKE ALL ON FUNCTION protect_tenant_rows(regclass, text), protect_tenant_table(regclass, text),
                       give_to_platform(regprocedure) FROM public;

CREATE TABLE plans (
  plan_type           text PRIMARY KEY,
  requests_per_minute int  NOT NULL CHECK (requests_per_minute > 0),
  concurrent_chats    int  NOT NULL CHECK (concurrent_chats > 0),
  messages_per_month  int  NOT NULL CHECK (messages_per_month >= 0),
  monthly_budget_usd  numeric(12, 2) CHECK (monthly_budget_usd >= 0),
  at_limit            text NOT NULL CHECK (at_limit IN ('refuse', 'throttle'))
);
INSERT INTO plans VALUES
  ('free', 20, 2, 500, 0, 'refuse'),
  ('starter', 60, 10, 5000, NULL, 'throttle'),
  ('pro', 300, 50, 50000, NULL, 'throttle');
GRANT SELECT ON plans TO frontdesk_app, frontdesk_platform;

CREATE TABLE organizations (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  domain        text,
  plan_type     text NOT NULL DEFAULT 'free' REFERENCES plans,
  status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  generation    bigint NOT NULL DEFAULT 1, -- fd:org gen: bumped when a key or limit changes
  branding      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(branding) = 'object'),
  -- hours, timezone, currency, shipping_zones, contact, tone
  business_info jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(business_info) = 'object'),
  -- overrides of the plan's columns; every limit is read for all organisations at once,
  -- so one that is no number must not get in
  limits        jsonb NOT NULL DEFAULT '{}' CHECK (
                  jsonb_typeof(limits) = 'object'
                  AND coalesce(limits->>'requests_per_minute' ~ '^[1-9][0-9]{0,6}$', true)
                  AND coalesce(limits->>'concurrent_chats' ~ '^[1-9][0-9]{0,5}$', true)
                  AND coalesce(limits->>'messages_per_month' ~ '^(0|[1-9][0-9]{0,8})$', true)),
  created_at    timestamptz NOT NULL DEFAULT now()
);
SELECT protect_tenant_table('organizations', 'id');

-- UNIQUE (org_id, id) is what references from other tables point at: foreign keys are
-- checked without row-level security, so an id alone could reach into another organisation.
CREATE TABLE users (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id        uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  email         text NOT NULL,
  name          text NOT NULL DEFAULT '',
  password_hash text, -- argon2id, libsodium's string form
  role          text NOT NULL CHECK (role IN ('owner', 'admin', 'staff', 'client')),
  status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  created_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, id)
);
CREATE UNIQUE INDEX users_email ON users (org_id, lower(email));
SELECT protect_tenant_table('users');

CREATE TABLE teams (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  name       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, name),
  UNIQUE (org_id, id)
);
SELECT protect_tenant_table('teams');

CREATE TABLE team_members (
  org_id    uuid NOT NULL,
  team_id   uuid NOT NULL,
  user_id   uuid NOT NULL,
  role      text NOT NULL CHECK (role IN ('owner', 'admin', 'staff', 'client')),
  is_active boolean NOT NULL DEFAULT false, -- the user's active team
  PRIMARY KEY (org_id, team_id, user_id),
  FOREIGN KEY (org_id, team_id) REFERENCES teams (org_id, id) ON DELETE CASCADE,
  FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
SELECT protect_tenant_table('team_members');

CREATE TABLE api_keys (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id       uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  kind         text NOT NULL CHECK (kind IN ('pk', 'sk')),
  key_sha256   text NOT NULL UNIQUE CHECK (key_sha256 ~ '^[0-9a-f]{64}$'),
  last4        text NOT NULL,
  origins      text[] NOT NULL DEFAULT '{}', -- publishable: https://shop.example, https://*.example.com
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz, -- end of a rotation's overlap
  revoked_at   timestamptz,
  rotated_from uuid,
  UNIQUE (org_id, id),
  FOREIGN KEY (org_id, rotated_from) REFERENCES api_keys (org_id, id) ON DELETE SET NULL (rotated_from)
);
SELECT protect_tenant_table('api_keys');

CREATE TABLE org_ai_settings (
  org_id                uuid PRIMARY KEY REFERENCES organizations ON DELETE CASCADE,
  enabled               boolean NOT NULL DEFAULT true,
  model                 text, -- of the time of one model per org; 0005 carries it over, a later cleanup drops it
  -- [{model_id, is_default, custom_label?, enabled_at}]; none: every model of the provider
  enabled_models        jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(enabled_models) = 'array'),
  default_model_id      text,
  routing               text NOT NULL DEFAULT 'auto' CHECK (routing IN ('auto', 'default')),
  fast_model            text, -- NULL: the environment's, then the provider's own default
  reasoning_model       text,
  fallback_model        text,
  temperature           double precision CHECK (temperature BETWEEN 0 AND 1),
  max_tokens            int CHECK (max_tokens BETWEEN 1 AND 32000),
  max_chunk_tokens      int CHECK (max_chunk_tokens >= 300),
  max_chunks            int CHECK (max_chunks >= 1),
  max_context_tokens    int CHECK (max_context_tokens >= 300),
  reasoning_min_tokens  int NOT NULL DEFAULT 2500,
  reasoning_min_chunks  int NOT NULL DEFAULT 4,
  -- {intent: [word]} added to the built-in table
  intent_words          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(intent_words) = 'object'),
  region_allow_list     text[] NOT NULL DEFAULT '{}',
  monthly_budget_usd    numeric(12, 2),
  system_prompt         text, -- the org's own text, after the built-in rules
  languages             text[] NOT NULL DEFAULT '{en}',
  -- theme, position, greeting, suggested_questions, features
  widget                jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(widget) = 'object'),
  updated_at            timestamptz NOT NULL DEFAULT now()
);
SELECT protect_tenant_table('org_ai_settings');

-- Secrets of the installation, not of a tenant: the session tag key.
CREATE TABLE platform_secrets (
  name  text PRIMARY KEY,
  value bytea NOT NULL
);
GRANT SELECT, INSERT ON platform_secrets TO frontdesk_app;

-- What the worker writes through to Redis for nginx: every live key with its
-- organisation's generation, and every organisation's limits.
GRANT SELECT ON organizations, api_keys, org_ai_settings TO frontdesk_platform;
CREATE POLICY platform ON organizations FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY platform ON api_keys FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY platform ON org_ai_settings FOR SELECT TO frontdesk_platform USING (true);

CREATE FUNCTION platform_live_keys()
RETURNS TABLE (key_sha256 text, key_id uuid, org_id uuid, kind text, generation bigint,
               origins text[], expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT k.key_sha256, k.id, k.org_id, k.kind, o.generation, k.origins, k.expires_at
    FROM api_keys k JOIN organizations o ON o.id = k.org_id
   WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
     AND o.status = 'active'
$$;
SELECT give_to_platform('platform_live_keys()');

CREATE FUNCTION platform_organizations()
RETURNS TABLE (org_id uuid, name text, generation bigint, status text,
               requests_per_minute int, concurrent_chats int, messages_per_month int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id, o.name, o.generation, o.status,
         coalesce((o.limits->>'requests_per_minute')::int, p.requests_per_minute),
         coalesce((o.limits->>'concurrent_chats')::int, p.concurrent_chats),
         coalesce((o.limits->>'messages_per_month')::int, p.messages_per_month)
    FROM organizations o JOIN plans p USING (plan_type)
$$;
SELECT give_to_platform('platform_organizations()');
