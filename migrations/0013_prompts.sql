-- An organisation's clock, for prompts that say what day it is there (ENG-12).

-- Seconds east of UTC, now; NULL where PostgreSQL does not know the time zone. Asking
-- pg_timezone_names would read every zone there is.
CREATE FUNCTION utc_offset_s(zone text) RETURNS int
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN extract(epoch FROM (now() AT TIME ZONE zone) - (now() AT TIME ZONE 'UTC'))::int;
EXCEPTION WHEN OTHERS THEN -- whatever was stored, its organisation must load
  RETURN NULL;
END
$$;
