-- Search under row-level security. `@@` and `%>` are not leakproof: where a policy binds
-- the reader, they may not use an index, and every question would read all of an
-- organisation's knowledge. The functions below belong to frontdesk_platform, which sees
-- every row, and take the organisation from app_org() alone: no argument can name another.
-- plpgsql with custom plans, because `sql` would plan without knowing the arguments: a
-- small organisation is read by its key, a large one by the words.

-- The organisation comes first in the indexes, or a common word would fetch what everybody
-- has written. Knowledge is written rarely and searched with each question, so there is no
-- pending list (fastupdate) to read through.
CREATE EXTENSION IF NOT EXISTS btree_gin;
DROP INDEX IF EXISTS article_sections_search, article_sections_trigram;
CREATE INDEX article_sections_search ON article_sections
  USING gin (org_id, search) WITH (fastupdate = off);
-- Of titles only: for a mistyped word an index of whole bodies finds up to half of them, as
-- most trigrams are common, and each is then compared letter by letter.
CREATE INDEX article_sections_trigram ON article_sections
  USING gin (org_id, lower(label) gin_trgm_ops) WITH (fastupdate = off);
-- Ranking reads `search` of every match: rows keep it with them, uncompressed.
ALTER TABLE article_sections SET (toast_tuple_target = 8160);

ALTER TABLE products ADD COLUMN search tsvector GENERATED ALWAYS AS (
  setweight(to_tsvector('simple', sku || ' ' || name), 'A') ||
  setweight(to_tsvector('simple', description), 'B') ||
  setweight(to_tsvector('english', name), 'A') ||
  setweight(to_tsvector('english', description), 'B')) STORED;
CREATE INDEX products_search ON products USING gin (org_id, search) WITH (fastupdate = off);
CREATE INDEX products_trigram ON products
  USING gin (org_id, lower(name) gin_trgm_ops) WITH (fastupdate = off);

GRANT SELECT ON article_sections, products TO frontdesk_platform;
CREATE POLICY platform ON article_sections FOR SELECT TO frontdesk_platform USING (true);
CREATE POLICY platform ON products FOR SELECT TO frontdesk_platform USING (true);

-- The sections that match best.
CREATE FUNCTION search_sections(query tsquery, most int)
RETURNS TABLE (slug text, label text, body text, language text, search tsvector, rank real)
LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT s.slug, s.label, s.body, s.language, s.search, ts_rank(s.search, query, 1) AS rank
    FROM article_sections s
   WHERE s.org_id = app_org() AND s.search @@ query
   ORDER BY rank DESC, slug LIMIT most;
END $$;
SELECT give_to_platform('search_sections(tsquery, int)');

-- The products that match best, those that are named by their SKU first.
CREATE FUNCTION search_products(query tsquery, skus text[], most int)
RETURNS TABLE (sku text, name text, description text, price_minor bigint, currency text,
               stock int, search tsvector, rank real)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT p.sku, p.name, p.description, p.price_minor, p.currency, p.stock, p.search,
         CASE WHEN p.sku = ANY (skus) THEN 1 ELSE ts_rank(p.search, query, 1) END AS rank
    FROM products p
   WHERE p.org_id = app_org() AND (p.search @@ query OR p.sku = ANY (skus))
   ORDER BY rank DESC, sku LIMIT most;
END $$;
SELECT give_to_platform('search_products(tsquery, text[], int)');

-- The sections whose titles have a word like one of these, which may be mistyped.
CREATE FUNCTION search_alike(words text[], most int)
RETURNS TABLE (slug text, label text, body text, language text)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan
SET pg_trgm.word_similarity_threshold = 0.45 AS $$
BEGIN
  RETURN QUERY
  SELECT s.slug, s.label, s.body, s.language
    FROM unnest(words) AS word
    JOIN article_sections s ON s.org_id = app_org() AND lower(s.label) %> word
   GROUP BY s.id
   ORDER BY max(word_similarity(word, lower(s.label))) DESC, s.slug LIMIT most;
END $$;
SELECT give_to_platform('search_alike(text[], int)');

CREATE FUNCTION search_products_alike(words text[], most int)
RETURNS TABLE (sku text, name text, description text, price_minor bigint, currency text, stock int)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_custom_plan
SET pg_trgm.word_similarity_threshold = 0.45 AS $$
BEGIN
  RETURN QUERY
  SELECT p.sku, p.name, p.description, p.price_minor, p.currency, p.stock
    FROM unnest(words) AS word
    JOIN products p ON p.org_id = app_org() AND lower(p.name) %> word
   GROUP BY p.id
   ORDER BY max(word_similarity(word, lower(p.name))) DESC, p.sku LIMIT most;
END $$;
SELECT give_to_platform('search_products_alike(text[], int)');
