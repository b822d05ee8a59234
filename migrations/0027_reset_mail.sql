-- Links to a new password by mail (ADM-1): what waits for the platform's webhook.

-- Whatever address was typed, known or not: whose it is, is looked up once the answer is given.
CREATE TABLE reset_requests (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email      text NOT NULL,
  language   text,          -- of the page
  address    text NOT NULL, -- of the client
  request_id text NOT NULL,
  asked_at   timestamptz NOT NULL DEFAULT now(),
  held_until timestamptz NOT NULL DEFAULT now() -- by the process that works on it
);
CREATE INDEX reset_requests_held ON reset_requests (held_until);
GRANT SELECT, INSERT, UPDATE, DELETE ON reset_requests TO frontdesk_app;

ALTER TABLE password_resets ADD COLUMN mailed boolean NOT NULL DEFAULT false;

-- Who is meant by an address, a few: as platform_sign_in(), and those who have no password yet.
CREATE FUNCTION platform_reset_users(address text)
RETURNS TABLE (org_id uuid, org_name text, user_id uuid, email text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.id, o.name, u.id, u.email, u.name
    FROM users u JOIN organizations o ON o.id = u.org_id
   WHERE lower(u.email) = lower(address) AND u.status = 'active' AND o.status = 'active'
   ORDER BY u.last_sign_in_at DESC NULLS LAST, u.id LIMIT 4
$$;
SELECT give_to_platform('platform_reset_users(text)');
