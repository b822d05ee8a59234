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
