-- Integrations: a client's shop, API or database, and what of it the assistant may call.

ALTER TABLE client_integrations
  -- https://shop.example/admin/api/2026-07; for a database host:port/name
  ADD COLUMN base_url     text  NOT NULL DEFAULT '',
  ADD COLUMN auth         text  NOT NULL DEFAULT 'none'
    CHECK (auth IN ('none', 'api_key', 'bearer', 'basic', 'oauth2', 'password')),
  -- header, token_url, scope, test_path, sslmode, cache_seconds, timeout_ms; nothing secret
  ADD COLUMN settings     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
  -- of each credential the last four characters: all that is ever shown
  ADD COLUMN last4        jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(last4) = 'object'),
  ADD COLUMN last_test    jsonb, -- what the last test found
  -- changes with whatever a cached answer or token depends on
  ADD COLUMN revision     int   NOT NULL DEFAULT 1,
  ADD COLUMN created_at   timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT client_integrations_name CHECK (length(name) BETWEEN 1 AND 100);
COMMENT ON COLUMN client_integrations.connection_config IS
  'credentials: a JSON object, sealed (core/vault.h) for org|client_integrations|id|connection_config';

ALTER TABLE integration_endpoints
  ADD COLUMN kind              text  NOT NULL DEFAULT 'endpoint' CHECK (kind IN ('endpoint', 'query')),
  ADD COLUMN query             text CHECK ((query IS NOT NULL) = (kind = 'query')),
  ADD COLUMN parameters_schema jsonb NOT NULL DEFAULT '{"type": "object", "properties": {}}',
  -- argument -> source: {"email": "visitor.email"}
  ADD COLUMN bindings          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(bindings) = 'object'),
  ADD COLUMN risk              text  NOT NULL DEFAULT 'read' CHECK (risk IN ('read', 'write', 'high')),
  -- list, match, cache_seconds (integration/shape.h)
  ADD COLUMN config            jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config) = 'object'),
  ADD COLUMN enabled           boolean NOT NULL DEFAULT true,
  ADD COLUMN revision          int   NOT NULL DEFAULT 1,
  ADD COLUMN created_at        timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT integration_endpoints_name CHECK (name ~ '^[a-zA-Z0-9_-]{1,64}$'),
  ADD CONSTRAINT integration_endpoints_method
    CHECK (method IN ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
  -- the name of a tool: the model knows no integrations
  ADD CONSTRAINT integration_endpoints_tool UNIQUE (org_id, name),
  ADD CONSTRAINT integration_endpoints_org_id UNIQUE (org_id, id);

-- What tool/set.c loads: every endpoint and query that can be called now.
CREATE VIEW integration_tools WITH (security_invoker = true) AS
  SELECT e.org_id, e.id, e.name, e.description, e.parameters_schema, e.bindings, e.risk, e.kind,
         e.config
    FROM integration_endpoints e
    JOIN client_integrations i ON i.org_id = e.org_id AND i.id = e.integration_id
   WHERE e.enabled AND i.enabled;
GRANT SELECT ON integration_tools TO frontdesk_app;

-- The calls, for the operator: what was called and how it went, nothing that was said.
CREATE TABLE integration_calls (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id         uuid NOT NULL,
  integration_id uuid NOT NULL,
  endpoint       text NOT NULL, -- its name then; '' is a connection test
  job_id         text,
  failure        text NOT NULL, -- 'ok', or a name of enum tool_failure
  status         int  NOT NULL DEFAULT 0,
  ms             int  NOT NULL DEFAULT 0,
  bytes          int  NOT NULL DEFAULT 0,
  cached         boolean NOT NULL DEFAULT false,
  detail         text NOT NULL DEFAULT '', -- what to do about it
  created_at     timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (org_id, integration_id) REFERENCES client_integrations (org_id, id) ON DELETE CASCADE
);
CREATE INDEX integration_calls_latest ON integration_calls (org_id, integration_id, id DESC);
CREATE INDEX integration_calls_age ON integration_calls (org_id, created_at);
SELECT protect_tenant_table('integration_calls');
