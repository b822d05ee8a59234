-- What visitors say of answers and conversations, who they have proven to be, and people
-- who take a conversation over.

-- A verified user (verified_id) binds the conversation; `contact` is what the visitor wrote.
-- `holder` is the operator who answers, `version` counts the changes of hands.
ALTER TABLE conversations
  ADD COLUMN score smallint CHECK (score BETWEEN 1 AND 5),
  ADD COLUMN score_comment text CHECK (length(score_comment) <= 1000),
  ADD COLUMN scored_at timestamptz,
  ADD COLUMN verified_id text,
  ADD COLUMN verified_name text,
  ADD COLUMN verified_email text,
  ADD COLUMN verified_at timestamptz,
  ADD COLUMN contact jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(contact) = 'object'),
  ADD COLUMN handoff_reason text,
  ADD COLUMN handoff_by text CHECK (handoff_by IN ('visitor', 'operator')),
  ADD COLUMN handoff_at timestamptz,
  ADD COLUMN handoff_offered_at timestamptz,
  ADD COLUMN holder text, -- "user:<uuid>" or "key:<uuid>"
  ADD COLUMN holder_name text,
  ADD COLUMN version int NOT NULL DEFAULT 0;
CREATE INDEX conversations_waiting ON conversations (org_id, handoff_at)
  WHERE status IN ('waiting_human', 'human');

-- `author` is an operator's name as the visitor sees it.
ALTER TABLE messages
  ADD COLUMN rating text CHECK (rating IN ('up', 'down')),
  ADD COLUMN rating_comment text CHECK (length(rating_comment) <= 1000),
  ADD COLUMN author text;
ALTER TABLE messages DROP CONSTRAINT messages_role_check;
DO $$ -- a partition that was attached has a copy of its own
DECLARE part regclass;
BEGIN
  FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'messages'::regclass LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS messages_role_check', part);
  END LOOP;
END $$;
ALTER TABLE messages ADD CONSTRAINT messages_role_check
  CHECK (role IN ('system', 'user', 'assistant', 'tool', 'operator'));

-- A model that rates how visitors sound, one of those that are enabled; NULL: rules do.
ALTER TABLE org_ai_settings ADD COLUMN sentiment_model text;

-- Secrets under which an organisation's own server proves who its visitor is. Two count
-- during a rotation. `secret` is sealed.
CREATE TABLE identity_secrets (
  id         uuid PRIMARY KEY,
  org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  secret     bytea NOT NULL,
  last4      text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX identity_secrets_org ON identity_secrets (org_id, created_at);
SELECT protect_tenant_table('identity_secrets');

-- A request for a person goes the way of alerts, at once and each time.
ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_kind_check
  CHECK (kind IN ('budget_80', 'budget_100', 'quota_80', 'quota_100', 'price_unknown',
                  'handoff.requested'));

-- Is it open, and if not, when will it be? `week` has [day, from, to]: 0 is Sunday, minutes of
-- the local day, past 1440 where it is open beyond midnight. By the zone's own clock, so that
-- nine o'clock is nine o'clock on both sides of a change to summer time. NULL: nobody knows.
CREATE FUNCTION opening_at(zone text, week jsonb, moment timestamptz,
                           OUT is_open boolean, OUT opens_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF utc_offset_s(zone) IS NULL OR jsonb_array_length(week) = 0 THEN
    RETURN;
  END IF;
  SELECT bool_or(s.starts <= moment AND moment < s.ends),
         min(s.starts) FILTER (WHERE s.starts > moment)
    INTO is_open, opens_at
    FROM generate_series(-1, 8) AS ahead,
         LATERAL (SELECT (moment AT TIME ZONE zone)::date + ahead AS day) d,
         jsonb_array_elements(week) AS span,
         LATERAL (SELECT (d.day + make_interval(mins => (span->>1)::int)) AT TIME ZONE zone AS starts,
                         (d.day + make_interval(mins => (span->>2)::int)) AT TIME ZONE zone AS ends) s
   WHERE extract(dow FROM d.day) = (span->>0)::int;
  IF is_open THEN
    opens_at := NULL;
  END IF;
END $$;
