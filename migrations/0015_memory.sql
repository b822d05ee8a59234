-- What a conversation was about before its last messages (ENG-7), what embeddings find
-- (ENG-5), and an organisation's own model servers (ENG-1).

-- -- summaries ------------------------------------------------------------------------

-- What the messages up to `through_at` said. One writer at a time: it holds the claim until
-- it writes, or until the claim ends; who wrote last counted `version` up.
CREATE TABLE conversation_summaries (
  conversation_id uuid PRIMARY KEY,
  org_id          uuid NOT NULL,
  content         text NOT NULL DEFAULT '' CHECK (length(content) <= 8000),
  through_at      timestamptz, -- created_at of the last message in it
  through_id      uuid,
  messages        int NOT NULL DEFAULT 0,
  version         int NOT NULL DEFAULT 0,
  model_id        text,
  claimed_by      text,
  claimed_until   timestamptz,
  updated_at      timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (org_id, conversation_id) REFERENCES conversations (org_id, id) ON DELETE CASCADE
);
SELECT protect_tenant_table('conversation_summaries');

-- -- how far off the estimate of a model's tokens is ------------------------------------

-- Of all organisations together; only reservations use it (llm/calibration.h).
CREATE TABLE model_calibration (
  model_id   text PRIMARY KEY CHECK (length(model_id) BETWEEN 1 AND 128),
  ratio      double precision NOT NULL CHECK (ratio BETWEEN 0.5 AND 3),
  samples    bigint NOT NULL CHECK (samples > 0),
  updated_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON model_calibration TO frontdesk_app;

-- -- an organisation's own model servers --------------------------------------------------

-- chat: who answers in place of the platform's providers. embedding: who makes vectors.
CREATE TABLE org_ai_endpoints (
  org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  kind       text NOT NULL CHECK (kind IN ('chat', 'embedding')),
  provider   text NOT NULL CHECK (provider IN ('openrouter', 'openai', 'anthropic')),
  base_url   text CHECK (length(base_url) <= 2048), -- NULL: the provider's own
  model      text CHECK (length(model) <= 128),
  dimensions int CHECK (dimensions BETWEEN 16 AND 4096),
  api_key    bytea CHECK (length(api_key) <= 1024), -- sealed: core/vault.h
  key_last4  text,
  revision   bigint NOT NULL DEFAULT 1, -- counts every change
  last_test  jsonb,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, kind),
  CHECK (kind <> 'embedding' OR (model IS NOT NULL AND provider <> 'anthropic'))
);
SELECT protect_tenant_table('org_ai_endpoints');

-- Spent with a key of the organisation's own: within its budget, but not the platform's to charge.
ALTER TABLE usage_ledger ADD COLUMN own_key boolean NOT NULL DEFAULT false;
ALTER TABLE api_usage ADD COLUMN own_cost bigint NOT NULL DEFAULT 0;

-- -- embeddings ---------------------------------------------------------------------------

ALTER TABLE article_sections ADD CONSTRAINT article_sections_org_id UNIQUE (org_id, id);

-- A section's vector: float4 in little-endian order, of length 1. `digest` is of the words it
-- was made from: words that come back unchanged are not embedded again.
CREATE TABLE section_embeddings (
  org_id     uuid NOT NULL,
  section_id uuid NOT NULL,
  model      text NOT NULL, -- "text-embedding-3-small/512"
  digest     bytea NOT NULL,
  vector     bytea NOT NULL,
  made_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, section_id),
  FOREIGN KEY (org_id, section_id) REFERENCES article_sections (org_id, id) ON DELETE CASCADE
);
ALTER TABLE section_embeddings ALTER COLUMN vector SET STORAGE EXTERNAL; -- noise: not compressed
SELECT protect_tenant_table('section_embeddings');

-- How far an organisation's sections are embedded, and who is at it.
CREATE TABLE embedding_state (
  org_id            uuid PRIMARY KEY REFERENCES organizations ON DELETE CASCADE,
  model             text, -- all that the vectors of `knowledge_version` are of
  knowledge_version bigint NOT NULL DEFAULT -1,
  vectors_version   bigint NOT NULL DEFAULT 0, -- counts every batch: what is cached under less is old
  claimed_by        text,
  claimed_until     timestamptz,
  retry_at          timestamptz,
  failures          int NOT NULL DEFAULT 0,
  last_error        text
);
SELECT protect_tenant_table('embedding_state');

-- Organisations whose sections wait to be embedded; `platform_model` NULL: only those with a
-- server of their own. The claim keeps other workers away until it ends.
GRANT SELECT ON org_ai_endpoints TO frontdesk_platform;
GRANT SELECT, INSERT, UPDATE ON embedding_state TO frontdesk_platform;
CREATE POLICY platform ON org_ai_endpoints FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY platform ON embedding_state TO frontdesk_platform USING (true) WITH CHECK (true);
CREATE FUNCTION platform_claim_embedding(worker text, platform_model text, life_ms bigint)
RETURNS TABLE (org_id uuid, knowledge_version bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH due AS (
    SELECT o.id, o.knowledge_version,
           coalesce(e.model || coalesce('/' || e.dimensions, ''), platform_model) AS model
      FROM organizations o
      LEFT JOIN org_ai_endpoints e ON e.org_id = o.id AND e.kind = 'embedding'
      LEFT JOIN embedding_state s ON s.org_id = o.id
     WHERE o.status = 'active' AND coalesce(e.model, platform_model) IS NOT NULL
       AND EXISTS (SELECT FROM article_sections a WHERE a.org_id = o.id)
       AND (s.org_id IS NULL OR s.knowledge_version <> o.knowledge_version
            OR s.model IS DISTINCT FROM coalesce(e.model || coalesce('/' || e.dimensions, ''), platform_model))
       AND coalesce(s.claimed_until <= now(), true) AND coalesce(s.retry_at <= now(), true)
     ORDER BY s.retry_at NULLS FIRST, o.id LIMIT 1
  )
  INSERT INTO embedding_state AS s (org_id, claimed_by, claimed_until)
  SELECT id, worker, now() + life_ms * interval '1 millisecond' FROM due
  ON CONFLICT (org_id) DO UPDATE SET claimed_by = worker, claimed_until = EXCLUDED.claimed_until
   WHERE coalesce(s.claimed_until <= now(), true)
  RETURNING s.org_id, (SELECT d.knowledge_version FROM due d)
$$;
SELECT give_to_platform('platform_claim_embedding(text, text, bigint)');
