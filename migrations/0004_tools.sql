-- Tools and integrations: the catalogue is the platform's, enablement the org's.

CREATE TABLE tools (
  tool_name         text PRIMARY KEY,
  description       text NOT NULL,
  parameters_schema jsonb NOT NULL,
  category          text NOT NULL DEFAULT 'general'
);
GRANT SELECT ON tools TO frontdesk_app;

CREATE TABLE client_tools (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id          uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  tool_name       text NOT NULL REFERENCES tools ON DELETE CASCADE,
  enabled         boolean NOT NULL DEFAULT false,
  n8n_webhook_url text,
  custom_config   jsonb NOT NULL DEFAULT '{}',
  UNIQUE (org_id, tool_name)
);
SELECT protect_tenant_table('client_tools');

CREATE TABLE client_integrations (
  id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id            uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  type              text NOT NULL CHECK (type IN ('shopify', 'woocommerce', 'custom_api', 'database')),
  name              text NOT NULL,
  connection_config bytea, -- encrypted
  enabled           boolean NOT NULL DEFAULT false,
  last_sync_test    timestamptz,
  UNIQUE (org_id, name),
  UNIQUE (org_id, id)
);
SELECT protect_tenant_table('client_integrations');

CREATE TABLE integration_endpoints (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id         uuid NOT NULL,
  integration_id uuid NOT NULL,
  name           text NOT NULL,
  url            text NOT NULL,
  method         text NOT NULL DEFAULT 'GET',
  description    text NOT NULL DEFAULT '',
  UNIQUE (integration_id, name),
  FOREIGN KEY (org_id, integration_id) REFERENCES client_integrations (org_id, id) ON DELETE CASCADE
);
SELECT protect_tenant_table('integration_endpoints');

CREATE TABLE tool_executions (
  id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id            uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  conversation_id   uuid,
  job_id            text,
  call_id           text,
  tool_name         text NOT NULL,
  parameters        jsonb NOT NULL DEFAULT '{}',
  response          jsonb,
  success           boolean,
  execution_time_ms int,
  created_at        timestamptz NOT NULL DEFAULT now(),
  UNIQUE (job_id, call_id),
  FOREIGN KEY (org_id, conversation_id) REFERENCES conversations (org_id, id) ON DELETE CASCADE
);
SELECT protect_tenant_table('tool_executions');
