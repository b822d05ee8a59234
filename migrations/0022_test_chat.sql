-- Test conversations and regression cases (ADM-4). What is tried out is a conversation of
-- channel "test": billed like any other, and in no figure.

-- A question and what its answer has to be like: {contains, not_contains, tool, cites,
-- language, tier}.
CREATE TABLE test_cases (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  message    text NOT NULL CHECK (message <> ''),
  language   text,
  model_id   text, -- NULL: as for a visitor
  expect     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(expect) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX test_cases_order ON test_cases (org_id, created_at DESC, id DESC);
SELECT protect_tenant_table('test_cases');

-- A run asks every case once with each arm.
CREATE TABLE test_runs (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id      uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  status      text NOT NULL DEFAULT 'running'
              CHECK (status IN ('running', 'done', 'failed', 'cancelled')),
  arms        jsonb NOT NULL, -- [{label, model_id, prompt}]
  total       int NOT NULL,
  actor       text NOT NULL,
  error       text,
  created_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  UNIQUE (org_id, id)
);
CREATE INDEX test_runs_order ON test_runs (org_id, created_at DESC, id DESC);
CREATE INDEX test_runs_open ON test_runs (created_at) WHERE status = 'running';
SELECT protect_tenant_table('test_runs');

-- With the case as it was when the run began. Its job's id is there before the job is: whoever
-- goes on after a crash asks for the same one.
CREATE TABLE test_results (
  run_id         uuid NOT NULL,
  org_id         uuid NOT NULL,
  case_id        uuid NOT NULL, -- which may be gone
  arm            smallint NOT NULL,
  position       int NOT NULL,
  name           text NOT NULL,
  message        text NOT NULL,
  language       text,
  model_id       text,
  expect         jsonb NOT NULL,
  status         text NOT NULL DEFAULT 'waiting'
                 CHECK (status IN ('waiting', 'running', 'done', 'cancelled')),
  job_id         text,
  started_at     timestamptz,
  admitted_at    timestamptz,
  passed         boolean,
  failures       jsonb NOT NULL DEFAULT '[]',
  response       text,
  model          text,
  cost_micro     bigint, -- NULL: a price is not known
  first_token_ms int,
  ms             int,
  finished_at    timestamptz,
  PRIMARY KEY (run_id, case_id, arm),
  FOREIGN KEY (org_id, run_id) REFERENCES test_runs (org_id, id) ON DELETE CASCADE
);
SELECT protect_tenant_table('test_results');

-- What there is to do, for whichever worker does it.
GRANT SELECT ON test_runs TO frontdesk_platform;
CREATE POLICY platform ON test_runs FOR SELECT TO frontdesk_platform USING (true);
CREATE FUNCTION platform_test_runs() RETURNS TABLE (org_id uuid, run_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT r.org_id, r.id FROM test_runs r WHERE r.status = 'running' ORDER BY r.created_at LIMIT 16
$$;
SELECT give_to_platform('platform_test_runs()');
