-- An ordinary app, with nothing special about it.
-- @base app

-- @always ada: 1
select count(*) from public.profiles
