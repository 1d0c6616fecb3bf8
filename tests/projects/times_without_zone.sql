-- Times are kept without a time zone. This cannot be supported: PostgreSQL does not know which moment they mean.
-- @base app
-- @refused messages\.created_at is timestamp without time zone

alter table public.messages alter column created_at type timestamp, alter column updated_at type timestamp, alter column deleted_at type timestamp;
