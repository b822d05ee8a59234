-- Routing rules, models and what is known of them (ENG-2, ENG-3, ENG-4).

ALTER TABLE org_ai_settings
  ADD COLUMN route_version int NOT NULL DEFAULT 1 CHECK (route_version BETWEEN 1 AND 2),
  ADD COLUMN route_sticky  boolean NOT NULL DEFAULT false,
  -- {version, reasoning_min_tokens, reasoning_min_chunks}: rules on trial, decided but not used
  ADD COLUMN route_shadow  jsonb CHECK (jsonb_typeof(route_shadow) = 'object'),
  -- {name, percent, a: {fast_model?, reasoning_model?}, b: {...}}; percent of conversations to b
  ADD COLUMN ab_split      jsonb CHECK (jsonb_typeof(ab_split) = 'object'),
  -- the org's own, in place of the built-in ones: {preset: [model_id]}, {task: model_id}
  ADD COLUMN model_presets     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(model_presets) = 'object'),
  ADD COLUMN model_suggestions jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(model_suggestions) = 'object');

-- What visitors say of an answer and of a conversation.
ALTER TABLE messages ADD COLUMN feedback smallint CHECK (feedback IN (-1, 1));
ALTER TABLE conversations ADD COLUMN rating smallint CHECK (rating BETWEEN 1 AND 5);

-- From this day on the list says no price: NULL, which is not 0.
ALTER TABLE model_prices ALTER COLUMN input_per_mtok DROP NOT NULL,
                         ALTER COLUMN output_per_mtok DROP NOT NULL;

-- The price of today; no row or NULL where it is not known.
CREATE FUNCTION model_price(wanted text) RETURNS model_prices
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT p FROM model_prices p
   WHERE p.model_id = wanted AND p.effective_from <= (now() AT TIME ZONE 'UTC')::date
   ORDER BY p.effective_from DESC LIMIT 1
$$;

-- "$9.00/1M tokens · 200k context", of what is known; NULL where nothing is.
CREATE FUNCTION model_price_hint(input bigint, output bigint, context_length int) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT nullif(concat_ws(' · ', '$' || to_char((input + output) / 2e6, 'FM999990.00') || '/1M tokens',
                          context_length / 1000 || 'k context'), '')
$$;

-- With an allow-list, where a model runs must be known and be on it.
CREATE FUNCTION model_in_regions(region text, allowed text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT cardinality(allowed) = 0
         OR coalesce(lower(region) = ANY (SELECT lower(a) FROM unnest(allowed) a), false)
$$;

-- [[model_id, region, context_length, input, output]] of those that the catalogue has, be it
-- under the name that the vendor's own API takes ("vendor/model" is another's).
CREATE FUNCTION model_facts(wanted text[]) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_array(c.model_id, c.region, c.context_length,
                                              p.input_per_mtok, p.output_per_mtok)), '[]')
    FROM model_catalog c LEFT JOIN LATERAL model_price(c.model_id) p ON true
   WHERE c.model_id = ANY (wanted || ARRAY(SELECT split_part(w, '/', 2) FROM unnest(wanted) w))
$$;

-- An org's enabled models as its visitors may see them, now without those of other regions.
CREATE FUNCTION widget_models(enabled_models jsonb, regions text[]) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'model_id', m.entry->>'model_id',
           'label', coalesce(m.entry->>'custom_label', c.name, m.entry->>'model_id'),
           'price_hint', model_price_hint(p.input_per_mtok, p.output_per_mtok, c.context_length),
           'context_length', c.context_length) ORDER BY m.position), '[]')
    FROM jsonb_array_elements(enabled_models) WITH ORDINALITY m (entry, position)
    LEFT JOIN model_catalog c ON c.model_id = m.entry->>'model_id'
    LEFT JOIN LATERAL model_price(c.model_id) p ON true
   WHERE jsonb_typeof(m.entry->'model_id') = 'string' AND model_in_regions(c.region, regions)
$$;

-- The picker begins with "Auto"; a model is preselected only where the org routes so.
CREATE OR REPLACE FUNCTION platform_widget_settings()
RETURNS TABLE (org_id uuid, name text, branding jsonb, widget jsonb, languages text[],
               models jsonb, default_model_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id, o.name, o.branding, coalesce(s.widget, '{}'), coalesce(s.languages, '{en}'),
         widget_models(coalesce(s.enabled_models, '[]'), coalesce(s.region_allow_list, '{}')),
         CASE WHEN s.routing = 'default' THEN s.default_model_id END
    FROM organizations o LEFT JOIN org_ai_settings s ON s.org_id = o.id
   WHERE o.status = 'active'
$$;
DROP FUNCTION widget_models(jsonb);
