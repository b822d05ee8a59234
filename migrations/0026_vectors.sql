-- Where the extension `vector` (pgvector) is installed, sections are searched by what they mean
-- in PostgreSQL, exactly, row by row; elsewhere a worker does it in its memory (ENG-5).

-- The numbers of a stored vector: float4, little-endian. It is fetched once, not for each byte.
CREATE FUNCTION embedding_values(stored bytea) RETURNS real[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  WITH fetched AS MATERIALIZED (SELECT stored || ''::bytea AS bytes)
  SELECT ARRAY(
    SELECT ((CASE WHEN bits < 0 THEN -1 ELSE 1 END) * power(2::float8, greatest(exponent, 1) - 150)
            * ((bits & 8388607) + CASE WHEN exponent > 0 THEN 8388608 ELSE 0 END))::real
      FROM fetched, generate_series(0, length(bytes) - 4, 4) AS at,
           LATERAL (SELECT (get_byte(bytes, at + 3) << 24) | (get_byte(bytes, at + 2) << 16)
                         | (get_byte(bytes, at + 1) << 8) | get_byte(bytes, at) AS bits) AS four,
           LATERAL (SELECT (bits >> 23) & 255 AS exponent) AS parts)
$$;

-- Adds the column that is searched and the search itself, once the extension is there, and
-- says whether they are. It may be called at any time, by the owner of the tables or a
-- superuser: it keeps writers of embeddings away while it converts what is stored. DROP EXTENSION
-- vector CASCADE takes the column away again.
CREATE FUNCTION adopt_pgvector() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $adopt$
DECLARE
  home name;
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions
              WHERE name = 'vector' AND installed_version IS NULL) THEN
    BEGIN
      CREATE EXTENSION vector SCHEMA public;
    EXCEPTION WHEN OTHERS THEN
      RAISE NOTICE 'pgvector is available and not installed: %', SQLERRM
        USING HINT = 'As a superuser: CREATE EXTENSION vector; SELECT adopt_pgvector();';
    END;
  END IF;
  SELECT n.nspname INTO home
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector';
  IF home IS NULL THEN
    RETURN false;
  END IF;
  IF has_embedding_column() THEN
    RETURN true;
  END IF;
  EXECUTE format('ALTER TABLE public.section_embeddings ADD COLUMN meaning %I.vector'
                 '  GENERATED ALWAYS AS (embedding_values(vector)::%1$I.vector) STORED,'
                 '  ALTER COLUMN meaning SET STORAGE MAIN', home); -- beside its row: all are read
  EXECUTE format($make$
    CREATE OR REPLACE FUNCTION public.nearest_sections(question text, embedded_by text, most int)
    RETURNS TABLE (section_id uuid, score float8)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, %1$I, pg_temp AS $$
      WITH asked AS MATERIALIZED (SELECT question::vector AS numbers) -- read once, not for each row
      SELECT e.section_id, -(e.meaning <#> asked.numbers)
        FROM section_embeddings e CROSS JOIN asked
       WHERE e.org_id = app_org() AND e.model = embedded_by
         AND vector_dims(e.meaning) = vector_dims(asked.numbers)
       ORDER BY 2 DESC, 1 LIMIT most
    $$
  $make$, home);
  RETURN true;
END $adopt$;

CREATE FUNCTION has_embedding_column() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'section_embeddings'::regclass
                    AND attname = 'meaning' AND NOT attisdropped)
$$;
REVOKE ALL ON FUNCTION adopt_pgvector() FROM public;
SELECT adopt_pgvector();
