-- Conversations, their messages, the jobs that made them and what they cost.

CREATE TABLE conversations (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  session_id      text NOT NULL,
  user_id         uuid REFERENCES users ON DELETE SET NULL,
  user_identifier text, -- what the site calls its visitor; unverified unless identity says so
  title           text NOT NULL DEFAULT '',
  language        text,
  status          text NOT NULL DEFAULT 'active'
                  CHECK (status IN ('active', 'archived', 'waiting_human', 'human', 'ended')),
  model_id        text,
  model_name      text,
  message_count   int NOT NULL DEFAULT 0,
  tokens_total    bigint NOT NULL DEFAULT 0,
  page_url        text,
  started_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  ended_at        timestamptz,
  UNIQUE (org_id, session_id)
);
CREATE INDEX conversations_recent ON conversations (org_id, updated_at DESC);
SELECT protect_tenant_table('conversations');

-- One row a job: the arbiter of who may write its answer. A worker writes only
-- WHERE epoch = its own.
CREATE TABLE jobs (
  id              text PRIMARY KEY,
  org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  session_id      text NOT NULL,
  conversation_id uuid REFERENCES conversations ON DELETE CASCADE,
  epoch           int NOT NULL,
  owner           text NOT NULL,
  state           text NOT NULL DEFAULT 'running'
                  CHECK (state IN ('running', 'done', 'failed', 'cancelled', 'dead')),
  request_id      text,
  key_id          uuid,
  body            jsonb NOT NULL, -- chat_request.h
  outcome         jsonb, -- the terminal event's data, for replay
  reason          text, -- of a failed or dead job
  accepted_at     timestamptz NOT NULL,
  finished_at     timestamptz
);
CREATE INDEX jobs_session ON jobs (org_id, session_id, accepted_at DESC);
CREATE INDEX jobs_dead ON jobs (org_id, accepted_at DESC) WHERE state = 'dead';
SELECT protect_tenant_table('jobs');

-- Partitioned by month, so that retention is a dropped partition. A unique index
-- of a partitioned table must contain its key; created_at is derived from the
-- job's acceptance (the answer one microsecond after the question), so that a
-- repeated write meets itself.
CREATE TABLE messages (
  id              uuid NOT NULL DEFAULT gen_random_uuid(),
  org_id          uuid NOT NULL,
  conversation_id uuid NOT NULL,
  role            text NOT NULL CHECK (role IN ('system', 'user', 'assistant', 'tool')),
  content         text NOT NULL,
  status          text NOT NULL DEFAULT 'complete'
                  CHECK (status IN ('complete', 'interrupted', 'cancelled')),
  model_id        text,
  tool_calls      jsonb,
  citations       jsonb, -- [{id, label}]
  route           jsonb, -- {tier, intent, reasons, context_tokens, chunks}
  tokens_used     int,
  job_id          text,
  client_message_id text,
  created_at      timestamptz NOT NULL,
  finished_at     timestamptz,
  PRIMARY KEY (id, created_at),
  UNIQUE (job_id, role, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX messages_conversation ON messages (conversation_id, created_at);
CREATE TABLE messages_default PARTITION OF messages DEFAULT;
SELECT protect_tenant_table('messages');
SELECT protect_tenant_table('messages_default');

-- Makes the partition of a month, moving what the default one caught meanwhile.
CREATE FUNCTION platform_messages_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  first date := date_trunc('month', month);
  after date := first + interval '1 month';
  part  text := 'messages_' || to_char(first, 'YYYYMM');
BEGIN
  IF to_regclass(part) IS NOT NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtext(part));
  IF to_regclass(part) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE %I (LIKE messages INCLUDING ALL)', part);
  ALTER TABLE messages_default NO FORCE ROW LEVEL SECURITY;
  EXECUTE format('WITH moved AS (DELETE FROM messages_default WHERE created_at >= %L::timestamptz '
                 'AND created_at < %L::timestamptz RETURNING *) INSERT INTO %I SELECT * FROM moved',
                 first, after, part);
  ALTER TABLE messages_default FORCE ROW LEVEL SECURITY;
  EXECUTE format('ALTER TABLE messages ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                 part, first, after);
  EXECUTE format('SELECT protect_tenant_table(%L)', part);
END $$;
REVOKE ALL ON FUNCTION platform_messages_partition(date) FROM public;
GRANT EXECUTE ON FUNCTION platform_messages_partition(date) TO frontdesk_app;
SELECT platform_messages_partition(current_date), platform_messages_partition((current_date + interval '1 month')::date);

-- One row a model call, the ledger of cost. cost_micro NULL: the price is unknown,
-- never 0.
CREATE TABLE usage_ledger (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id             uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  team_id            uuid,
  user_id            uuid,
  conversation_id    uuid,
  job_id             text,
  epoch              int,
  attempt            int NOT NULL DEFAULT 0, -- of the job's epoch: retries and fallbacks that cost
  provider           text NOT NULL,
  model_id           text NOT NULL,
  kind               text NOT NULL DEFAULT 'chat',
  tokens_input       int NOT NULL DEFAULT 0, -- neither read from nor written to a cache
  tokens_output      int NOT NULL DEFAULT 0,
  tokens_cache_read  int NOT NULL DEFAULT 0,
  tokens_cache_write int NOT NULL DEFAULT 0,
  cost_micro         bigint,
  estimated          boolean NOT NULL DEFAULT false,
  created_at         timestamptz NOT NULL DEFAULT now(),
  UNIQUE (job_id, epoch, attempt)
);
CREATE INDEX usage_ledger_org ON usage_ledger (org_id, created_at);
SELECT protect_tenant_table('usage_ledger');
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO frontdesk_app;

CREATE TABLE api_usage (
  org_id             uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  date               date NOT NULL,
  model_id           text NOT NULL,
  conversation_count int NOT NULL DEFAULT 0,
  message_count      int NOT NULL DEFAULT 0,
  tokens_input       bigint NOT NULL DEFAULT 0,
  tokens_output      bigint NOT NULL DEFAULT 0,
  tool_calls_count   int NOT NULL DEFAULT 0,
  cost_estimate      bigint NOT NULL DEFAULT 0, -- micro-dollars
  PRIMARY KEY (org_id, date, model_id)
);
SELECT protect_tenant_table('api_usage');

CREATE TABLE model_catalog (
  model_id       text PRIMARY KEY, -- provider's id as sent
  provider       text NOT NULL,
  name           text NOT NULL,
  context_length int,
  modalities     text[] NOT NULL DEFAULT '{text}',
  region         text,
  updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE model_prices (
  model_id          text NOT NULL REFERENCES model_catalog ON DELETE CASCADE,
  effective_from    date NOT NULL,
  input_per_mtok       bigint NOT NULL, -- micro-dollars per million tokens
  output_per_mtok      bigint NOT NULL,
  cache_read_per_mtok  bigint,
  cache_write_per_mtok bigint,
  PRIMARY KEY (model_id, effective_from)
);
GRANT SELECT ON model_catalog, model_prices TO frontdesk_app;

-- Messages accepted this UTC month, for fd:org `used` after Redis lost it.
GRANT SELECT ON jobs TO frontdesk_platform;
CREATE POLICY platform ON jobs FOR SELECT TO frontdesk_platform USING (true);
CREATE FUNCTION platform_month_usage()
RETURNS TABLE (org_id uuid, used bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT j.org_id, count(*) FROM jobs j
   WHERE j.accepted_at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
   GROUP BY j.org_id
$$;
ALTER FUNCTION platform_month_usage() OWNER TO frontdesk_platform;
REVOKE ALL ON FUNCTION platform_month_usage() FROM public;
GRANT EXECUTE ON FUNCTION platform_month_usage() TO frontdesk_app;

-- Dead letters of every organisation, for `frontdesk jobs`.
CREATE FUNCTION platform_dead_jobs(most int)
RETURNS TABLE (id text, org_id uuid, session_id text, reason text, body jsonb, accepted_at timestamptz,
               finished_at timestamptz, request_id text, key_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT j.id, j.org_id, j.session_id, j.reason, j.body, j.accepted_at, j.finished_at, j.request_id, j.key_id
    FROM jobs j WHERE j.state = 'dead' ORDER BY j.accepted_at DESC LIMIT most
$$;
ALTER FUNCTION platform_dead_jobs(int) OWNER TO frontdesk_platform;
REVOKE ALL ON FUNCTION platform_dead_jobs(int) FROM public;
GRANT EXECUTE ON FUNCTION platform_dead_jobs(int) TO frontdesk_app;
