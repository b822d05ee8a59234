-- Channels (ENG-15): conversations that come and go by webhooks - WhatsApp, Messenger, e-mail,
-- SMS, whatever n8n can reach. What came in is kept until it is answered, what goes out until
-- it is delivered; both texts are gone then, `messages` has them.

CREATE TABLE channels (
  id            uuid PRIMARY KEY, -- of the seal: who inserts chooses it before
  org_id        uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  channel       text NOT NULL CHECK (channel ~ '^[a-z][a-z0-9_-]{0,31}$'
                                     AND channel NOT IN ('widget', 'api', 'test')),
  enabled       boolean NOT NULL DEFAULT false,
  outbound_url  text CHECK (length(outbound_url) <= 2048),
  secret        bytea NOT NULL CHECK (length(secret) <= 512), -- sealed: core/vault.h
  last4         text NOT NULL,
  updated_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, channel)
);
SELECT protect_tenant_table('channels');

-- Who writes on a channel, and where: an address, and what the channel calls the thread. The
-- conversation is the one that goes on.
CREATE TABLE channel_threads (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  channel         text NOT NULL,
  sender          text NOT NULL CHECK (octet_length(sender) BETWEEN 1 AND 256),
  thread          text NOT NULL DEFAULT '' CHECK (octet_length(thread) <= 256),
  name            text,
  language        text,
  session_id      text,
  conversation_id uuid,
  seen_at         timestamptz NOT NULL DEFAULT now(), -- the last message
  UNIQUE (org_id, channel, sender, thread),
  UNIQUE (org_id, id),
  -- an erased conversation takes the address with it
  FOREIGN KEY (org_id, conversation_id) REFERENCES conversations (org_id, id) ON DELETE CASCADE
);
CREATE INDEX channel_threads_conversation ON channel_threads (org_id, conversation_id);
SELECT protect_tenant_table('channel_threads');

-- `message_id` is the channel's own: what is sent twice is one.
CREATE TABLE channel_inbox (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id      uuid NOT NULL,
  channel     text NOT NULL,
  thread_id   uuid NOT NULL,
  message_id  text NOT NULL CHECK (octet_length(message_id) BETWEEN 1 AND 256),
  text        text NOT NULL, -- '': nothing of it could be read
  job_id      text,
  state       text NOT NULL DEFAULT 'pending'
              CHECK (state IN ('pending', 'admitted', 'answered', 'failed')),
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  next_at     timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, channel, message_id),
  FOREIGN KEY (org_id, thread_id) REFERENCES channel_threads (org_id, id) ON DELETE CASCADE
);
CREATE INDEX channel_inbox_open ON channel_inbox (thread_id, received_at, id)
  WHERE state IN ('pending', 'admitted');
CREATE INDEX channel_inbox_due ON channel_inbox (next_at) WHERE state = 'pending';
CREATE INDEX channel_inbox_admitted ON channel_inbox (job_id) WHERE state = 'admitted';
CREATE INDEX channel_inbox_thread ON channel_inbox (thread_id); -- deleted with it
CREATE INDEX channel_inbox_age ON channel_inbox (org_id, received_at);
SELECT protect_tenant_table('channel_inbox');

-- The id is that of the delivery: a receiver that sees it twice knows it.
CREATE TABLE channel_deliveries (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id          uuid NOT NULL,
  thread_id       uuid NOT NULL,
  message_id      uuid,
  -- answer, operator: a message; handoff: what the visitor is told of it; sorry: it could not
  -- be answered; unread: it had no text
  kind            text NOT NULL CHECK (kind IN ('answer', 'operator', 'handoff', 'sorry', 'unread')),
  author          text,
  text            text NOT NULL DEFAULT '',
  notice          text, -- behind an answer: a person may be asked for
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  attempts        int NOT NULL DEFAULT 0,
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  settled_at      timestamptz,
  last_error      text,
  UNIQUE (org_id, message_id),
  FOREIGN KEY (org_id, thread_id) REFERENCES channel_threads (org_id, id) ON DELETE CASCADE
);
CREATE INDEX channel_deliveries_open ON channel_deliveries (thread_id, created_at, id)
  WHERE state = 'pending';
CREATE INDEX channel_deliveries_due ON channel_deliveries (next_attempt_at) WHERE state = 'pending';
CREATE INDEX channel_deliveries_thread ON channel_deliveries (thread_id); -- deleted with it
CREATE INDEX channel_deliveries_age ON channel_deliveries (org_id, created_at DESC, id DESC);
SELECT protect_tenant_table('channel_deliveries');

-- -- what workers do for every organisation ------------------------------------------------------

GRANT SELECT ON channels TO frontdesk_platform;
GRANT SELECT ON channel_threads TO frontdesk_platform;
GRANT SELECT, UPDATE ON channel_inbox TO frontdesk_platform;
GRANT SELECT, INSERT, UPDATE ON channel_deliveries TO frontdesk_platform;
CREATE POLICY platform ON channels FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY platform ON channel_threads FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY platform ON channel_inbox TO frontdesk_platform USING (true) WITH CHECK (true);
CREATE POLICY platform ON channel_deliveries TO frontdesk_platform USING (true) WITH CHECK (true);

-- Of each thread the first that is not answered yet; nobody else gets it for `lease_s`.
CREATE FUNCTION platform_claim_inbox(most int, lease_s int)
RETURNS TABLE (id uuid, org_id uuid, thread_id uuid, channel text, sender text, name text,
               language text, text text, job_id text, waits_s bigint, session_id text,
               conversation_id uuid, goes_on boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH due AS (
    SELECT i.id FROM channel_inbox i
     WHERE i.state = 'pending' AND i.next_at <= now()
       AND NOT EXISTS (SELECT FROM channel_inbox e
                        WHERE e.thread_id = i.thread_id AND e.state IN ('pending', 'admitted')
                          AND (e.received_at, e.id) < (i.received_at, i.id))
     ORDER BY i.next_at LIMIT most FOR UPDATE SKIP LOCKED
  )
  UPDATE channel_inbox i SET next_at = now() + make_interval(secs => lease_s)
    FROM due, channel_threads t LEFT JOIN conversations c ON c.org_id = t.org_id AND c.id = t.conversation_id
   WHERE i.id = due.id AND t.org_id = i.org_id AND t.id = i.thread_id
  RETURNING i.id, i.org_id, i.thread_id, i.channel, t.sender, t.name, t.language, i.text, i.job_id,
            extract(epoch FROM now() - i.received_at)::bigint, t.session_id, t.conversation_id,
            -- one that has ended, or that nobody wrote in for three days, is followed by another
            coalesce(c.status IN ('waiting_human', 'human')
                     OR (c.status <> 'ended' AND c.updated_at > now() - interval '3 days'), false)
$$;
SELECT give_to_platform('platform_claim_inbox(int, int)');

-- What was admitted and has been answered since: the answer goes out, if it is whole. Half of one
-- was stopped by a person who has taken over, or failed.
CREATE FUNCTION platform_answer_inbox(most int) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH over AS (
    SELECT i.id, j.state AS job_state, j.outcome
      FROM channel_inbox i LEFT JOIN jobs j ON j.id = i.job_id AND j.org_id = i.org_id
     WHERE i.state = 'admitted'
       AND (j.state <> 'running' OR (j.id IS NULL AND i.next_at < now()))
     LIMIT most FOR UPDATE OF i SKIP LOCKED
  ), done AS (
    UPDATE channel_inbox i SET text = '', state = CASE WHEN coalesce(o.job_state, 'dead') IN ('failed', 'dead')
                                                       THEN 'failed' ELSE 'answered' END
      FROM over o WHERE i.id = o.id
    RETURNING i.org_id, i.thread_id, i.job_id, i.state, o.outcome
  ), said AS (
    INSERT INTO channel_deliveries (org_id, thread_id, message_id, kind, text, notice)
    SELECT d.org_id, d.thread_id, m.id, CASE WHEN m.id IS NULL THEN 'sorry' ELSE 'answer' END,
           coalesce(m.content, ''),
           (SELECT string_agg(n->>'text', E'\n') FROM jsonb_array_elements(
              CASE jsonb_typeof(d.outcome->'notices') WHEN 'array' THEN d.outcome->'notices' ELSE '[]' END) n
             WHERE n->>'kind' IN ('handoff_offer', 'grounding'))
      FROM done d LEFT JOIN messages m ON m.org_id = d.org_id AND m.job_id = d.job_id
                                      AND m.role = 'assistant' AND m.status = 'complete'
     WHERE m.id IS NOT NULL OR d.state = 'failed'
    ON CONFLICT DO NOTHING
  ) SELECT count(*)::int FROM done
$$;
SELECT give_to_platform('platform_answer_inbox(int)');

-- Deliveries that are due, of each thread the first, of an organisation a few: if this worker
-- dies, another does them after the pause that the next attempt has anyway.
CREATE FUNCTION platform_claim_deliveries(most int, of_one int, first_pause_s int, longest_pause_s int)
RETURNS TABLE (id uuid, org_id uuid, channel_id uuid, channel text, sender text, thread text, name text,
               language text, conversation_id uuid, message_id uuid, kind text, author text, text text,
               notice text, attempts int, created_at text, enabled boolean, url text, secret bytea)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH ready AS (
    SELECT d.id, row_number() OVER (PARTITION BY d.org_id ORDER BY d.next_attempt_at, d.id) AS turn
      FROM channel_deliveries d
     WHERE d.state = 'pending' AND d.next_attempt_at <= now()
       AND NOT EXISTS (SELECT FROM channel_deliveries e
                        WHERE e.thread_id = d.thread_id AND e.state = 'pending'
                          AND (e.created_at, e.id) < (d.created_at, d.id))
  ), due AS (
    SELECT d.id FROM channel_deliveries d JOIN ready r ON r.id = d.id AND r.turn <= of_one
     WHERE d.state = 'pending' AND d.next_attempt_at <= now()
     ORDER BY d.next_attempt_at LIMIT most FOR UPDATE OF d SKIP LOCKED
  )
  UPDATE channel_deliveries d SET attempts = d.attempts + 1,
         next_attempt_at = now() + make_interval(secs =>
           least(first_pause_s * power(3, least(d.attempts, 12)), longest_pause_s))
    FROM due, channel_threads t LEFT JOIN channels h ON h.org_id = t.org_id AND h.channel = t.channel
   WHERE d.id = due.id AND t.org_id = d.org_id AND t.id = d.thread_id
  RETURNING d.id, d.org_id, h.id, t.channel, t.sender, t.thread, t.name, t.language, t.conversation_id,
            d.message_id, d.kind, d.author, d.text, d.notice, d.attempts,
            to_char(d.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            coalesce(h.enabled, false), h.outbound_url, h.secret
$$;
SELECT give_to_platform('platform_claim_deliveries(int, int, int, int)');
