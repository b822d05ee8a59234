-- Conversations for operators (ADM-4), what is counted of them (ADM-6), and how long all of
-- it is kept (ENG-17). What is counted outlives what was said: rows of a conversation and of
-- a tool's day are made here before the texts they are made of are deleted.

ALTER TABLE conversations ADD COLUMN channel text NOT NULL DEFAULT 'widget'
  CHECK (channel ~ '^[a-z][a-z0-9_-]{0,31}$');

CREATE INDEX conversations_started ON conversations (org_id, started_at DESC, id DESC);
CREATE INDEX conversations_changed ON conversations (updated_at, id);
CREATE INDEX conversations_visitor ON conversations (org_id, lower(user_identifier))
  WHERE user_identifier IS NOT NULL;
CREATE INDEX conversations_verified_id ON conversations (org_id, lower(verified_id))
  WHERE verified_id IS NOT NULL;
CREATE INDEX conversations_verified ON conversations (org_id, lower(verified_email))
  WHERE verified_email IS NOT NULL;
CREATE INDEX conversations_contact ON conversations (org_id, lower(contact->>'email'))
  WHERE contact ? 'email';
CREATE INDEX messages_age ON messages (org_id, created_at);
CREATE INDEX jobs_age ON jobs (org_id, accepted_at);
CREATE INDEX tool_executions_tool ON tool_executions (org_id, tool_name, created_at);

-- A conversation that is rated has changed, and is counted again. Nothing else pays for it.
CREATE FUNCTION note_score() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := greatest(now(), OLD.updated_at);
  RETURN NEW;
END $$;
CREATE TRIGGER note_score BEFORE UPDATE OF score ON conversations
  FOR EACH ROW WHEN (NEW.score IS DISTINCT FROM OLD.score) EXECUTE FUNCTION note_score();
CREATE FUNCTION note_rating() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE public.conversations SET updated_at = greatest(now(), updated_at)
   WHERE org_id = NEW.org_id AND id = NEW.conversation_id;
  RETURN NULL;
END $$;
CREATE TRIGGER note_rating AFTER UPDATE OF rating ON messages
  FOR EACH ROW WHEN (NEW.rating IS DISTINCT FROM OLD.rating) EXECUTE FUNCTION note_rating();

-- -- how long ------------------------------------------------------------------------------

-- An organisation without a row has the defaults.
CREATE TABLE retention_settings (
  org_id              uuid PRIMARY KEY REFERENCES organizations ON DELETE CASCADE,
  message_days        int NOT NULL DEFAULT 30 CHECK (message_days BETWEEN 1 AND 3650),
  tool_execution_days int NOT NULL DEFAULT 90 CHECK (tool_execution_days BETWEEN 1 AND 3650),
  updated_at          timestamptz NOT NULL DEFAULT now()
);
SELECT protect_tenant_table('retention_settings');

GRANT SELECT ON retention_settings TO frontdesk_platform;
CREATE POLICY platform ON retention_settings FOR SELECT TO frontdesk_platform USING (true);
CREATE FUNCTION platform_retention()
RETURNS TABLE (org_id uuid, name text, message_days int, tool_execution_days int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id, o.name, coalesce(r.message_days, 30), coalesce(r.tool_execution_days, 90)
    FROM organizations o LEFT JOIN retention_settings r ON r.org_id = o.id
   ORDER BY o.id
$$;
SELECT give_to_platform('platform_retention()');

-- -- who does it ----------------------------------------------------------------------------

-- One at a time, whatever stands between it and the database: a row that runs out, and a
-- number that grows with every holder. Who was taken over from finds another number there.
CREATE TABLE leases (
  name       text PRIMARY KEY,
  owner      text NOT NULL,
  token      bigint NOT NULL DEFAULT 1,
  expires_at timestamptz NOT NULL
);
-- How far something has come that is done bit by bit.
CREATE TABLE marks (
  name text PRIMARY KEY,
  at   timestamptz NOT NULL,
  id   uuid NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON leases, marks TO frontdesk_app;
GRANT SELECT, INSERT, UPDATE ON marks TO frontdesk_platform;

-- -- what is counted ------------------------------------------------------------------------

-- A session that comes back after its conversation is deleted has one with the same id: with
-- started_at it is another one here. What is deleted of one that goes on is counted in gone_*.
CREATE TABLE conversation_outcomes (
  org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  conversation_id uuid NOT NULL, -- which may be gone
  started_at      timestamptz NOT NULL,
  changed_at      timestamptz NOT NULL, -- the conversation's updated_at that this was made of
  ended_at        timestamptz,
  channel         text NOT NULL,
  language        text,
  model_id        text,
  questions       int NOT NULL DEFAULT 0,
  answers         int NOT NULL DEFAULT 0, -- of the AI
  replies         int NOT NULL DEFAULT 0, -- of people
  first_token_ms  int, -- of its first answer
  response_ms     int, -- of its answers, on average
  tool_calls      int NOT NULL DEFAULT 0,
  tool_failures   int NOT NULL DEFAULT 0,
  cost_micro      bigint NOT NULL DEFAULT 0,
  handoff_at      timestamptz,
  handoff_reason  text,
  rating          smallint,
  feedback_up     int NOT NULL DEFAULT 0,
  feedback_down   int NOT NULL DEFAULT 0,
  gone_questions  int NOT NULL DEFAULT 0,
  gone_answers    int NOT NULL DEFAULT 0,
  gone_replies    int NOT NULL DEFAULT 0,
  gone_up         int NOT NULL DEFAULT 0,
  gone_down       int NOT NULL DEFAULT 0,
  gone_calls      int NOT NULL DEFAULT 0,
  gone_failures   int NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, conversation_id, started_at)
);
SELECT protect_tenant_table('conversation_outcomes');

-- What was said in a conversation, for finding it again. In parts by organisation: the index of
-- words lists a word's conversations of all of them, and who searches would read everybody's.
CREATE TABLE conversation_search (
  org_id          uuid NOT NULL,
  conversation_id uuid NOT NULL,
  started_at      timestamptz NOT NULL,
  search          tsvector NOT NULL,
  PRIMARY KEY (org_id, conversation_id),
  FOREIGN KEY (org_id, conversation_id) REFERENCES conversations (org_id, id) ON DELETE CASCADE
) PARTITION BY HASH (org_id);
DO $$ BEGIN
  FOR i IN 0..15 LOOP
    EXECUTE format('CREATE TABLE conversation_search_%s PARTITION OF conversation_search'
                   ' FOR VALUES WITH (MODULUS 16, REMAINDER %s)', i, i);
    PERFORM protect_tenant_rows(format('conversation_search_%s', i)::regclass);
  END LOOP;
END $$;
CREATE INDEX conversation_search_started
  ON conversation_search (org_id, started_at DESC, conversation_id DESC);
CREATE INDEX conversation_search_words ON conversation_search USING gin (org_id, search);
SELECT protect_tenant_table('conversation_search');

-- Durations are counted in steps of a fifth: enough to tell a 95th percentile of any period.
CREATE FUNCTION duration_step(ms bigint) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN ms <= 1 THEN 0 ELSE least(63, ceil(ln(ms::float8) / ln(1.2::float8)))::int END $$;

CREATE TABLE tool_daily (
  org_id    uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  day       date NOT NULL, -- UTC
  tool_name text NOT NULL,
  calls     int NOT NULL, -- that ran
  succeeded int NOT NULL,
  ms_total  bigint NOT NULL,
  steps     int[] NOT NULL, -- duration_step() and, at the same place,
  counts    int[] NOT NULL, -- how many calls took so long
  PRIMARY KEY (org_id, day, tool_name)
);
SELECT protect_tenant_table('tool_daily');

-- Counts the days from `since` until before `until`. A day whose calls are deleted already,
-- or some of them, keeps what was counted. What was called in an operator's test (channel
-- "test"), or tried by itself, is not counted.
CREATE FUNCTION count_tools(since date, until date) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  counted int;
BEGIN
  INSERT INTO tool_daily AS d (org_id, day, tool_name, calls, succeeded, ms_total, steps, counts)
  SELECT org_id, day, tool_name, sum(calls), sum(succeeded), sum(ms_total),
         array_agg(step ORDER BY step), array_agg(calls ORDER BY step)
    FROM (SELECT t.org_id, (t.created_at AT TIME ZONE 'UTC')::date AS day, t.tool_name,
                 duration_step(coalesce(t.execution_time_ms, 0)) AS step, count(*)::int AS calls,
                 count(*) FILTER (WHERE t.status = 'done' AND t.success IS NOT false)::int AS succeeded,
                 sum(coalesce(t.execution_time_ms, 0)) AS ms_total
            FROM tool_executions t
           WHERE t.org_id = app_org() AND t.status IN ('done', 'failed', 'unknown')
             AND t.created_at >= since::timestamp AT TIME ZONE 'UTC'
             AND t.created_at < until::timestamp AT TIME ZONE 'UTC'
             AND coalesce(t.job_id, '') NOT LIKE 'test-%'
             AND NOT EXISTS (SELECT FROM conversations c
                              WHERE c.org_id = t.org_id AND c.id = t.conversation_id
                                AND c.channel = 'test')
           GROUP BY 1, 2, 3, 4) steps
   GROUP BY org_id, day, tool_name
  ON CONFLICT (org_id, day, tool_name) DO UPDATE
     SET calls = EXCLUDED.calls, succeeded = EXCLUDED.succeeded, ms_total = EXCLUDED.ms_total,
         steps = EXCLUDED.steps, counts = EXCLUDED.counts
   WHERE d.calls <= EXCLUDED.calls
     AND (d.calls, d.succeeded, d.ms_total) IS DISTINCT FROM
         (EXCLUDED.calls, EXCLUDED.succeeded, EXCLUDED.ms_total);
  GET DIAGNOSTICS counted = ROW_COUNT;
  RETURN counted;
END $$;

-- The organisations whose tools ran since a day.
CREATE FUNCTION platform_tool_orgs(since timestamptz) RETURNS TABLE (org_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id FROM organizations o
   WHERE EXISTS (SELECT FROM tool_executions t WHERE t.org_id = o.id AND t.created_at >= since)
$$;
SELECT give_to_platform('platform_tool_orgs(timestamptz)');

-- -- finding ----------------------------------------------------------------------------------

-- The words as they were typed, each also as the beginning of a longer one; "quoted" words
-- stay together, a dash leaves out.
CREATE FUNCTION typed_words(words text) RETURNS tsquery LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT regexp_replace(websearch_to_tsquery('simple', words)::text, '([^'' ]{3,}'')( |$|\))', '\1:*\2', 'g')::tsquery
$$;

GRANT SELECT ON conversations, messages, usage_ledger TO frontdesk_platform;
GRANT SELECT, INSERT, UPDATE ON conversation_outcomes, conversation_search TO frontdesk_platform;
CREATE POLICY housekeeping ON conversations FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY housekeeping ON messages FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY housekeeping ON usage_ledger FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY housekeeping ON conversation_outcomes TO frontdesk_platform USING (true) WITH CHECK (true);
CREATE POLICY housekeeping ON conversation_search TO frontdesk_platform USING (true) WITH CHECK (true);

-- -- counting -------------------------------------------------------------------------------

-- Some languages' words, joined by dashes, make more of an index than fits into a row: then
-- one conversation is not found by its words, and the others are all the same.
CREATE FUNCTION words_of(said text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp SET client_min_messages = warning AS $$
BEGIN
  RETURN to_tsvector('simple', said);
EXCEPTION WHEN program_limit_exceeded THEN
  RETURN '';
END $$;

-- Makes conversations found by what is left of them, of long ones by what was said last.
CREATE FUNCTION index_words(ids uuid[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO conversation_search AS s (org_id, conversation_id, started_at, search)
  SELECT c.org_id, c.id, c.started_at, words_of(concat_ws(' ', c.title, c.user_identifier, w.words))
    FROM conversations c
    CROSS JOIN LATERAL (
      SELECT left(string_agg(m.content, ' ' ORDER BY m.created_at DESC), 60000) AS words
        FROM (SELECT left(x.content, 4000) AS content, x.created_at FROM messages x
               WHERE x.org_id = c.org_id AND x.conversation_id = c.id
                 AND x.created_at >= c.started_at - interval '1 day'
               ORDER BY x.created_at DESC LIMIT 2000) m) w
   WHERE c.id = ANY (ids)
  ON CONFLICT (org_id, conversation_id) DO UPDATE
     SET started_at = EXCLUDED.started_at, search = EXCLUDED.search
$$;

-- What is deleted was counted and stays so.
CREATE FUNCTION note_gone_calls() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE conversation_outcomes o
     SET gone_calls = gone_calls + g.calls, gone_failures = gone_failures + g.failures
    FROM (SELECT c.org_id, c.id, c.started_at, count(*) AS calls,
                 count(*) FILTER (WHERE t.status <> 'done') AS failures
            FROM gone t JOIN conversations c ON c.org_id = t.org_id AND c.id = t.conversation_id
           WHERE t.status IN ('done', 'failed', 'unknown')
           GROUP BY c.org_id, c.id, c.started_at) g
   WHERE o.org_id = g.org_id AND o.conversation_id = g.id AND o.started_at = g.started_at;
  RETURN NULL;
END $$;
CREATE TRIGGER note_gone AFTER DELETE ON tool_executions REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION note_gone_calls();

-- Counts the conversations that changed since the last time, at most so many; how many it
-- looked at. What committed late has an older updated_at than what was looked at already,
-- so the last minutes are looked at again; what did not change meanwhile is passed over.
CREATE FUNCTION platform_roll_up(most int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  nobody  constant uuid := '00000000-0000-0000-0000-000000000000';
  mark    record;
  ids     uuid[];
  changed uuid[];
  last_at timestamptz;
BEGIN
  INSERT INTO marks VALUES ('outcomes', '-infinity', nobody) ON CONFLICT DO NOTHING;
  SELECT * INTO mark FROM marks WHERE name = 'outcomes' FOR UPDATE;
  SELECT array_agg(c.id ORDER BY c.updated_at, c.id), max(c.updated_at) INTO ids, last_at
    FROM (SELECT id, updated_at FROM conversations
           WHERE (updated_at, id) > (mark.at, mark.id)
           ORDER BY updated_at, id LIMIT most) c;
  SELECT array_agg(c.id) INTO changed
    FROM conversations c
    LEFT JOIN conversation_outcomes o ON o.org_id = c.org_id AND o.conversation_id = c.id
                                     AND o.started_at = c.started_at
   WHERE c.id = ANY (ids) AND o.changed_at IS DISTINCT FROM c.updated_at;
  PERFORM roll_up_conversations(changed);
  PERFORM index_words(changed);
  IF coalesce(cardinality(ids), 0) < most THEN
    UPDATE marks SET at = now() - interval '2 minutes', id = nobody WHERE name = 'outcomes';
  ELSE
    UPDATE marks SET at = last_at, id = ids[cardinality(ids)] WHERE name = 'outcomes';
  END IF;
  RETURN coalesce(cardinality(ids), 0);
END $$;
SELECT give_to_platform('platform_roll_up(int)');

-- -- months ------------------------------------------------------------------------------------

-- The partitions of messages, but the default one, oldest first.
CREATE FUNCTION messages_partitions() RETURNS TABLE (part text, first_day date, last_day date)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.relname::text, to_date(right(c.relname, 6), 'YYYYMM'),
         (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' - interval '1 day')::date
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = 'public.messages'::regclass AND c.relname ~ '^messages_[0-9]{6}$'
   ORDER BY c.relname
$$;

-- Is anything left of before a day?
CREATE FUNCTION platform_messages_before(day date) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM messages m WHERE m.created_at < day::timestamp AT TIME ZONE 'UTC')
$$;
SELECT give_to_platform('platform_messages_before(date)');

-- Drops the oldest month that no organisation keeps any more, by what each has set now; NULL:
-- there is none. It waits for no long statement, since everybody would wait behind it.
CREATE FUNCTION platform_drop_messages_partition() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
  before date := (SELECT current_date - max(r.message_days) FROM platform_retention() r);
  oldest text;
BEGIN
  SELECT part INTO oldest FROM messages_partitions() WHERE last_day < before LIMIT 1;
  IF oldest IS NOT NULL THEN
    EXECUTE format('DROP TABLE public.%I', oldest);
  END IF;
  RETURN oldest;
END $$;
REVOKE ALL ON FUNCTION platform_drop_messages_partition() FROM public;
GRANT EXECUTE ON FUNCTION platform_drop_messages_partition() TO frontdesk_app;

-- -- one visitor -------------------------------------------------------------------------------

-- Who exported or deleted a visitor's data, and how much it was; nothing of the visitor.
CREATE TABLE visitor_requests (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id        uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  action        text NOT NULL CHECK (action IN ('export', 'delete')),
  named_by      text NOT NULL CHECK (named_by IN ('session', 'user_identifier', 'email', 'conversation')),
  name_sha256   text NOT NULL, -- to show to somebody who knows the name that it was done
  actor         text NOT NULL,
  report        jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(report) = 'object'),
  created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX visitor_requests_latest ON visitor_requests (org_id, id DESC);
SELECT protect_tenant_table('visitor_requests');
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO frontdesk_app;
