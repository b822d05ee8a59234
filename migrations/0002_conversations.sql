-- Conversations, their messages, the jobs that made them and what they cost.

CREATE TABLE conversations (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  session_id      text NOT NULL,
  user_id         uuid,
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
  UNIQUE (org_id, session_id),
  UNIQUE (org_id, id),
  FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE SET NULL (user_id)
);
CREATE INDEX conversations_recent ON conversations (org_id, updated_at DESC);
SELECT protect_tenant_table('conversations');

-- One row a job: the arbiter of who may write its answer. A worker writes only
-- WHERE epoch = its own.
CREATE TABLE jobs (
  id              text PRIMARY KEY,
  org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  session_id      text NOT NULL,
  conversation_id uuid,
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
  finished_at     timestamptz,
  FOREIGN KEY (org_id, conversation_id) REFERENCES conversations (org_id, id) ON DELETE CASCADE
);
CREATE INDEX jobs_conversation ON jobs (conversation_id); -- to delete one
CREATE INDEX jobs_accepted ON jobs USING brin (accepted_at); -- the month's count
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
CREATE INDEX messages_conversation ON messages (org_id, conversation_id, created_at);
CREATE TABLE messages_default PARTITION OF messages DEFAULT;
SELECT protect_tenant_table('messages');
SELECT protect_tenant_rows('messages_default'); -- reached through `messages` only

-- Makes the partition of a UTC month, moving what the default one caught meanwhile.
-- It belongs to the owner of `messages`, who alone may attach; the worker calls it.
CREATE FUNCTION platform_messages_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  first timestamptz := date_trunc('month', month::timestamp);
  after timestamptz := first + interval '1 month';
  part  text := 'messages_' || to_char(first, 'YYYYMM');
BEGIN
  IF month IS NULL OR month NOT BETWEEN current_date - 400 AND current_date + 100 THEN
    RAISE EXCEPTION 'no partition for %: too far from today', month USING ERRCODE = '22003';
  END IF;
  IF to_regclass('public.' || part) IS NOT NULL THEN RETURN; END IF;
  -- Makers take turns; attaching needs this lock anyway. (After an advisory lock the
  -- look-up below could still answer from a stale cache.)
  LOCK TABLE messages_default IN ACCESS EXCLUSIVE MODE;
  IF to_regclass('public.' || part) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE public.%I (LIKE messages INCLUDING ALL)', part);
  -- Nobody sees it without FORCE: it is locked.
  ALTER TABLE messages_default NO FORCE ROW LEVEL SECURITY;
  EXECUTE format('WITH moved AS (DELETE FROM messages_default WHERE created_at >= %L AND created_at < %L '
                 'RETURNING *) INSERT INTO public.%I SELECT * FROM moved', first, after, part);
  ALTER TABLE messages_default FORCE ROW LEVEL SECURITY;
  PERFORM protect_tenant_rows(format('public.%I', part)::regclass);
  EXECUTE format('ALTER TABLE messages ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                 part, first, after);
END $$;
REVOKE ALL ON FUNCTION platform_messages_partition(date) FROM public;
GRANT EXECUTE ON FUNCTION platform_messages_partition(date) TO frontdesk_app;
SELECT platform_messages_partition((now() AT TIME ZONE 'UTC')::date),
       platform_messages_partition((now() AT TIME ZONE 'UTC' + interval '1 month')::date);

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
  model_id             text NOT NULL REFERENCES model_catalog ON DELETE CASCADE,
  effective_from       date NOT NULL,
  -- micro-dollars per million tokens; a cache price of NULL: the input price
  input_per_mtok       bigint NOT NULL CHECK (input_per_mtok >= 0),
  output_per_mtok      bigint NOT NULL CHECK (output_per_mtok >= 0),
  cache_read_per_mtok  bigint CHECK (cache_read_per_mtok >= 0),
  cache_write_per_mtok bigint CHECK (cache_write_per_mtok >= 0),
  PRIMARY KEY (model_id, effective_from)
);
-- Nobody's rows: the worker writes what its provider lists.
GRANT SELECT, INSERT, UPDATE ON model_catalog, model_prices TO frontdesk_app;

-- An org's enabled models as its visitors may see them: label, average price and window
-- ("$9.00/1M tokens · 200k context").
CREATE FUNCTION widget_models(enabled_models jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'model_id', m.entry->>'model_id',
           'label', coalesce(m.entry->>'custom_label', c.name, m.entry->>'model_id'),
           'price_hint', '$' || to_char((p.input_per_mtok + p.output_per_mtok) / 2e6, 'FM999990.00')
                         || '/1M tokens' || coalesce(' · ' || c.context_length / 1000 || 'k context', ''),
           'context_length', c.context_length) ORDER BY m.position), '[]')
    FROM jsonb_array_elements(enabled_models) WITH ORDINALITY m (entry, position)
    LEFT JOIN model_catalog c ON c.model_id = m.entry->>'model_id'
    LEFT JOIN LATERAL (SELECT input_per_mtok, output_per_mtok FROM model_prices
                        WHERE model_id = c.model_id AND effective_from <= current_date
                        ORDER BY effective_from DESC LIMIT 1) p ON true
   WHERE jsonb_typeof(m.entry->'model_id') = 'string'
$$;
GRANT SELECT ON model_catalog, model_prices TO frontdesk_platform;

-- What GET /api/v1/config is made of, for every organisation.
CREATE FUNCTION platform_widget_settings()
RETURNS TABLE (org_id uuid, name text, branding jsonb, widget jsonb, languages text[],
               models jsonb, default_model_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id, o.name, o.branding, coalesce(s.widget, '{}'), coalesce(s.languages, '{en}'),
         widget_models(coalesce(s.enabled_models, '[]')), s.default_model_id
    FROM organizations o LEFT JOIN org_ai_settings s ON s.org_id = o.id
   WHERE o.status = 'active'
$$;
SELECT give_to_platform('platform_widget_settings()');

-- Messages accepted this UTC month, for fd:org `used` after Redis lost it.
GRANT SELECT ON jobs TO frontdesk_platform;
CREATE POLICY platform ON jobs FOR SELECT TO frontdesk_platform USING (true);
CREATE FUNCTION platform_month_usage()
RETURNS TABLE (org_id uuid, used bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT j.org_id, count(*) FROM jobs j
   WHERE j.accepted_at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
   GROUP BY j.org_id
$$;
SELECT give_to_platform('platform_month_usage()');

-- Dead letters of every organisation, for `frontdesk jobs`.
CREATE FUNCTION platform_dead_jobs(most int)
RETURNS TABLE (id text, org_id uuid, session_id text, reason text, body jsonb, accepted_at timestamptz,
               finished_at timestamptz, request_id text, key_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT j.id, j.org_id, j.session_id, j.reason, j.body, j.accepted_at, j.finished_at, j.request_id, j.key_id
    FROM jobs j WHERE j.state = 'dead' ORDER BY j.accepted_at DESC LIMIT most
$$;
SELECT give_to_platform('platform_dead_jobs(int)');
