-- An org of the time of one model becomes a list of one, which is its default (OPS-2).
-- Orgs that have a list already are left alone, so it can be repeated; `model` stays
-- until a later cleanup.
ALTER TABLE org_ai_settings NO FORCE ROW LEVEL SECURITY;
UPDATE org_ai_settings
   SET enabled_models = jsonb_build_array(jsonb_build_object(
         'model_id', coalesce(model, 'anthropic/claude-3-5-sonnet'),
         'is_default', true,
         'enabled_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))),
       default_model_id = coalesce(model, 'anthropic/claude-3-5-sonnet'),
       updated_at = now()
 WHERE enabled_models = '[]';
ALTER TABLE org_ai_settings FORCE ROW LEVEL SECURITY;
