-- Tools: risks, an organisation's own tools beside the catalogue's, what a webhook needs,
-- and the four tools that conf/n8n-workflows answers (ENG-10).

ALTER TABLE tools
  ADD COLUMN risk text NOT NULL DEFAULT 'write' CHECK (risk IN ('read', 'write', 'high')),
  ADD CONSTRAINT tools_name CHECK (tool_name ~ '^[a-zA-Z0-9_-]{1,64}$');

-- A tool that is not in the catalogue is the organisation's own, with a description and a
-- schema of its own. NULL: the catalogue's.
ALTER TABLE client_tools
  DROP CONSTRAINT client_tools_tool_name_fkey,
  ADD COLUMN description       text CHECK (length(description) BETWEEN 1 AND 4000),
  ADD COLUMN parameters_schema jsonb CHECK (jsonb_typeof(parameters_schema) = 'object'),
  ADD COLUMN risk              text CHECK (risk IN ('read', 'write', 'high')),
  -- argument -> source: {"customer_id": "visitor.user_id"} (tool/bind.h)
  ADD COLUMN bindings          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(bindings) = 'object'),
  ADD COLUMN timeout_ms        int NOT NULL DEFAULT 30000 CHECK (timeout_ms BETWEEN 100 AND 30000),
  -- an empty 2xx is enough: the tool has nothing to tell
  ADD COLUMN acknowledgement   boolean NOT NULL DEFAULT false,
  ADD COLUMN signing_secret    bytea,
  ADD COLUMN token_header      text NOT NULL DEFAULT 'X-Frontdesk-Token'
             CHECK (token_header ~ '^[A-Za-z0-9-]{1,64}$'),
  ADD COLUMN token             bytea,
  ADD COLUMN created_at        timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN updated_at        timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT client_tools_name CHECK (tool_name ~ '^[a-zA-Z0-9_-]{1,64}$'),
  ADD CONSTRAINT client_tools_config CHECK (jsonb_typeof(custom_config) = 'object');
COMMENT ON COLUMN client_tools.signing_secret IS
  'sealed (core/vault.h) for org|client_tools|id|signing_secret; token likewise';

CREATE INDEX tool_executions_latest ON tool_executions (org_id, created_at DESC, id DESC);

INSERT INTO tools (tool_name, category, risk, description, parameters_schema) VALUES
  ('get_order_status', 'orders', 'read',
   'Looks up one order of the visitor: its status, its items and where the parcel is. Needs the '
   'order number and the e-mail address that the order was placed with; ask for what is missing.',
   '{"type": "object", "additionalProperties": false,
     "required": ["order_number", "email"],
     "properties": {
       "order_number": {"type": "string", "minLength": 1, "maxLength": 40,
         "description": "The order''s number as the visitor wrote it, such as 1001 or #1001"},
       "email": {"type": "string", "format": "email", "maxLength": 254,
         "description": "The address that the order was placed with"}}}'),
  ('book_appointment', 'calendar', 'write',
   'Books an appointment. Call it only with a day, a time and a name that the visitor has given; '
   'never choose them yourself.',
   '{"type": "object", "additionalProperties": false,
     "required": ["date", "time", "name"],
     "properties": {
       "date": {"type": "string", "format": "date", "description": "The day, such as 2026-03-14"},
       "time": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
         "description": "Local time of the shop on a 24-hour clock, such as 09:30"},
       "name": {"type": "string", "minLength": 1, "maxLength": 100,
         "description": "Who the appointment is for"},
       "service": {"type": "string", "minLength": 1, "maxLength": 100,
         "description": "What it is for"},
       "duration_minutes": {"type": "integer", "minimum": 5, "maximum": 480},
       "email": {"type": "string", "format": "email", "maxLength": 254,
         "description": "Where the confirmation goes"},
       "phone": {"type": "string", "pattern": "^[+]?[0-9 ()-]{5,24}$"},
       "notes": {"type": "string", "maxLength": 500}}}'),
  ('check_inventory', 'products', 'read',
   'Says how many of a product are in stock, and when it comes back. Give its SKU if it is known, '
   'else its name.',
   '{"type": "object", "additionalProperties": false,
     "properties": {
       "sku": {"type": "string", "minLength": 1, "maxLength": 64,
         "description": "The product''s SKU, such as MUG-BLUE"},
       "product_name": {"type": "string", "minLength": 1, "maxLength": 200},
       "variant": {"type": "string", "minLength": 1, "maxLength": 100,
         "description": "Size or colour"},
       "quantity": {"type": "integer", "minimum": 1, "maximum": 10000,
         "description": "How many the visitor wants"}},
     "anyOf": [{"required": ["sku"]}, {"required": ["product_name"]}]}'),
  ('get_product_info', 'products', 'read',
   'Describes a product: price, description, sizes, colours, shipping. Give its SKU if it is '
   'known, else words to search for.',
   '{"type": "object", "additionalProperties": false,
     "properties": {
       "sku": {"type": "string", "minLength": 1, "maxLength": 64},
       "query": {"type": "string", "minLength": 2, "maxLength": 200,
         "description": "Words of the product''s name"},
       "language": {"type": "string", "enum": ["en", "he"]}},
     "anyOf": [{"required": ["sku"]}, {"required": ["query"]}]}');
