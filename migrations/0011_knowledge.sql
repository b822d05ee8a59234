-- Knowledge that is imported (ENG-13): what an article was made from, and sections that
-- keep their identity when the article is imported again.

ALTER TABLE articles
  ADD COLUMN format text NOT NULL DEFAULT 'markdown'
    CHECK (format IN ('text', 'markdown', 'html', 'pdf', 'csv')),
  ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX articles_source ON articles (org_id, source) WHERE source IS NOT NULL;

-- updated_at: of the section's own words. Positions are dealt anew when a section comes
-- between others: they are unique at the end of a statement, not inside it.
ALTER TABLE article_sections
  ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
  DROP CONSTRAINT article_sections_article_id_position_key,
  ADD CONSTRAINT article_sections_position UNIQUE (article_id, position) DEFERRABLE;

-- Counts the changes of an organisation's knowledge: what is cached under a number that
-- has passed is not valid any more. Changes of one organisation wait for each other here.
ALTER TABLE organizations ADD COLUMN knowledge_version bigint NOT NULL DEFAULT 0;
