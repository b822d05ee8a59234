-- Figures by the day (ADM-6). What is counted of a conversation (conversation_outcomes) is
-- added up by the day it began on, in the very transaction that writes it: a day is the sum of
-- its rows whatever is counted late, corrected or deleted, and whoever crashes meanwhile.

-- -- what is known of a message -------------------------------------------------------------

ALTER TABLE messages
  ADD COLUMN sentiment smallint, -- of what a visitor said: below 0 unhappy
  ADD COLUMN gap int[];          -- of an answer that no source has: the question's words, hashed
CREATE INDEX messages_gaps ON messages (org_id, created_at) INCLUDE (conversation_id, gap)
  WHERE gap IS NOT NULL;
CREATE INDEX conversations_tests ON conversations (org_id, id) WHERE channel = 'test';

-- Are two questions about the same? At least half of the words that one of them has are in
-- both. C has the same rule: tenant/gap.h.
CREATE FUNCTION gaps_alike(a int[], b int[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT 3 * count(*) >= cardinality(a) + cardinality(b) FROM unnest(a) AS w (w) WHERE w = ANY (b) $$;

-- -- what is counted of a conversation ---------------------------------------------------------

-- `resolved` is NULL until seven days after the last word. `visitor` is a hash of whoever it is
-- by name, kept until then, to tell whether he came again.
ALTER TABLE conversation_outcomes
  ADD COLUMN handoff_cause text, -- why: handoff_offered_for; 'visitor' or 'operator' where none was offered
  ADD COLUMN mood          int, -- the sum of its messages' sentiment; NULL: none was scored
  ADD COLUMN gone_mood     int NOT NULL DEFAULT 0,
  ADD COLUMN resolution_ms bigint, -- from the first question to the last answer
  ADD COLUMN last_at       timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN settled       boolean NOT NULL DEFAULT false, -- nothing is open in it
  ADD COLUMN returned      boolean NOT NULL DEFAULT false, -- the visitor did within seven days
  ADD COLUMN resolved      boolean,
  ADD COLUMN decided       boolean NOT NULL DEFAULT false,
  ADD COLUMN visitor       bytea;

CREATE INDEX conversation_outcomes_undecided ON conversation_outcomes (last_at) WHERE NOT decided;
CREATE INDEX conversation_outcomes_visitor ON conversation_outcomes (org_id, visitor, started_at)
  WHERE visitor IS NOT NULL;
-- Lists that are filtered by what was counted are read from here alone.
CREATE INDEX conversation_outcomes_started
  ON conversation_outcomes (org_id, started_at DESC, conversation_id DESC)
  INCLUDE (answers, replies, handoff_at, rating, feedback_up, feedback_down, mood, resolved);

-- -- the days ------------------------------------------------------------------------------------

-- Durations and lengths are counted in steps of a twentieth.
CREATE FUNCTION figure_step(n bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN n <= 1 THEN 0 ELSE ceil(ln(n::float8) / ln(1.05::float8))::int END::text $$;

CREATE TABLE outcome_daily (
  org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  day    date NOT NULL, -- UTC, on which the conversations began
  figure text NOT NULL,
  name   text NOT NULL, -- a reason, a figure_step(), ...; '' where there is none
  n      bigint NOT NULL,
  PRIMARY KEY (org_id, day, figure, name)
);
CREATE INDEX outcome_daily_nothing ON outcome_daily (org_id) WHERE n = 0;
CREATE INDEX outcome_daily_conversations ON outcome_daily (org_id, day)
  WHERE figure = 'conversations' AND name = '';
SELECT protect_tenant_rows('outcome_daily');
GRANT SELECT ON outcome_daily TO frontdesk_app; -- written by the trigger below alone
GRANT SELECT, INSERT, UPDATE, DELETE ON outcome_daily TO frontdesk_platform;
CREATE POLICY housekeeping ON outcome_daily TO frontdesk_platform USING (true) WITH CHECK (true);

-- What one conversation adds to its day. Each `figure` without a name has a filter that finds the
-- conversations it is of: find_conversations() below has the same conditions.
CREATE FUNCTION outcome_figures(o conversation_outcomes)
RETURNS TABLE (figure text, name text, n bigint) LANGUAGE sql IMMUTABLE AS $$
  SELECT f.figure, f.name, f.n
    FROM (SELECT o.handoff_at IS NOT NULL OR o.replies > 0 AS by_people) b,
         LATERAL (VALUES
           ('conversations',      '', 1::bigint),
           ('messages',           '', o.questions),
           ('said',               '', o.questions + o.answers + o.replies),
           ('handled_by_ai',      '', (o.answers > 0 AND NOT by_people)::int),
           ('handed_over',        '', by_people::int),
           ('unanswered',         '', (o.answers = 0 AND NOT by_people)::int),
           ('rated',              '', (o.rating IS NOT NULL)::int),
           ('stars',              '', o.rating),
           ('rated_ai',           '', (o.rating IS NOT NULL AND o.answers > 0 AND NOT by_people)::int),
           ('stars_ai',           '', CASE WHEN o.answers > 0 AND NOT by_people THEN o.rating END),
           ('rated_human',        '', (o.rating IS NOT NULL AND by_people)::int),
           ('stars_human',        '', CASE WHEN by_people THEN o.rating END),
           ('feedback_up',        '', (o.feedback_up > 0)::int),
           ('feedback_down',      '', (o.feedback_down > 0)::int),
           ('resolved_7d',        '', o.resolved::int),
           ('unresolved_7d',      '', (NOT o.resolved)::int),
           ('undecided_7d',       '', (o.resolved IS NULL)::int),
           ('sentiment_negative', '', (o.mood < 0)::int),
           ('sentiment_neutral',  '', (o.mood = 0)::int),
           ('sentiment_positive', '', (o.mood > 0)::int),
           ('timed_first_token',  '', (o.first_token_ms IS NOT NULL)::int),
           ('timed_response',     '', (o.response_ms IS NOT NULL)::int),
           ('timed_resolution',   '', (o.resolution_ms IS NOT NULL)::int),
           ('first_token_ms', figure_step(o.first_token_ms), (o.first_token_ms IS NOT NULL)::int),
           ('response_ms',    figure_step(o.response_ms),    (o.response_ms IS NOT NULL)::int),
           ('resolution_ms',  figure_step(o.resolution_ms),  (o.resolution_ms IS NOT NULL)::int),
           ('length',         figure_step(o.questions + o.answers + o.replies), 1),
           ('handoff_reason', coalesce(o.handoff_reason, ''), (o.handoff_at IS NOT NULL)::int),
           ('handoff_cause',  coalesce(o.handoff_cause, ''),  (o.handoff_at IS NOT NULL)::int)
         ) f (figure, name, n)
   WHERE f.n <> 0
$$;

-- In one order, against deadlocks. An organisation that is being deleted has no days any more.
-- What has come to nothing goes: a reason's words must not outlast the last who gave it.
CREATE FUNCTION add_to_days() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET row_security = on AS $$
DECLARE
  now_ text := 'SELECT 1 AS sign, n::conversation_outcomes AS o FROM now_rows n';
  was  text := 'SELECT -1 AS sign, n::conversation_outcomes AS o FROM was_rows n';
BEGIN
  EXECUTE format($q$
    INSERT INTO outcome_daily AS d (org_id, day, figure, name, n)
    SELECT (c.o).org_id, ((c.o).started_at AT TIME ZONE 'UTC')::date, f.figure, f.name, sum(c.sign * f.n)
      FROM (%s) c CROSS JOIN LATERAL outcome_figures(c.o) f
     WHERE EXISTS (SELECT FROM organizations x WHERE x.id = (c.o).org_id)
     GROUP BY 1, 2, 3, 4 HAVING sum(c.sign * f.n) <> 0
     ORDER BY 1, 2, 3, 4
    ON CONFLICT (org_id, day, figure, name) DO UPDATE SET n = d.n + EXCLUDED.n
    $q$, CASE TG_OP WHEN 'INSERT' THEN now_ WHEN 'DELETE' THEN was ELSE now_ || ' UNION ALL ' || was END);
  IF TG_OP <> 'INSERT' THEN
    DELETE FROM outcome_daily WHERE n = 0 AND org_id IN (SELECT w.org_id FROM was_rows w);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER add_new AFTER INSERT ON conversation_outcomes
  REFERENCING NEW TABLE AS now_rows FOR EACH STATEMENT EXECUTE FUNCTION add_to_days();
CREATE TRIGGER add_changed AFTER UPDATE ON conversation_outcomes
  REFERENCING NEW TABLE AS now_rows OLD TABLE AS was_rows FOR EACH STATEMENT EXECUTE FUNCTION add_to_days();
CREATE TRIGGER add_gone AFTER DELETE ON conversation_outcomes
  REFERENCING OLD TABLE AS was_rows FOR EACH STATEMENT EXECUTE FUNCTION add_to_days();
SELECT give_to_platform('add_to_days()');
REVOKE EXECUTE ON FUNCTION add_to_days() FROM frontdesk_app;

-- -- counting -------------------------------------------------------------------------------------

-- Whoever has a name, as a hash that says nothing outside of its organisation.
CREATE FUNCTION visitor_hash(org uuid, name text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
$$ SELECT substring(sha256(convert_to(org || ' ' || lower(nullif(name, '')), 'UTF8')) FOR 16) $$;

-- A visitor whose next conversation began within seven days after the last word of this one:
-- what was said there was not the end of it. Looked for from both sides, as either may be
-- counted first.
CREATE FUNCTION mark_returned(ids uuid[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public, pg_temp AS $$
  WITH changed AS MATERIALIZED (
    SELECT o.* FROM conversations c
      JOIN conversation_outcomes o ON o.org_id = c.org_id AND o.conversation_id = c.id
                                  AND o.started_at = c.started_at
     WHERE c.id = ANY (ids) AND o.visitor IS NOT NULL
  ), back AS (
    SELECT a.org_id, a.conversation_id, a.started_at
      FROM changed a
      JOIN conversation_outcomes b ON b.org_id = a.org_id AND b.visitor = a.visitor
       AND b.started_at > a.last_at AND b.started_at <= a.last_at + interval '7 days'
    UNION
    SELECT a.org_id, a.conversation_id, a.started_at
      FROM changed b
      JOIN conversation_outcomes a ON a.org_id = b.org_id AND a.visitor = b.visitor
       AND a.last_at < b.started_at AND a.last_at >= b.started_at - interval '7 days'
  )
  UPDATE conversation_outcomes o SET returned = true, resolved = false
    FROM back
   WHERE o.org_id = back.org_id AND o.conversation_id = back.conversation_id
     AND o.started_at = back.started_at AND NOT o.returned AND o.resolved IS NOT TRUE
$$;

-- What platform_roll_up() makes of them.
CREATE FUNCTION roll_up_conversations(ids uuid[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public, pg_temp AS $$
  WITH changed AS MATERIALIZED (
    SELECT * FROM conversations WHERE id = ANY (ids) AND channel <> 'test'
  ), m AS (
    SELECT c.id AS conversation, x.id, x.role, x.created_at, x.finished_at, x.route, x.rating, x.sentiment,
           lag(x.role) OVER w AS role_before,
           x.created_at - lag(coalesce(x.finished_at, x.created_at)) OVER w AS pause
      FROM changed c
      LEFT JOIN messages x ON x.org_id = c.org_id AND x.conversation_id = c.id
                          AND x.created_at >= c.started_at - interval '1 day'
    WINDOW w AS (PARTITION BY c.id ORDER BY x.created_at, x.id)
  ), said AS (
    SELECT m.conversation AS id,
           count(*) FILTER (WHERE m.role = 'user') AS questions,
           count(*) FILTER (WHERE m.role = 'assistant') AS answers,
           count(*) FILTER (WHERE m.role = 'operator') AS replies,
           (array_agg((m.route->>'first_token_ms')::int ORDER BY m.created_at)
             FILTER (WHERE m.role = 'assistant' AND m.route ? 'first_token_ms'))[1] AS first_token_ms,
           avg(extract(epoch FROM m.finished_at - m.created_at) * 1000)
             FILTER (WHERE m.role = 'assistant') AS response_ms,
           count(*) FILTER (WHERE m.rating = 'up') AS feedback_up,
           count(*) FILTER (WHERE m.rating = 'down') AS feedback_down,
           sum(m.sentiment) AS mood,
           max(coalesce(m.finished_at, m.created_at)) AS last_at,
           max(coalesce(m.finished_at, m.created_at))
             FILTER (WHERE m.role IN ('assistant', 'operator')) AS answered_at,
           (array_agg(m.role ORDER BY m.created_at DESC, m.id DESC)
             FILTER (WHERE m.role IN ('user', 'assistant', 'operator')))[1] AS last_word,
           coalesce(bool_or(m.role = 'user' AND m.role_before <> 'user'
                            AND m.pause BETWEEN interval '30 minutes' AND interval '7 days'), false) AS reopened
      FROM m
     GROUP BY m.conversation
  ), ends AS (
    SELECT c.id, coalesce(s.last_at, c.started_at) AS last_at,
           s.answers + s.replies > 0 AND c.status NOT IN ('waiting_human', 'human')
           AND (s.last_word <> 'user' OR c.status IN ('ended', 'archived')) AS settled
      FROM changed c JOIN said s ON s.id = c.id
  )
  INSERT INTO conversation_outcomes AS o
         (org_id, conversation_id, started_at, changed_at, ended_at, channel, language, model_id,
          questions, answers, replies, first_token_ms, response_ms, tool_calls, tool_failures,
          cost_micro, handoff_at, handoff_reason, handoff_cause, rating, feedback_up, feedback_down,
          mood, last_at, settled, returned, resolution_ms, visitor)
  SELECT c.org_id, c.id, c.started_at, c.updated_at, c.ended_at, c.channel, c.language, c.model_id,
         s.questions, s.answers, s.replies, s.first_token_ms, s.response_ms, t.calls, t.failures,
         l.cost, c.handoff_at, c.handoff_reason,
         CASE WHEN c.handoff_by = 'operator' THEN 'operator' WHEN c.handoff_at IS NOT NULL
              THEN coalesce(c.handoff_offered_for, 'visitor') END, c.score, s.feedback_up, s.feedback_down,
         s.mood, e.last_at, e.settled, s.reopened,
         CASE WHEN e.settled THEN extract(epoch FROM s.answered_at - c.started_at) * 1000 END,
         visitor_hash(c.org_id, coalesce(c.verified_id, c.user_identifier, c.verified_email, c.contact->>'email'))
    FROM changed c
    JOIN said s ON s.id = c.id
    JOIN ends e ON e.id = c.id
    CROSS JOIN LATERAL (SELECT count(*) AS calls, count(*) FILTER (WHERE x.status <> 'done') AS failures
                          FROM tool_executions x
                         WHERE x.org_id = c.org_id AND x.conversation_id = c.id
                           AND x.status IN ('done', 'failed', 'unknown')) t
    CROSS JOIN LATERAL (SELECT coalesce(sum(x.cost_micro), 0) AS cost FROM usage_ledger x
                         WHERE x.org_id = c.org_id AND x.conversation_id = c.id
                           AND x.created_at >= c.started_at - interval '1 day') l
  ON CONFLICT (org_id, conversation_id, started_at) DO UPDATE SET
     changed_at = EXCLUDED.changed_at, ended_at = EXCLUDED.ended_at, language = EXCLUDED.language,
     channel = EXCLUDED.channel, model_id = EXCLUDED.model_id,
     questions = o.gone_questions + EXCLUDED.questions,
     answers = o.gone_answers + EXCLUDED.answers,
     replies = o.gone_replies + EXCLUDED.replies,
     first_token_ms = coalesce(o.first_token_ms, EXCLUDED.first_token_ms),
     response_ms = coalesce(EXCLUDED.response_ms, o.response_ms),
     tool_calls = o.gone_calls + EXCLUDED.tool_calls,
     tool_failures = o.gone_failures + EXCLUDED.tool_failures,
     cost_micro = EXCLUDED.cost_micro,
     handoff_at = coalesce(o.handoff_at, EXCLUDED.handoff_at), -- it was, also when it is over
     handoff_reason = coalesce(EXCLUDED.handoff_reason, o.handoff_reason),
     handoff_cause = coalesce(EXCLUDED.handoff_cause, o.handoff_cause),
     rating = EXCLUDED.rating,
     feedback_up = o.gone_up + EXCLUDED.feedback_up,
     feedback_down = o.gone_down + EXCLUDED.feedback_down,
     mood = coalesce(o.gone_mood + EXCLUDED.mood, o.mood),
     last_at = greatest(o.last_at, EXCLUDED.last_at),
     -- where the last words are gone, they are as they were
     settled = CASE WHEN EXCLUDED.last_at < o.last_at THEN o.settled ELSE EXCLUDED.settled END,
     resolution_ms = CASE WHEN EXCLUDED.last_at < o.last_at THEN o.resolution_ms
                          ELSE EXCLUDED.resolution_ms END,
     returned = o.returned OR EXCLUDED.returned,
     resolved = CASE WHEN o.resolved THEN true
                     WHEN o.returned OR EXCLUDED.returned THEN false
                     WHEN o.decided AND greatest(o.last_at, EXCLUDED.last_at) < now() - interval '7 days'
                       THEN EXCLUDED.settled END,
     decided = o.decided AND greatest(o.last_at, EXCLUDED.last_at) < now() - interval '7 days',
     visitor = EXCLUDED.visitor;
  SELECT mark_returned(ids)
$$;
SELECT give_to_platform('roll_up_conversations(uuid[])'), give_to_platform('mark_returned(uuid[])');
REVOKE EXECUTE ON FUNCTION roll_up_conversations(uuid[]), mark_returned(uuid[]) FROM frontdesk_app;

-- Decides of conversations whose last word is seven days old whether that was the end of it, at most
-- so many; how many it looked at. What changed without a new word is counted first.
CREATE FUNCTION platform_decide(most int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  ids   uuid[];
  until timestamptz;
BEGIN
  PERFORM FROM marks WHERE name = 'outcomes' FOR UPDATE; -- one counts at a time
  SELECT array_agg(d.conversation_id), max(d.last_at) INTO ids, until
    FROM (SELECT conversation_id, last_at FROM conversation_outcomes
           WHERE NOT decided AND last_at < now() - interval '7 days'
           ORDER BY last_at LIMIT most) d;
  PERFORM roll_up_conversations(ids);
  UPDATE conversation_outcomes
     SET decided = true, visitor = NULL, resolved = coalesce(resolved, settled AND NOT returned)
   WHERE NOT decided AND last_at <= until AND conversation_id = ANY (ids);
  RETURN coalesce(cardinality(ids), 0);
END $$;
SELECT give_to_platform('platform_decide(int)');

-- What is deleted was counted and stays so; its words are in no index and no summary then.
-- What is left is found again at once, or where that takes long, after the next message.
CREATE FUNCTION note_gone_messages() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  conversation record;
BEGIN
  UPDATE conversation_outcomes o
     SET gone_questions = gone_questions + g.questions, gone_answers = gone_answers + g.answers,
         gone_replies = gone_replies + g.replies, gone_up = gone_up + g.up,
         gone_down = gone_down + g.down, gone_mood = gone_mood + g.mood
    FROM (SELECT c.org_id, c.id, c.started_at,
                 count(*) FILTER (WHERE m.role = 'user') AS questions,
                 count(*) FILTER (WHERE m.role = 'assistant') AS answers,
                 count(*) FILTER (WHERE m.role = 'operator') AS replies,
                 count(*) FILTER (WHERE m.rating = 'up') AS up,
                 count(*) FILTER (WHERE m.rating = 'down') AS down,
                 coalesce(sum(m.sentiment), 0) AS mood
            FROM gone m JOIN conversations c ON c.org_id = m.org_id AND c.id = m.conversation_id
           WHERE m.created_at >= c.started_at - interval '1 day'
           GROUP BY c.org_id, c.id, c.started_at) g
   WHERE o.org_id = g.org_id AND o.conversation_id = g.id AND o.started_at = g.started_at;
  DELETE FROM conversation_summaries s
   USING (SELECT DISTINCT org_id, conversation_id FROM gone) g
   WHERE s.org_id = g.org_id AND s.conversation_id = g.conversation_id
     AND NOT EXISTS (SELECT FROM messages m
                      WHERE m.org_id = s.org_id AND m.conversation_id = s.conversation_id
                        AND m.created_at <= s.through_at);
  DELETE FROM conversation_search s
   USING (SELECT DISTINCT org_id, conversation_id FROM gone) g
   WHERE s.org_id = g.org_id AND s.conversation_id = g.conversation_id;
  FOR conversation IN SELECT DISTINCT conversation_id AS id FROM gone LOOP
    EXIT WHEN clock_timestamp() > statement_timestamp() + interval '5 seconds';
    PERFORM index_words(ARRAY[conversation.id]);
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER note_gone AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION note_gone_messages();

-- -- tools --------------------------------------------------------------------------------------

-- Counts days anew while nobody else does.
CREATE FUNCTION recount_tools(since date, until date, anew boolean) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('count_tools ' || app_org(), 0));
  IF anew THEN
    DELETE FROM tool_daily WHERE org_id = app_org() AND day >= since AND day < until;
  END IF;
  RETURN count_tools(since, until);
END $$;

-- Calls that are old enough to be deleted by retention stay counted. Younger ones are deleted with
-- their visitor: what is left of their days is counted again.
CREATE FUNCTION note_erased_calls() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  erased record;
BEGIN
  FOR erased IN
    SELECT DISTINCT (g.created_at AT TIME ZONE 'UTC')::date AS day FROM gone g
     WHERE g.org_id = app_org() AND g.status IN ('done', 'failed', 'unknown')
       AND g.created_at >= ((now() AT TIME ZONE 'UTC')::date
             - coalesce((SELECT tool_execution_days FROM retention_settings WHERE org_id = g.org_id), 90))
             ::timestamp AT TIME ZONE 'UTC'
     ORDER BY 1
  LOOP
    PERFORM recount_tools(erased.day, erased.day + 1, true);
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER note_erased AFTER DELETE ON tool_executions REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION note_erased_calls();

-- -- finding ----------------------------------------------------------------------------------------

-- The statement of a page of conversations that fit `f`, latest first; of a text search by when they
-- began; operators' tests only where they are named. Of the transaction's organisation, or of all of
-- them, by activity. What is filtered by what was counted is looked for there, in the order in which
-- it is shown, each conversation beside it; a join would be taken for one row (its columns depend on
-- each other), and made before the limit. $1 is f, ($2, $3) the row behind which it goes on, $4 how
-- many, $5 the words of a gap, $6 the organisation.
CREATE FUNCTION conversations_query(f jsonb, by_activity boolean, goes_on boolean, everywhere boolean)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  worded  boolean := f ? 'q';
  counted boolean := f ?| ARRAY['rating', 'feedback', 'handled', 'handoff', 'handoff_reason', 'handoff_cause',
                                'resolved', 'sentiment', 'has'];
  lead    text := CASE WHEN worded THEN 's' WHEN counted AND NOT by_activity THEN 'o' ELSE 'c' END;
  id_name text := lead || CASE lead WHEN 'c' THEN '.id' ELSE '.conversation_id' END;
  at_name text := lead || CASE WHEN by_activity AND NOT worded THEN '.updated_at' ELSE '.started_at' END;
  during  text := '';
  c       text := CASE WHEN everywhere THEN ' true' ELSE ' c.org_id = app_org()' END;
  o       text := CASE WHEN everywhere THEN ' o.org_id = c.org_id' ELSE ' o.org_id = app_org()' END;
  query   text;
BEGIN
  IF f ? 'ids' THEN c := c || ' AND c.id IN (SELECT jsonb_array_elements_text($1->''ids'')::uuid)'; END IF;
  IF f ? 'from' THEN c := c || ' AND c.started_at >= ($1->>''from'')::timestamptz'; END IF;
  IF f ? 'to' THEN c := c || ' AND c.started_at < ($1->>''to'')::timestamptz + interval ''1 day'''; END IF;
  IF f ? 'from' AND everywhere THEN -- nothing is active before it begins: here the way back ends
    c := c || ' AND c.updated_at >= ($1->>''from'')::timestamptz';
  END IF;
  IF f ? 'from' AND lead = 'o' THEN o := o || ' AND o.started_at >= ($1->>''from'')::timestamptz'; END IF;
  IF f ? 'to' AND lead = 'o' THEN
    o := o || ' AND o.started_at < ($1->>''to'')::timestamptz + interval ''1 day''';
  END IF;
  IF NOT f ?| ARRAY['channel', 'ids'] THEN c := c || ' AND c.channel <> ''test'''; END IF;
  IF f ? 'status' THEN c := c || ' AND c.status = $1->>''status'''; END IF;
  IF f ? 'language' THEN c := c || ' AND c.language = $1->>''language'''; END IF;
  IF f ? 'channel' THEN c := c || ' AND c.channel = $1->>''channel'''; END IF;
  IF f ? 'team' THEN
    c := c || CASE f->>'team' WHEN 'none' THEN ' AND c.team_id IS NULL'
                              ELSE ' AND c.team_id = ($1->>''team'')::uuid' END;
  END IF;
  IF f ? 'user' THEN c := c || ' AND lower(c.user_identifier) = lower($1->>''user'')'; END IF;
  IF f ? 'rating' THEN
    o := o || CASE f->>'rating' WHEN 'any' THEN ' AND o.rating IS NOT NULL'
                                ELSE ' AND o.rating = ($1->>''rating'')::int' END;
  END IF;
  IF f ? 'feedback' THEN
    o := o || CASE f->>'feedback' WHEN 'up' THEN ' AND o.feedback_up > 0'
                                  WHEN 'down' THEN ' AND o.feedback_down > 0'
                                  WHEN 'none' THEN ' AND o.feedback_up + o.feedback_down = 0'
                                  ELSE ' AND o.feedback_up + o.feedback_down > 0' END;
  END IF;
  IF f ? 'handled' THEN
    o := o || CASE f->>'handled'
      WHEN 'ai' THEN ' AND o.answers > 0 AND o.handoff_at IS NULL AND o.replies = 0'
      WHEN 'human' THEN ' AND (o.handoff_at IS NOT NULL OR o.replies > 0)'
      ELSE ' AND o.answers = 0 AND o.handoff_at IS NULL AND o.replies = 0' END;
  END IF;
  IF f ? 'handoff' THEN
    o := o || CASE f->>'handoff'
      WHEN 'true' THEN ' AND o.handoff_at IS NOT NULL'
      WHEN 'unexplained' THEN ' AND o.handoff_at IS NOT NULL AND coalesce(o.handoff_reason, '''') = '''''
      ELSE ' AND o.handoff_at IS NULL' END;
  END IF;
  IF f ? 'handoff_reason' THEN
    o := o || ' AND o.handoff_at IS NOT NULL AND o.handoff_reason = $1->>''handoff_reason''';
  END IF;
  IF f ? 'handoff_cause' THEN
    o := o || ' AND o.handoff_at IS NOT NULL AND o.handoff_cause = $1->>''handoff_cause''';
  END IF;
  IF f ? 'resolved' THEN
    o := o || CASE f->>'resolved' WHEN 'true' THEN ' AND o.resolved'
                                  WHEN 'false' THEN ' AND NOT o.resolved'
                                  WHEN 'known' THEN ' AND o.resolved IS NOT NULL'
                                  ELSE ' AND o.resolved IS NULL' END;
  END IF;
  IF f ? 'sentiment' THEN
    o := o || CASE f->>'sentiment' WHEN 'negative' THEN ' AND o.mood < 0'
                                   WHEN 'neutral' THEN ' AND o.mood = 0'
                                   WHEN 'positive' THEN ' AND o.mood > 0'
                                   ELSE ' AND o.mood IS NOT NULL' END;
  END IF;
  IF f ? 'has' THEN
    o := o || CASE f->>'has' WHEN 'first_token' THEN ' AND o.first_token_ms IS NOT NULL'
                             WHEN 'response' THEN ' AND o.response_ms IS NOT NULL'
                             ELSE ' AND o.resolution_ms IS NOT NULL' END;
  END IF;
  IF f ? 'active_from' THEN
    during := during || ' AND x.created_at >= ($1->>''active_from'')::timestamptz';
  END IF;
  IF f ? 'active_to' THEN
    during := during || ' AND x.created_at < ($1->>''active_to'')::timestamptz + interval ''1 day''';
  END IF;
  IF f ? 'model' THEN
    c := c || ' AND EXISTS (SELECT FROM usage_ledger x WHERE x.org_id = c.org_id'
           || ' AND x.conversation_id = c.id AND x.model_id = $1->>''model''' || during || ')';
  END IF;
  IF f ? 'tool' THEN
    c := c || ' AND EXISTS (SELECT FROM tool_executions x WHERE x.org_id = c.org_id'
           || ' AND x.conversation_id = c.id AND x.tool_name = $1->>''tool'''
           || ' AND x.status IN (''done'', ''failed'', ''unknown'')' || during || ')';
  END IF;
  IF f ? 'gap' THEN
    c := c || ' AND c.id IN (SELECT x.conversation_id FROM messages x WHERE x.org_id = app_org()'
           || ' AND x.gap IS NOT NULL AND x.gap && $5 AND gaps_alike(x.gap, $5)' || during || ')';
  END IF;

  IF lead = 'o' THEN
    query := ' FROM conversation_outcomes o CROSS JOIN LATERAL (SELECT FROM conversations c'
          || ' WHERE c.id = o.conversation_id AND c.started_at = o.started_at AND' || c || ' OFFSET 0) c WHERE' || o;
  ELSE
    query := ' FROM conversations c';
    IF worded THEN
      query := query || ' JOIN conversation_search s ON s.org_id = c.org_id AND s.conversation_id = c.id'
                     || '  AND s.org_id = $6 AND s.search @@ typed_words($1->>''q'')'; -- a value: of one part
    END IF;
    IF counted THEN
      query := query || ' CROSS JOIN LATERAL (SELECT FROM conversation_outcomes o WHERE o.conversation_id = c.id'
                     || '  AND o.started_at = c.started_at AND' || o || ' OFFSET 0) o';
    END IF;
    query := query || ' WHERE' || c;
  END IF;
  IF goes_on THEN
    query := query || format(' AND (%s, %s) < ($2, $3)', at_name, id_name);
  END IF;
  RETURN format('SELECT %1$s AS id, %2$s AS at%3$s ORDER BY %2$s DESC, %1$s DESC LIMIT $4', id_name, at_name, query);
END $$;

-- A page of the transaction's organisation. Planned with its values: a rare word is looked up, a
-- common one is met soon enough on the way back in time. It belongs to frontdesk_platform for the
-- reason that is told in 0006.
CREATE FUNCTION find_conversations(f jsonb, by_activity boolean, after_at timestamptz,
                                   after_id uuid, most int)
RETURNS TABLE (id uuid, at timestamptz)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC'
SET max_parallel_workers_per_gather = 0 AS $$
BEGIN
  RETURN QUERY EXECUTE conversations_query(f, by_activity, after_at IS NOT NULL, false)
    USING f, after_at, after_id, most, ('{' || (f->>'gap') || '}')::int[], app_org();
END $$;
SELECT give_to_platform('find_conversations(jsonb, boolean, timestamptz, uuid, int)');

-- -- all organisations ---------------------------------------------------------------------------

CREATE INDEX conversations_open ON conversations (updated_at, id)
  WHERE status IN ('waiting_human', 'human');

-- A page for the platform's owner, by the session that he is signed in with: of the transaction's
-- organisation, whichever he acts in, or of all. Each whose conversations are shown, but the one that
-- he acts in, is told so in its audit log, once an hour, by the statement that shows them. One row
-- more than `shown` says that there are others.
CREATE FUNCTION platform_conversations(session uuid, everywhere boolean, f jsonb, by_activity boolean,
                                       after_at timestamptz, after_id uuid, shown int,
                                       address text, request_id text)
RETURNS TABLE (at timestamptz, organization text, conversation conversations,
               outcome conversation_outcomes)
LANGUAGE plpgsql ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC'
SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
  reader record;
  item   record;
  rows_  int := 0;
  orgs   uuid[] := '{}';
BEGIN
  SELECT 'user:' || u.id AS actor, coalesce(s.acting_org_id, s.org_id) AS org INTO reader
    FROM user_sessions s JOIN users u ON u.org_id = s.org_id AND u.id = s.user_id
   WHERE s.id = session AND s.ended_at IS NULL AND u.superadmin AND u.status = 'active';
  IF NOT FOUND THEN
    RAISE insufficient_privilege USING MESSAGE = 'this is no session of the platform''s owner';
  END IF;
  FOR item IN EXECUTE 'SELECT p.at, n.name, c, o FROM ('
      || conversations_query(f, by_activity, after_at IS NOT NULL, everywhere) || ') p'
      || ' JOIN conversations c ON c.id = p.id JOIN organizations n ON n.id = c.org_id'
      || ' LEFT JOIN conversation_outcomes o ON o.org_id = c.org_id AND o.conversation_id = c.id'
      || '   AND o.started_at = c.started_at ORDER BY p.at DESC, p.id DESC'
    USING f, after_at, after_id, shown + 1, ('{' || (f->>'gap') || '}')::int[], app_org()
  LOOP
    rows_ := rows_ + 1;
    IF rows_ <= shown THEN
      orgs := orgs || (item.c).org_id;
    END IF;
    at := item.at;
    organization := item.name;
    conversation := item.c;
    outcome := item.o;
    RETURN NEXT;
  END LOOP;
  INSERT INTO audit_log (org_id, actor, action, target, kind, verb, thing, address, request_id)
  SELECT w.org, reader.actor, 'conversations-read', 'conversations', 'conversations', 'read',
         'conversations', address, request_id
    FROM (SELECT DISTINCT unnest(orgs) AS org) w
   WHERE w.org <> reader.org
     AND NOT EXISTS (SELECT FROM audit_log a
                      WHERE a.org_id = w.org AND a.actor = reader.actor
                        AND a.action = 'conversations-read' AND a.at > now() - interval '1 hour');
END $$;
SELECT give_to_platform('platform_conversations(uuid, boolean, jsonb, boolean, timestamptz, uuid, int, text, text)');

-- Of the last thirty days, and of this month. Read from days: a page of the list counts the
-- conversations of fifty.
CREATE FUNCTION organization_figures(org uuid)
RETURNS TABLE (conversations_30d bigint, cost_micro_month bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT (SELECT coalesce(sum(d.n), 0)::bigint
            FROM outcome_daily d
           WHERE d.org_id = org AND d.figure = 'conversations' AND d.name = ''
             AND d.day > (now() AT TIME ZONE 'UTC')::date - 30),
         (SELECT coalesce(sum(u.cost_estimate), 0)::bigint FROM api_usage u
           WHERE u.org_id = org AND u.date >= usage_month())
$$;

-- A page by name; `words` are a part of a name or domain.
CREATE FUNCTION platform_organization_list(words text, state text, after_name text, after_id uuid,
                                           most int)
RETURNS TABLE (org_id uuid, name text, domain text, plan_type text, status text,
               created_at timestamptz, conversations_30d bigint, cost_micro_month bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id, o.name, o.domain, o.plan_type, o.status, o.created_at, f.*
    FROM (SELECT * FROM organizations
           WHERE (words IS NULL OR strpos(lower(organizations.name), lower(words)) > 0
                  OR strpos(lower(organizations.domain), lower(words)) > 0)
             AND (state IS NULL OR organizations.status = state)
             AND (after_id IS NULL OR (lower(organizations.name), id) > (lower(after_name), after_id))
           ORDER BY lower(organizations.name), id LIMIT most) o,
         organization_figures(o.id) f
   ORDER BY lower(o.name), o.id
$$;
SELECT give_to_platform('platform_organization_list(text, text, text, uuid, int)');
