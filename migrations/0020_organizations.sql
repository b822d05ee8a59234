-- Organisations as the platform's owner sees them (ADM-2), and whether a widget was seen on
-- its site (ADM-7).

-- The word that users have, too.
ALTER TABLE organizations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE organizations DROP CONSTRAINT organizations_status_check;
UPDATE organizations SET status = 'disabled' WHERE status = 'suspended';
ALTER TABLE organizations ADD CONSTRAINT organizations_status_check
  CHECK (status IN ('active', 'disabled'));
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;

-- Which sites used which publishable key, and which tried to. nginx leaves word in the live
-- Redis server; a worker, or whoever looks, brings it here.
CREATE TABLE sightings (
  org_id       uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
  key_id       uuid NOT NULL,
  origin       text NOT NULL CHECK (length(origin) <= 300),
  version      text CHECK (length(version) <= 32), -- of the widget
  first_seen   timestamptz,
  last_seen    timestamptz, -- NULL: it was always refused
  last_refused timestamptz,
  PRIMARY KEY (org_id, key_id, origin),
  FOREIGN KEY (org_id, key_id) REFERENCES api_keys (org_id, id) ON DELETE CASCADE
);
SELECT protect_tenant_rows('sightings');
GRANT SELECT ON sightings TO frontdesk_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sightings TO frontdesk_platform;
CREATE POLICY platform ON sightings TO frontdesk_platform USING (true) WITH CHECK (true);

-- Rows {org, key, origin, version, at (unix ms), allowed} of any organisation. Anybody can make
-- up an origin: of those that were refused, as of those that were not, an organisation keeps
-- the latest fifty.
CREATE FUNCTION platform_note_sightings(batch jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO sightings AS s (org_id, key_id, origin, version, first_seen, last_seen, last_refused)
  SELECT b.org, b.key, b.origin,
         (array_agg(b.version ORDER BY b.at DESC) FILTER (WHERE b.version IS NOT NULL))[1],
         to_timestamp(min(b.at) FILTER (WHERE b.allowed) / 1000.0),
         to_timestamp(max(b.at) FILTER (WHERE b.allowed) / 1000.0),
         to_timestamp(max(b.at) FILTER (WHERE NOT b.allowed) / 1000.0)
    FROM jsonb_to_recordset(batch)
           AS b (org uuid, key uuid, origin text, version text, at bigint, allowed boolean)
    JOIN api_keys k ON k.org_id = b.org AND k.id = b.key
   GROUP BY b.org, b.key, b.origin ORDER BY b.org, b.key, b.origin
  ON CONFLICT (org_id, key_id, origin) DO UPDATE
     SET version = coalesce(EXCLUDED.version, s.version),
         first_seen = least(s.first_seen, EXCLUDED.first_seen),
         last_seen = greatest(s.last_seen, EXCLUDED.last_seen),
         last_refused = greatest(s.last_refused, EXCLUDED.last_refused);
  DELETE FROM sightings s USING (
    SELECT org_id, key_id, origin,
           row_number() OVER (PARTITION BY org_id, last_seen IS NULL
                              ORDER BY greatest(last_seen, last_refused) DESC, key_id, origin) AS place
      FROM sightings
     WHERE org_id IN (SELECT b.org FROM jsonb_to_recordset(batch) AS b (org uuid))) old
   WHERE old.place > 50 AND (s.org_id, s.key_id, s.origin) = (old.org_id, old.key_id, old.origin);
END $$;
SELECT give_to_platform('platform_note_sightings(jsonb)');

-- Who it was that acted in an organisation without belonging to it.
CREATE FUNCTION platform_person(person uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT email FROM users WHERE id = person
$$;
SELECT give_to_platform('platform_person(uuid)');
