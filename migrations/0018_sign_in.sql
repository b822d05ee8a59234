-- Signing in (ADM-1): users' sessions, tries, one-time tokens, scopes of secret keys, and
-- who changed what.

ALTER TABLE users
  -- of the platform, whatever the organisation; the application's role cannot set it
  ADD COLUMN superadmin          boolean NOT NULL DEFAULT false,
  ADD COLUMN last_sign_in_at     timestamptz,
  ADD COLUMN password_changed_at timestamptz;
CREATE INDEX users_sign_in ON users (lower(email));
REVOKE INSERT, UPDATE ON users FROM frontdesk_app;
GRANT INSERT (id, org_id, email, name, password_hash, role, status, password_changed_at),
      UPDATE (org_id, email, name, password_hash, role, status, last_sign_in_at, password_changed_at)
   ON users TO frontdesk_app;

CREATE UNIQUE INDEX team_members_active ON team_members (org_id, user_id) WHERE is_active;

CREATE TABLE user_sessions (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id          uuid NOT NULL,
  user_id         uuid NOT NULL,
  acting_org_id   uuid REFERENCES organizations ON DELETE CASCADE, -- a superadmin's choice
  nonce_sha256    text NOT NULL, -- of the claims that were given out last
  previous_sha256 text,          -- and of those before, whose successors may have been lost
  address         text NOT NULL DEFAULT '',
  agent           text NOT NULL DEFAULT '',
  created_at      timestamptz NOT NULL DEFAULT now(),
  used_at         timestamptz NOT NULL DEFAULT now(),
  access_until    timestamptz NOT NULL, -- nginx lets the claims in until then
  ended_at        timestamptz,
  ended_why       text,
  FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
CREATE INDEX user_sessions_user ON user_sessions (org_id, user_id, created_at);
CREATE INDEX user_sessions_access ON user_sessions (access_until);
SELECT protect_tenant_table('user_sessions');

CREATE TABLE password_resets (
  token_sha256 text PRIMARY KEY CHECK (token_sha256 ~ '^[0-9a-f]{64}$'),
  org_id       uuid NOT NULL,
  user_id      uuid NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  used_at      timestamptz,
  FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
CREATE INDEX password_resets_user ON password_resets (org_id, user_id);
SELECT protect_tenant_table('password_resets');

-- For the very first user; used up by platform_setup() alone.
CREATE TABLE setup_tokens (
  token_sha256 text PRIMARY KEY CHECK (token_sha256 ~ '^[0-9a-f]{64}$'),
  expires_at   timestamptz NOT NULL
);
GRANT INSERT ON setup_tokens TO frontdesk_app;
GRANT SELECT, DELETE ON setup_tokens TO frontdesk_platform;

-- Append-only: nobody has been granted more.
CREATE TABLE audit_log (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  at         timestamptz NOT NULL DEFAULT now(),
  actor      text NOT NULL, -- user:<id>, key:<id>, cli:<unix user>, anyone
  action     text NOT NULL, -- "PATCH tools/:name", "sign-in"
  target     text NOT NULL DEFAULT '',
  kind       text NOT NULL DEFAULT '', -- and the same in our words (tenant/deed.h): tools,
  verb       text NOT NULL DEFAULT '', -- change,
  thing      text,                     -- tools/order_status
  address    text,
  request_id text,
  before     jsonb,
  after      jsonb
);
CREATE INDEX audit_log_org ON audit_log (org_id, at, id);
CREATE INDEX audit_log_actor ON audit_log (org_id, actor, at, id);
CREATE INDEX audit_log_kind ON audit_log (org_id, kind, at, id);
CREATE INDEX audit_log_thing ON audit_log (org_id, thing, at, id) WHERE thing IS NOT NULL;
SELECT protect_tenant_rows('audit_log');
GRANT SELECT, INSERT ON audit_log TO frontdesk_app;

-- Tries of an account or an address, by a hash of its name.
CREATE TABLE sign_in_attempts (
  name    text PRIMARY KEY,
  count   int NOT NULL,
  next_at timestamptz NOT NULL, -- not before
  last_at timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_last ON sign_in_attempts (last_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_attempts TO frontdesk_app;

-- Of an account, an address, a user: its hash, as a table of addresses is worth stealing.
-- In lower case by the same rules by which users are found.
CREATE FUNCTION sign_in_name(kind text, who text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT encode(sha256(convert_to(kind || ':' || lower(who), 'UTF8')), 'hex')
$$;

-- Counts a try before it is made, so that a crowd of them cannot slip through together. The
-- seconds to wait, 0: go ahead. After `free` tries in an hour each wait is twice the one before.
CREATE FUNCTION sign_in_attempt(who text, free int, most_s int) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  tries sign_in_attempts;
BEGIN
  INSERT INTO sign_in_attempts AS a VALUES (who, 0, clock_timestamp(), clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET name = a.name RETURNING * INTO tries;
  IF tries.last_at < clock_timestamp() - interval '1 hour' THEN
    tries.count := 0;
  ELSIF tries.next_at > clock_timestamp() THEN
    RETURN greatest(1, ceil(extract(epoch FROM tries.next_at - clock_timestamp())));
  END IF;
  UPDATE sign_in_attempts
     SET count = tries.count + 1, last_at = clock_timestamp(),
         next_at = clock_timestamp() + CASE WHEN tries.count + 1 < free THEN interval '0'
           ELSE least(most_s, 2 ^ least(tries.count + 1 - free, 20)) * interval '1 second' END
   WHERE name = who;
  -- last, and skipping what is locked: nothing is waited for with these rows in hand
  DELETE FROM sign_in_attempts WHERE name IN (
    SELECT name FROM sign_in_attempts WHERE last_at < now() - interval '1 hour' AND name <> who
     ORDER BY last_at LIMIT 10 FOR UPDATE SKIP LOCKED);
  RETURN 0;
END $$;

ALTER TABLE api_keys ADD COLUMN scope text NOT NULL DEFAULT 'admin'
  CHECK (scope IN ('read', 'write', 'admin'));

GRANT SELECT, INSERT ON users TO frontdesk_platform;
GRANT INSERT ON organizations TO frontdesk_platform;
GRANT SELECT ON user_sessions, password_resets TO frontdesk_platform;
CREATE POLICY platform ON users FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY platform_setup ON users FOR INSERT TO frontdesk_platform WITH CHECK (true);
CREATE POLICY platform_setup ON organizations FOR INSERT TO frontdesk_platform WITH CHECK (true);
CREATE POLICY platform ON user_sessions FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY platform ON password_resets FOR SELECT TO frontdesk_platform USING (true);

DROP FUNCTION platform_live_keys();
CREATE FUNCTION platform_live_keys()
RETURNS TABLE (key_sha256 text, key_id uuid, org_id uuid, kind text, generation bigint,
               origins text[], expires_at timestamptz, scope text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT k.key_sha256, k.id, k.org_id, k.kind, o.generation, k.origins, k.expires_at, k.scope
    FROM api_keys k JOIN organizations o ON o.id = k.org_id
   WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
     AND o.status = 'active'
$$;
SELECT give_to_platform('platform_live_keys()');

-- Who may be meant by an e-mail address, in an organisation (its id or name) or any; few, as
-- each costs a password hash. An id comes before a name that looks like it.
CREATE FUNCTION platform_sign_in(address text, organization text)
RETURNS TABLE (org_id uuid, org_name text, user_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id, o.name, u.id, u.password_hash
    FROM users u JOIN organizations o ON o.id = u.org_id
   WHERE lower(u.email) = lower(address) AND u.password_hash IS NOT NULL
     AND u.status = 'active' AND o.status = 'active'
     AND (organization IS NULL OR o.id::text = lower(organization) OR o.name = organization)
   ORDER BY o.id::text = lower(organization) DESC, u.last_sign_in_at DESC NULLS LAST, u.id LIMIT 4
$$;
SELECT give_to_platform('platform_sign_in(text, text)');

-- In the audit log of those whose password was tried, and the same statement where nobody's was.
-- Where an address is several organisations' none is told from where, as anybody may enter any
-- address as a person's; and a stranger makes so many rows of an hour and no more.
GRANT SELECT, INSERT ON audit_log TO frontdesk_platform;
CREATE POLICY platform ON audit_log TO frontdesk_platform USING (true) WITH CHECK (true);
CREATE FUNCTION platform_sign_in_failed(email text, organization text, host text, request text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO audit_log (org_id, actor, action, target, kind, verb, thing, address, request_id)
  SELECT tried.org_id, 'anyone', 'sign-in-failed', tried.user_id, 'sessions', 'sign-in-failed',
         'users/' || tried.user_id, CASE WHEN several = 1 THEN host END,
         CASE WHEN several = 1 THEN request END
    FROM (SELECT *, count(*) OVER () AS several FROM platform_sign_in(email, organization)) tried
   WHERE (SELECT count(*) FROM (
            SELECT FROM audit_log a
             WHERE a.org_id = tried.org_id AND a.thing = 'users/' || tried.user_id
               AND a.action = 'sign-in-failed' AND a.at > now() - interval '1 hour' LIMIT 20) x) < 20
$$;
SELECT give_to_platform('platform_sign_in_failed(text, text, text, text)');

CREATE FUNCTION platform_session_org(session uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT org_id FROM user_sessions WHERE id = session
$$;
SELECT give_to_platform('platform_session_org(uuid)');

CREATE FUNCTION platform_reset_org(token text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT org_id FROM password_resets WHERE token_sha256 = token
$$;
SELECT give_to_platform('platform_reset_org(text)');

CREATE FUNCTION platform_has_users() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM users)
$$;
SELECT give_to_platform('platform_has_users()');

-- Tokens that open nothing any more.
GRANT DELETE ON password_resets TO frontdesk_platform;
CREATE POLICY platform_forget ON password_resets FOR DELETE TO frontdesk_platform USING (true);
CREATE FUNCTION platform_forget_tokens() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  DELETE FROM password_resets WHERE expires_at < now() - interval '7 days';
  DELETE FROM setup_tokens WHERE expires_at < now();
$$;
SELECT give_to_platform('platform_forget_tokens()');

-- The first user, who owns a new organisation and the platform. No row: the token is not
-- good (any more), or there is a user.
CREATE FUNCTION platform_setup(token text, organization text, address text, person text, hash text)
RETURNS TABLE (org_id uuid, user_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('frontdesk_setup'));
  IF EXISTS (SELECT FROM users) THEN
    RETURN;
  END IF;
  DELETE FROM setup_tokens t WHERE t.token_sha256 = token AND t.expires_at > now();
  IF NOT FOUND THEN
    RETURN;
  END IF;
  DELETE FROM setup_tokens;
  org_id := gen_random_uuid();
  user_id := gen_random_uuid();
  INSERT INTO organizations (id, name, plan_type) VALUES (org_id, organization, 'pro');
  INSERT INTO users (id, org_id, email, name, password_hash, role, superadmin, password_changed_at)
    VALUES (user_id, platform_setup.org_id, address, person, hash, 'owner', true, now());
  RETURN NEXT;
END $$;
SELECT give_to_platform('platform_setup(text, text, text, text, text)');

-- Sessions whose claims nginx would still let in although they are over, of all
-- organisations or one.
CREATE FUNCTION platform_ended_sessions(only_org uuid)
RETURNS TABLE (session_id uuid, access_until bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT s.id, ceil(extract(epoch FROM s.access_until))::bigint
    FROM user_sessions s
    JOIN users u ON u.org_id = s.org_id AND u.id = s.user_id
    JOIN organizations o ON o.id = s.org_id
   WHERE s.access_until > now() AND (only_org IS NULL OR s.org_id = only_org)
     AND (s.ended_at IS NOT NULL OR u.status <> 'active' OR o.status <> 'active')
$$;
SELECT give_to_platform('platform_ended_sessions(uuid)');
