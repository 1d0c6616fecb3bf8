-- The fourth transaction: where there is Realtime, lets devices hear live hints. It locks realtime.messages for a moment, which is why it
-- is none of the others. If it cannot be, devices sync as they do without hints, and an operator calls `fieldpost.enable_live()` later.

begin;

set local client_min_messages = warning;
set local search_path = pg_catalog, pg_temp;

do $$
declare
  v_said text;
begin
  if (select l.off from fieldpost.live l) or to_regnamespace('realtime') is null then
    return;  -- switched off by the operator, or not there (yet)
  end if;
  v_said := fieldpost.enable_live();
  if v_said <> 'live hints are on' then
    raise warning 'Fieldpost: %', v_said;
  end if;
exception
  when undefined_table or undefined_function then
    raise notice 'Fieldpost sends no live hints: %', sqlerrm;
  when others then
    raise warning 'Fieldpost sends no live hints yet: %. Later: select fieldpost.enable_live();', sqlerrm;
end
$$;

commit;
