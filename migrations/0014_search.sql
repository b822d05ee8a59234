-- Search that stays quick in a large organisation (ENG-5): what each word costs is known
-- before it is looked for, so that the rare words of a question lead and no question reads
-- more than some hundreds of rows.

-- An organisation's vocabulary: how many sections, titles of sections and products have a
-- word (a lexeme of `search`). '' counts all of them. Also where a mistyped word finds the
-- ones that it may have been.
CREATE TABLE search_words (
  org_id   uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  word     text COLLATE "C" NOT NULL,
  sections int NOT NULL DEFAULT 0,
  titles   int NOT NULL DEFAULT 0,
  products int NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, word)
) WITH (fillfactor = 70);
SELECT protect_tenant_rows('search_words');
GRANT SELECT ON search_words TO frontdesk_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON search_words TO frontdesk_platform;
CREATE POLICY platform ON search_words TO frontdesk_platform USING (true) WITH CHECK (true);
-- Of words that may be a slip of the hand.
CREATE INDEX search_words_trigram ON search_words USING gin (org_id, word gin_trgm_ops)
  WITH (fastupdate = off) WHERE length(word) BETWEEN 3 AND 32;

-- Titles have few words: what is frequent in bodies is rare there.
CREATE INDEX article_sections_titles ON article_sections
  USING gin (org_id, ts_filter(search, '{a}')) WITH (fastupdate = off);
-- Mistyped words are put right by the vocabulary before anything is looked for.
DROP INDEX article_sections_trigram, products_trigram;
DROP FUNCTION search_alike(text[], int), search_products_alike(text[], int);

-- The words of one row, and '' for the row itself.
CREATE FUNCTION words_of_row(search tsvector) RETURNS TABLE (word text, title int)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT lexeme, ('A' = ANY (weights))::int FROM unnest(search) UNION ALL SELECT '', 0
$$;

-- Kept by statement, not by row: an import of a thousand sections adds to "delivery" once.
-- What nothing has any more is forgotten. A session that reads around the policies (a dump) writes
-- through them here.
CREATE FUNCTION count_section_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET row_security = on AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE search_words w SET sections = w.sections - c.sections, titles = w.titles - c.titles
      FROM (SELECT org_id, word, count(*) AS sections, sum(title) AS titles
              FROM old_rows, words_of_row(search) GROUP BY org_id, word) AS c
     WHERE w.org_id = c.org_id AND w.word = c.word;
    DELETE FROM search_words w USING old_rows AS o, words_of_row(o.search) AS r
     WHERE w.org_id = o.org_id AND w.word = r.word AND w.sections <= 0 AND w.products <= 0;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO search_words AS w (org_id, word, sections, titles)
    SELECT org_id, word, count(*), sum(title) FROM new_rows, words_of_row(search)
     GROUP BY org_id, word ORDER BY org_id, word
    ON CONFLICT (org_id, word) DO UPDATE
       SET sections = w.sections + excluded.sections, titles = w.titles + excluded.titles;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION count_product_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET row_security = on AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE search_words w SET products = w.products - c.products
      FROM (SELECT org_id, word, count(*) AS products
              FROM old_rows, words_of_row(search) GROUP BY org_id, word) AS c
     WHERE w.org_id = c.org_id AND w.word = c.word;
    DELETE FROM search_words w USING old_rows AS o, words_of_row(o.search) AS r
     WHERE w.org_id = o.org_id AND w.word = r.word AND w.sections <= 0 AND w.products <= 0;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO search_words AS w (org_id, word, products)
    SELECT org_id, word, count(*) FROM new_rows, words_of_row(search)
     GROUP BY org_id, word ORDER BY org_id, word
    ON CONFLICT (org_id, word) DO UPDATE SET products = w.products + excluded.products;
  END IF;
  RETURN NULL;
END $$;
SELECT give_to_platform('count_section_words()'), give_to_platform('count_product_words()');

-- What is there already; by a role that may read every organisation's rows.
CREATE FUNCTION count_all_words() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO search_words (org_id, word, sections, titles, products)
  SELECT org_id, word, sum(section), sum(title * section), sum(1 - section)
    FROM (SELECT org_id, search, 1 AS section FROM article_sections
          UNION ALL SELECT org_id, search, 0 FROM products) AS rows, words_of_row(search)
   GROUP BY org_id, word
$$;
SELECT give_to_platform('count_all_words()');
SELECT count_all_words();
DROP FUNCTION count_all_words();

CREATE TRIGGER words_added AFTER INSERT ON article_sections REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_section_words();
CREATE TRIGGER words_changed AFTER UPDATE ON article_sections
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_section_words();
CREATE TRIGGER words_removed AFTER DELETE ON article_sections REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_section_words();
CREATE TRIGGER words_added AFTER INSERT ON products REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_product_words();
CREATE TRIGGER words_changed AFTER UPDATE ON products
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_product_words();
CREATE TRIGGER words_removed AFTER DELETE ON products REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_product_words();

-- The words of the vocabulary that the terms of a question stand for: terms[n] itself and its
-- stem, and forms[n], words with * where more letters may follow. At most 12 a term, those that it
-- is exactly before those that it begins, the frequent first. Where nothing has a term: words
-- like it (alike), for the caller to tell slips from other words. n = 0 is '', which counts all.
SELECT similarity('', ''); -- loads the library, or its setting could not be named
CREATE FUNCTION search_words(terms text[], forms text[])
RETURNS TABLE (n int, word text, sections int, titles int, products int, alike boolean)
LANGUAGE plpgsql STABLE ROWS 60 SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan
SET pg_trgm.similarity_threshold = 0.3 AS $$
#variable_conflict use_column
DECLARE
  org uuid := app_org();
  most int;
  slips int := 0; -- some milliseconds each
BEGIN
  RETURN QUERY SELECT 0, w.word, w.sections, w.titles, w.products, false
    FROM search_words w WHERE w.org_id = org AND w.word = '';
  FOR i IN 1 .. coalesce(cardinality(terms), 0) LOOP
    RETURN QUERY
    SELECT i, f.word, f.sections, f.titles, f.products, false FROM (
      SELECT w.*, 1 AS how FROM search_words w
       WHERE w.org_id = org
         AND w.word = ANY (terms[i] || ts_lexize('english_stem', terms[i])
                           || string_to_array(replace(forms[i], '*', ''), ' '))
      UNION
      SELECT w.*, 2 FROM unnest(string_to_array(forms[i], ' ')) AS form JOIN search_words w
          ON w.org_id = org AND right(form, 1) = '*'
         AND w.word > left(form, -1) AND w.word < left(form, -1) || U&'\+10FFFF') AS f
     GROUP BY f.word, f.sections, f.titles, f.products
     ORDER BY min(f.how), f.sections + f.products DESC, f.word LIMIT 12;
    GET DIAGNOSTICS most = ROW_COUNT;
    CONTINUE WHEN most > 0 OR length(terms[i]) < 4 OR slips = 3;
    slips := slips + 1;
    -- Two slips leave a long word more alike than one leaves a short one.
    PERFORM set_config('pg_trgm.similarity_threshold',
                       CASE WHEN length(terms[i]) < 8 THEN '0.25' ELSE '0.4' END, true);
    RETURN QUERY
    SELECT i, w.word, w.sections, w.titles, w.products, true FROM search_words w
     WHERE w.org_id = org AND w.word % terms[i]
       AND length(w.word) BETWEEN 3 AND 32
     ORDER BY similarity(w.word, terms[i]) DESC, w.sections + w.products DESC, w.word LIMIT 12;
  END LOOP;
END $$;
SELECT give_to_platform('search_words(text[], text[])');

-- Which of some queries a text meets: bit n - 1 for the n-th.
CREATE FUNCTION queries_met(search tsvector, queries tsquery[]) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(sum(1::bigint << (n - 1)::int), 0)::bigint
    FROM unnest(queries) WITH ORDINALITY AS q (query, n) WHERE search @@ query
$$;

-- The sections that match best, of those that have one of `titles` in their title, one of
-- `rare`, or all of `common`; ranked by `query`. Whoever asks chooses them by the vocabulary so
-- that few are found; what goes beyond the limits is not looked at. Bitmaps only: a LIMIT lets the
-- planner hope to meet enough rows in any order, and where it errs it reads them all.
DROP FUNCTION search_sections(tsquery, int);
CREATE FUNCTION search_sections(titles tsquery, rare tsquery, common tsquery, query tsquery,
                                terms tsquery[], near tsquery[], most int)
RETURNS TABLE (slug text, label text, body text, language text, rank real, terms_met bigint,
               title_terms_met bigint, near_met bigint, article_id uuid, "position" int,
               updated_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off SET enable_indexscan = off AS $$
#variable_conflict use_column
DECLARE
  org uuid := app_org();
BEGIN
  RETURN QUERY
  WITH hits AS (
    (SELECT s.ctid AS row FROM article_sections s
      WHERE s.org_id = org AND ts_filter(s.search, '{a}') @@ titles LIMIT 300)
    UNION
    (SELECT s.ctid FROM article_sections s WHERE s.org_id = org AND s.search @@ rare LIMIT 400)
    UNION
    (SELECT s.ctid FROM article_sections s WHERE s.org_id = org AND s.search @@ common LIMIT 200)),
  best AS (
    SELECT hits.row, ts_rank(s.search, query, 1) AS rank
      FROM hits JOIN article_sections s ON s.ctid = hits.row
     ORDER BY rank DESC, s.slug LIMIT most)
  SELECT s.slug, s.label, s.body, s.language, best.rank, queries_met(s.search, terms),
         queries_met(ts_filter(s.search, '{a}'), terms), queries_met(s.search, near),
         s.article_id, s.position, s.updated_at
    FROM best JOIN article_sections s ON s.ctid = best.row;
END $$;
SELECT give_to_platform('search_sections(tsquery, tsquery, tsquery, tsquery, tsquery[], tsquery[], int)');

-- The products that match best, those that are named by their SKU first; chosen as sections are.
DROP FUNCTION search_products(tsquery, text[], int);
CREATE FUNCTION search_products(rare tsquery, common tsquery, query tsquery, skus text[],
                                terms tsquery[], near tsquery[], most int)
RETURNS TABLE (sku text, name text, description text, price_minor bigint, currency text, stock int,
               rank real, terms_met bigint, title_terms_met bigint, near_met bigint,
               updated_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off SET enable_indexscan = off AS $$
#variable_conflict use_column
DECLARE
  org uuid := app_org();
BEGIN
  RETURN QUERY
  WITH hits AS (
    (SELECT p.ctid AS row FROM products p WHERE p.org_id = org AND p.search @@ rare LIMIT 400)
    UNION
    (SELECT p.ctid FROM products p WHERE p.org_id = org AND p.search @@ common LIMIT 200)
    UNION
    (SELECT p.ctid FROM products p WHERE p.org_id = org AND p.sku = ANY (skus))),
  best AS (
    SELECT hits.row,
           CASE WHEN p.sku = ANY (skus) THEN 1 ELSE ts_rank(p.search, query, 1) END AS rank
      FROM hits JOIN products p ON p.ctid = hits.row
     ORDER BY rank DESC, p.sku LIMIT most)
  SELECT p.sku, p.name, p.description, p.price_minor, p.currency, p.stock, best.rank,
         queries_met(p.search, terms), queries_met(ts_filter(p.search, '{a}'), terms),
         queries_met(p.search, near), p.updated_at
    FROM best JOIN products p ON p.ctid = best.row;
END $$;
SELECT give_to_platform('search_products(tsquery, tsquery, tsquery, text[], tsquery[], tsquery[], int)');
