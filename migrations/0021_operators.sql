-- Operators in the inbox (ADM-4, ENG-14): what they hear of a conversation, whose it is, why a
-- person was offered, and what they answer often.

-- Of a team or of nobody in particular; either way every operator sees it.
ALTER TABLE conversations
  ADD COLUMN team_id uuid,
  ADD COLUMN handoff_offered_for text
    CHECK (handoff_offered_for IN ('asked', 'upset', 'repeated', 'suggested', 'ungrounded', 'failing')),
  ADD FOREIGN KEY (org_id, team_id) REFERENCES teams (org_id, id) ON DELETE SET NULL (team_id);
CREATE INDEX conversations_team ON conversations (org_id, team_id) WHERE team_id IS NOT NULL;

-- The event `conversation`: nothing that the visitor said, as no erasure reaches those who
-- have heard it. NULL: a test of an operator's, which is in nobody's inbox.
CREATE FUNCTION conversation_facts(c conversations) RETURNS text LANGUAGE sql STABLE
RETURN CASE WHEN c.channel <> 'test' THEN jsonb_build_object(
  'id', c.id, 'status', c.status, 'holder', c.holder, 'name', c.holder_name, 'version', c.version,
  'channel', c.channel, 'language', c.language, 'team_id', c.team_id, 'message_count', c.message_count,
  'waiting_since', CASE WHEN c.status = 'waiting_human'
    THEN to_char(c.handoff_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') END,
  'updated_at', to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text END;

-- Alerts are told to who is signed in, once: those from before need not be.
ALTER TABLE alerts ADD COLUMN announced boolean NOT NULL DEFAULT true;
ALTER TABLE alerts ALTER COLUMN announced SET DEFAULT false;
CREATE INDEX alerts_to_announce ON alerts (created_at) WHERE NOT announced;

CREATE FUNCTION platform_announce_alerts(most int) RETURNS TABLE (org_id uuid, facts text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH due AS (
    SELECT a.id FROM alerts a WHERE NOT a.announced ORDER BY a.created_at LIMIT most
       FOR UPDATE SKIP LOCKED
  )
  UPDATE alerts a SET announced = true FROM due WHERE a.id = due.id
  RETURNING a.org_id, jsonb_build_object('id', a.id, 'kind', a.kind, 'subject', nullif(a.subject, ''),
    'detail', a.detail - 'reason' - 'contact', -- what a visitor wrote
    'created_at', to_char(a.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))::text
$$;
SELECT give_to_platform('platform_announce_alerts(int)');

-- What operators answer often. A shortcut may have a text for each language and one for all
-- others.
CREATE TABLE canned_replies (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  shortcut   text NOT NULL CHECK (shortcut ~ '^[a-z0-9][a-z0-9_-]{0,31}$'),
  language   text CHECK (length(language) BETWEEN 2 AND 35),
  text       text NOT NULL CHECK (octet_length(text) BETWEEN 1 AND 6000),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (org_id, shortcut, language)
);
SELECT protect_tenant_table('canned_replies');
