-- Calls of tools, each at most once: what runs, what waits for a visitor's or an
-- operator's word, how it ended (ENG-10). call_id is made of the tool and its arguments,
-- so that another worker's model meets the same row whatever ids it invents.

ALTER TABLE tool_executions
  ADD COLUMN session_id  text,
  ADD COLUMN risk        text NOT NULL DEFAULT 'read' CHECK (risk IN ('read', 'write', 'high')),
  ADD COLUMN status      text NOT NULL DEFAULT 'done'
             CHECK (status IN ('confirming', -- the visitor is asked
                               'approving',  -- an operator is asked
                               'approved',   -- and said yes: a worker will run it
                               'started',
                               'pending',    -- taken; its outcome comes to the callback
                               'unknown',    -- it may have happened: never run again
                               'done', 'failed', 'declined', 'expired')),
  ADD COLUMN step        int NOT NULL DEFAULT 0, -- the round of calls in its answer
  ADD COLUMN epoch       int,
  ADD COLUMN failure     text, -- tool_failure_name()
  ADD COLUMN http_status int,
  ADD COLUMN detail      text, -- for operators
  ADD COLUMN summary     text, -- what the visitor or the operator was asked
  ADD COLUMN language    text,
  ADD COLUMN expires_at  timestamptz,
  ADD COLUMN approved_by text,
  ADD COLUMN decided_at  timestamptz,
  ADD COLUMN finished_at timestamptz,
  ADD COLUMN due         boolean NOT NULL DEFAULT false; -- decided: a worker has to act on it

CREATE INDEX tool_executions_due ON tool_executions (created_at) WHERE due;
CREATE INDEX tool_executions_open ON tool_executions (expires_at)
  WHERE status IN ('confirming', 'approving', 'started');
CREATE INDEX tool_executions_conversation ON tool_executions (org_id, conversation_id, created_at);

-- What a worker has to act on, of every organisation: decisions, what nobody decided in
-- time, and runs whose worker never came back.
GRANT SELECT ON tool_executions TO frontdesk_platform;
CREATE POLICY platform ON tool_executions FOR SELECT TO frontdesk_platform USING (true);
CREATE FUNCTION platform_due_tools(most int)
RETURNS TABLE (id uuid, org_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  (SELECT t.id, t.org_id FROM tool_executions t WHERE t.due
    ORDER BY t.status = 'declined' DESC, t.created_at LIMIT most)
  UNION ALL
  (SELECT t.id, t.org_id FROM tool_executions t
    WHERE t.status IN ('confirming', 'approving', 'started') AND t.expires_at < now() AND NOT t.due
    ORDER BY t.expires_at LIMIT most)
$$;
SELECT give_to_platform('platform_due_tools(int)');
