-- Whether a model takes tools, as its provider's list says; NULL: not known, so it is tried.
ALTER TABLE model_catalog ADD COLUMN supports_tools boolean;

-- [[model_id, region, context_length, input, output, supports_tools]], as in 0007.
CREATE OR REPLACE FUNCTION model_facts(wanted text[]) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_array(c.model_id, c.region, c.context_length,
                                              p.input_per_mtok, p.output_per_mtok,
                                              c.supports_tools::int)), '[]')
    FROM model_catalog c LEFT JOIN LATERAL model_price(c.model_id) p ON true
   WHERE c.model_id = ANY (wanted || ARRAY(SELECT split_part(w, '/', 2) FROM unnest(wanted) w))
$$;
