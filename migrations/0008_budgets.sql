-- Budgets, limits of plans, alerts, and what an organisation is charged (ENG-16).
-- Money is whole micro-dollars. What is spent is the sum of api_usage, which the
-- statement that ends a job writes together with the ledger; what is held is the sum of
-- the live reservations: no counter that could drift away from either.

ALTER TABLE org_ai_settings
  ADD CONSTRAINT org_ai_settings_budget CHECK (monthly_budget_usd >= 0),
  ADD COLUMN session_cap_usd      numeric(12, 6) CHECK (session_cap_usd >= 0), -- of a conversation, all its life
  ADD COLUMN user_cap_usd         numeric(12, 6) CHECK (user_cap_usd >= 0),    -- of a visitor with a user_id, a month
  ADD COLUMN alert_webhook_url    text CHECK (length(alert_webhook_url) <= 2048),
  ADD COLUMN alert_webhook_secret bytea CHECK (length(alert_webhook_secret) <= 512), -- sealed: core/vault.h
  ADD CONSTRAINT org_ai_settings_alerts_are_signed
      CHECK (alert_webhook_url IS NULL OR alert_webhook_secret IS NOT NULL);

-- The operator's word on one organisation stands above its plan.
ALTER TABLE organizations ADD CONSTRAINT organizations_limits_of_plan CHECK (
  coalesce(limits->>'monthly_budget_usd' ~ '^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$', true)
  AND coalesce(limits->>'at_limit' IN ('refuse', 'throttle'), true));

-- Calls of paid models whose price nobody knew: they count 0 in cost_estimate.
ALTER TABLE api_usage ADD COLUMN unpriced_calls int NOT NULL DEFAULT 0;
CREATE INDEX api_usage_date ON api_usage USING brin (date) WITH (pages_per_range = 8);
CREATE INDEX usage_ledger_conversation ON usage_ledger (conversation_id, created_at);
-- Whose answer it was, as the job said: a conversation's visitor may change with a message.
ALTER TABLE usage_ledger ADD COLUMN user_ref text;
CREATE INDEX usage_ledger_visitor ON usage_ledger (org_id, user_ref, created_at)
  WHERE user_ref IS NOT NULL;

-- What a running job may still spend, at most. One a job: whoever takes it over, or
-- falls back to another model, reserves anew in its place.
CREATE TABLE budget_reservations (
  job_id       text PRIMARY KEY,
  org_id       uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  epoch        int NOT NULL,
  owner        text NOT NULL, -- the worker
  session_id   text NOT NULL,
  user_ref     text,
  amount_micro bigint NOT NULL CHECK (amount_micro >= 0),
  expires_at   timestamptz NOT NULL -- the job's deadline and a margin: a crash heals by itself
);
CREATE INDEX budget_reservations_org ON budget_reservations (org_id);
SELECT protect_tenant_table('budget_reservations');

CREATE FUNCTION usage_month() RETURNS date LANGUAGE sql STABLE AS
$$ SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date $$;

-- The caps that hold for an organisation, and what it spent this month. Its own budget
-- cannot be above what its plan, or the operator in the plan's place, allows.
CREATE FUNCTION org_budget(org uuid)
RETURNS TABLE (monthly_micro bigint, session_micro bigint, user_micro bigint, spent_micro bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT (1000000 * least(s.monthly_budget_usd,
                          coalesce((o.limits->>'monthly_budget_usd')::numeric, p.monthly_budget_usd)))::bigint,
         (1000000 * s.session_cap_usd)::bigint, (1000000 * s.user_cap_usd)::bigint,
         (SELECT coalesce(sum(u.cost_estimate), 0)::bigint FROM api_usage u
           WHERE u.org_id = o.id AND u.date >= usage_month())
    FROM organizations o JOIN plans p USING (plan_type)
    LEFT JOIN org_ai_settings s ON s.org_id = o.id
   WHERE o.id = org
$$;

-- Rounded down; a budget of nothing is used up from the start; NULL without a budget.
CREATE FUNCTION budget_percent(spent bigint, budget bigint) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN budget = 0 THEN 100 WHEN budget > 0 THEN least(spent * 100 / budget, 1000)::int END $$;

-- -- alerts -------------------------------------------------------------------------

-- Each once for an organisation, month, kind and subject. The id is that of its
-- delivery as well: a receiver that sees it twice knows it.
CREATE TABLE alerts (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  month           date NOT NULL,
  kind            text NOT NULL CHECK (kind IN ('budget_80', 'budget_100', 'quota_80', 'quota_100',
                                                'price_unknown')),
  subject         text NOT NULL DEFAULT '', -- the model of price_unknown
  detail          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object'),
  created_at      timestamptz NOT NULL DEFAULT now(),
  delivery        text NOT NULL DEFAULT 'none' -- none: no webhook was set up at the time
                  CHECK (delivery IN ('none', 'pending', 'delivered', 'failed')),
  attempts        int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz,
  delivered_at    timestamptz,
  last_error      text,
  UNIQUE (org_id, month, kind, subject)
);
CREATE INDEX alerts_pending ON alerts (next_attempt_at) WHERE delivery = 'pending';
SELECT protect_tenant_table('alerts');

GRANT SELECT ON api_usage TO frontdesk_platform;
GRANT SELECT, INSERT, UPDATE ON alerts TO frontdesk_platform;
CREATE POLICY platform ON api_usage FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY platform ON alerts TO frontdesk_platform USING (true) WITH CHECK (true);

-- The one way in: also for a caller who tells of the same thing with every answer.
CREATE FUNCTION raise_alert(org uuid, what text, about text, facts jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO alerts (org_id, month, kind, subject, detail, delivery, next_attempt_at)
  SELECT org, usage_month(), what, about, facts,
         CASE WHEN s.alert_webhook_url IS NULL THEN 'none' ELSE 'pending' END,
         CASE WHEN s.alert_webhook_url IS NULL THEN NULL ELSE now() END
    FROM (SELECT org) o LEFT JOIN org_ai_settings s ON s.org_id = o.org
  ON CONFLICT (org_id, month, kind, subject) DO NOTHING
$$;

-- What a sweep finds in the month's usage: thresholds passed and prices nobody knew.
CREATE FUNCTION platform_raise_alerts() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  found_alert record;
  raised int := 0;
BEGIN
  FOR found_alert IN
    WITH spent AS (
      SELECT u.org_id, sum(u.cost_estimate)::bigint AS micro FROM api_usage u
       WHERE u.date >= usage_month() GROUP BY u.org_id
    ), levels AS (
      SELECT s.org_id, 'budget_' AS kind, s.micro AS used, b.monthly_micro AS allowed
        FROM spent s, org_budget(s.org_id) b
      UNION ALL
      SELECT m.org_id, 'quota_', m.used,
             coalesce((o.limits->>'messages_per_month')::int, p.messages_per_month)
        FROM platform_month_usage() m
        JOIN organizations o ON o.id = m.org_id JOIN plans p USING (plan_type)
    ), due AS (
      SELECT l.org_id, l.kind || threshold AS kind, '' AS subject,
             jsonb_build_object('used', l.used, 'allowed', l.allowed,
                                'percent', budget_percent(l.used, l.allowed)) AS detail
        FROM levels l, unnest(ARRAY[80, 100]) AS threshold
       WHERE l.allowed > 0 AND l.used * 100 >= l.allowed * threshold
      UNION ALL
      SELECT u.org_id, 'price_unknown', u.model_id, jsonb_build_object('calls', sum(u.unpriced_calls))
        FROM api_usage u WHERE u.date >= usage_month() AND u.unpriced_calls > 0
       GROUP BY u.org_id, u.model_id
    )
    SELECT d.* FROM due d
     WHERE NOT EXISTS (SELECT FROM alerts a WHERE a.org_id = d.org_id AND a.month = usage_month()
                          AND a.kind = d.kind AND a.subject = d.subject)
     ORDER BY d.org_id, d.kind, d.subject -- in one order, against deadlocks
  LOOP
    PERFORM raise_alert(found_alert.org_id, found_alert.kind, found_alert.subject, found_alert.detail);
    raised := raised + 1;
  END LOOP;
  RETURN raised;
END $$;
SELECT give_to_platform('platform_raise_alerts()');

-- Takes deliveries that are due: no two workers the same, and if this one dies, another
-- does after the pause that the next attempt has anyway.
CREATE FUNCTION platform_claim_alerts(most int, first_pause_s int, longest_pause_s int)
RETURNS TABLE (id uuid, org_id uuid, kind text, subject text, month date, detail jsonb,
               created_at timestamptz, attempts int, url text, sealed_secret text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH due AS (
    SELECT a.id FROM alerts a WHERE a.delivery = 'pending' AND a.next_attempt_at <= now()
     ORDER BY a.next_attempt_at LIMIT most FOR UPDATE SKIP LOCKED
  )
  UPDATE alerts a SET attempts = a.attempts + 1,
         next_attempt_at = now() + make_interval(secs =>
           least(first_pause_s * power(4, least(a.attempts, 12)), longest_pause_s))
    FROM due, org_ai_settings s
   WHERE a.id = due.id AND s.org_id = a.org_id
  RETURNING a.id, a.org_id, a.kind, a.subject, a.month, a.detail, a.created_at, a.attempts,
            s.alert_webhook_url, encode(s.alert_webhook_secret, 'hex')
$$;
SELECT give_to_platform('platform_claim_alerts(int, int, int)');

CREATE FUNCTION platform_pending_alerts() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT count(*) FROM alerts WHERE delivery = 'pending' $$;
SELECT give_to_platform('platform_pending_alerts()');

-- -- reserving ------------------------------------------------------------------------

-- Holds `amount` for a job's next call, or says which cap it would pass. Reservations of
-- an organisation take turns; what is spent and what is held are read in one statement
-- after the lock, so that an answer which ends meanwhile is in exactly one of the two.
CREATE FUNCTION budget_reserve(job text, this_epoch int, this_owner text, this_session text,
                               conversation uuid, visitor text, amount bigint, life_ms bigint)
RETURNS TABLE (verdict text, used_percent int, spent bigint, held bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  org uuid := app_org();
  b   record;
  own record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('frontdesk budget ' || org, 0));
  DELETE FROM budget_reservations r WHERE r.org_id = org AND r.expires_at <= now();

  SELECT o.*, (SELECT coalesce(sum(r.amount_micro), 0)::bigint FROM budget_reservations r
                WHERE r.org_id = org AND r.job_id <> job) AS held
    INTO b FROM org_budget(org) o;
  verdict := 'granted';
  used_percent := budget_percent(b.spent_micro, b.monthly_micro);
  spent := b.spent_micro;
  held := b.held;

  IF b.spent_micro + b.held + amount > b.monthly_micro THEN
    verdict := 'budget';
    IF b.spent_micro + amount > b.monthly_micro AND b.monthly_micro > 0 THEN
      PERFORM raise_alert(org, 'budget_100', '', jsonb_build_object('used', b.spent_micro,
                'allowed', b.monthly_micro, 'percent', used_percent));
    END IF;
  END IF;
  IF verdict = 'granted' AND b.session_micro IS NOT NULL THEN
    SELECT coalesce(sum(l.cost_micro), 0)::bigint AS spent,
           (SELECT coalesce(sum(r.amount_micro), 0)::bigint FROM budget_reservations r
             WHERE r.org_id = org AND r.session_id = this_session AND r.job_id <> job) AS held
      INTO own FROM usage_ledger l WHERE l.org_id = org AND l.conversation_id = conversation;
    IF own.spent + own.held + amount > b.session_micro THEN
      verdict := 'session';
    END IF;
  END IF;
  IF verdict = 'granted' AND b.user_micro IS NOT NULL AND visitor IS NOT NULL THEN
    SELECT coalesce(sum(l.cost_micro), 0)::bigint AS spent,
           (SELECT coalesce(sum(r.amount_micro), 0)::bigint FROM budget_reservations r
             WHERE r.org_id = org AND r.user_ref = visitor AND r.job_id <> job) AS held
      INTO own
      FROM usage_ledger l
     WHERE l.org_id = org AND l.user_ref = visitor
       AND l.created_at >= usage_month()::timestamp AT TIME ZONE 'UTC';
    IF own.spent + own.held + amount > b.user_micro THEN
      verdict := 'user';
    END IF;
  END IF;

  IF verdict = 'granted' THEN
    INSERT INTO budget_reservations AS r VALUES
      (job, org, this_epoch, this_owner, this_session, visitor, amount,
       now() + life_ms * interval '1 millisecond')
    ON CONFLICT (job_id) DO UPDATE
       SET epoch = EXCLUDED.epoch, owner = EXCLUDED.owner, amount_micro = EXCLUDED.amount_micro,
           expires_at = EXCLUDED.expires_at
     WHERE r.org_id = org AND r.epoch <= EXCLUDED.epoch;
    IF NOT FOUND THEN
      verdict := 'later'; -- another worker has taken the job over
    END IF;
  END IF;
  RETURN NEXT;
END $$;

-- -- what is charged --------------------------------------------------------------------

-- Markup on a model's cost, from a day on. org_id NULL: the platform's, for every
-- organisation without one of its own; model_id '*': every model without one of its own.
CREATE TABLE rate_card (
  org_id         uuid REFERENCES organizations ON DELETE CASCADE,
  model_id       text NOT NULL CHECK (length(model_id) BETWEEN 1 AND 128),
  effective_from date NOT NULL,
  markup_percent numeric(7, 2) NOT NULL CHECK (markup_percent BETWEEN -100 AND 10000),
  UNIQUE NULLS NOT DISTINCT (org_id, model_id, effective_from)
);
ALTER TABLE rate_card ENABLE ROW LEVEL SECURITY;
ALTER TABLE rate_card FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON rate_card FOR SELECT USING (org_id = app_org() OR org_id IS NULL);
CREATE POLICY written ON rate_card USING (org_id IS NOT DISTINCT FROM app_org())
  WITH CHECK (org_id IS NOT DISTINCT FROM app_org());
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_card TO frontdesk_app;

CREATE FUNCTION rate_card_markup(org uuid, model text, day date) RETURNS numeric
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce((SELECT r.markup_percent FROM rate_card r
                    WHERE (r.org_id = org OR r.org_id IS NULL) AND r.model_id IN (model, '*')
                      AND r.effective_from <= day
                    ORDER BY r.org_id IS NULL, r.model_id = '*', r.effective_from DESC LIMIT 1), 0)
$$;

-- -- limits, now with what happens at the quota -------------------------------------------

DROP FUNCTION platform_organizations();
CREATE FUNCTION platform_organizations()
RETURNS TABLE (org_id uuid, name text, generation bigint, status text,
               requests_per_minute int, concurrent_chats int, messages_per_month int,
               plan_type text, at_limit text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id, o.name, o.generation, o.status,
         coalesce((o.limits->>'requests_per_minute')::int, p.requests_per_minute),
         coalesce((o.limits->>'concurrent_chats')::int, p.concurrent_chats),
         coalesce((o.limits->>'messages_per_month')::int, p.messages_per_month),
         o.plan_type, coalesce(o.limits->>'at_limit', p.at_limit)
    FROM organizations o JOIN plans p USING (plan_type)
$$;
SELECT give_to_platform('platform_organizations()');
