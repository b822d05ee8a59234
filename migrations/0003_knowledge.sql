-- What answers are grounded in: articles, and the shop's own records.

CREATE TABLE articles (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id     uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  slug       text NOT NULL, -- the id in citations: article:<slug>
  title      text NOT NULL,
  body       text NOT NULL,
  language   text NOT NULL DEFAULT 'en',
  source     text, -- file name or URL it was imported from
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, slug),
  UNIQUE (org_id, id)
);
SELECT protect_tenant_table('articles');

-- An article cut at its headings: the unit that is searched and sent.
CREATE TABLE article_sections (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id     uuid NOT NULL,
  article_id uuid NOT NULL,
  slug       text NOT NULL, -- article:<slug> of a snippet; <article slug>[.<n>]
  position   int NOT NULL,
  label      text NOT NULL,
  body       text NOT NULL,
  language   text NOT NULL,
  search     tsvector GENERATED ALWAYS AS (
               setweight(to_tsvector('simple', label), 'A') ||
               setweight(to_tsvector('simple', body), 'B') ||
               CASE WHEN language = 'en' THEN
                 setweight(to_tsvector('english', label), 'A') ||
                 setweight(to_tsvector('english', body), 'B')
               ELSE ''::tsvector END) STORED,
  UNIQUE (org_id, slug),
  UNIQUE (article_id, position),
  FOREIGN KEY (org_id, article_id) REFERENCES articles (org_id, id) ON DELETE CASCADE
);
SELECT protect_tenant_table('article_sections');

CREATE TABLE products (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id      uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  sku         text NOT NULL,
  name        text NOT NULL,
  description text NOT NULL DEFAULT '',
  price_minor bigint NOT NULL,
  currency    text NOT NULL,
  stock       int NOT NULL DEFAULT 0,
  updated_at  timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, sku)
);
SELECT protect_tenant_table('products');

CREATE TABLE orders (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id         uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  number         text NOT NULL,
  customer_email text NOT NULL,
  status         text NOT NULL,
  total_minor    bigint NOT NULL,
  currency       text NOT NULL,
  items          jsonb NOT NULL DEFAULT '[]',
  placed_at      timestamptz NOT NULL DEFAULT now(),
  shipped_at     timestamptz,
  UNIQUE (org_id, number)
);
SELECT protect_tenant_table('orders');
