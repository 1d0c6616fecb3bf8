-- Metadata is json, not jsonb, as apps made it that never looked into it.
-- @base app
-- @v1 stops

alter table public.messages alter column metadata type json using metadata::json;
update public.messages set metadata = '{"b":1,  "a": 2, "a": 3}' where conversation_id = :c_ben and content = 'old 2';

-- @always owner: {"b":1,  "a": 2, "a": 3}
select metadata from public.messages where conversation_id = :c_ben and content = 'old 2'

-- @always owner: json
select data_type from information_schema.columns where table_schema = 'public' and table_name = 'messages' and column_name = 'metadata'
