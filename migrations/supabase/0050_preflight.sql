-- What this project has, and what Fieldpost can do with it: said in sentences, before anything is changed.
--
-- `select * from fieldpost.preflight()` answers at any time. `fieldpost sql preflight` prints the same function as a script that
-- installs nothing. The transaction stops here, with all sentences that say why, where something `blocks`.
--
--   blocks   cannot be: the sentence says what is in the way
--   adopt    will be, once the operator agrees: it changes what existed
--   adapts   Fieldpost does something about it
--   warns    works, and is worth a look
--   fits     worth knowing
--
-- What must stay true: it reads the catalog and counts rows, and nothing else. It runs where nothing of Fieldpost is installed,
-- so it calls nothing of schema fieldpost.

create or replace function fieldpost.preflight()
returns table (level text, about text, finding text, advice text)
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  c_messaging constant text[] := array['conversations', 'messages', 'message_recipients', 'conversation_read_status'];
  v_before constant boolean := to_regclass('fieldpost.people') is null;
  v_adopted constant text := coalesce(current_setting('fieldpost.adopt', true), '');
  v_table text;
  v_row record;
  v_count bigint;
  v_missing jsonb := '{}';
begin
  if not has_schema_privilege('public', 'create') then
    return query select 'blocks', 'public', format('The role %s may not create anything in schema public.', current_user),
      'Apply the SQL as the role that owns your tables: on a hosted project that is postgres.';
  end if;
  for v_row in select r.role from unnest(array['anon', 'authenticated', 'service_role']) r (role)
               where not exists (select from pg_roles p where p.rolname = r.role) loop
    return query select 'blocks', v_row.role, format('There is no role %s.', v_row.role), 'This is not the database of a Supabase project.';
  end loop;
  if to_regclass('auth.users') is null or to_regprocedure('auth.uid()') is null then
    return query select 'blocks', 'auth', 'There is no auth.users or no auth.uid().', 'Start the project''s Auth once: it makes them.';
  end if;

  if not v_before and has_schema_privilege(to_regnamespace('realtime'), 'usage') then
    if to_regclass('realtime.messages') is not null and (
      select count(*) < 2 from pg_policy p where p.polrelid = to_regclass('realtime.messages') and p.polname in ('fieldpost_hear', 'fieldpost_type')) then
      return query select 'fits', 'realtime', 'Realtime is here, and live hints are off: devices pull by their timer.', 'select fieldpost.enable_live(); switches them on.';
    end if;
  end if;

  foreach v_table in array c_messaging || array['organizations', 'medics', 'profiles'] loop
    continue when to_regclass('public.' || v_table) is null;
    select c.relkind, c.relrowsecurity, c.relowner, c.reltuples into v_row from pg_class c where c.oid = to_regclass('public.' || v_table);
    if v_table = any (c_messaging) and v_row.relkind <> 'r' then
      return query select 'blocks', v_table, format('public.%s is no plain table.', v_table),
        'Views, foreign and partitioned tables cannot carry what Fieldpost adds.';
    elsif v_table = any (c_messaging) and not pg_has_role(v_row.relowner, 'usage') then
      return query select 'blocks', v_table, format('public.%s belongs to %s, and this is %s.', v_table, v_row.relowner::regrole, current_user),
        format('Apply the SQL as %s.', v_row.relowner::regrole);
    elsif v_table in ('medics', 'profiles') and v_row.relkind = 'r' and not pg_has_role(v_row.relowner, 'usage') then
      return query select 'warns', v_table, format('public.%s belongs to %s: changes of members are not noticed by themselves.', v_table, v_row.relowner::regrole),
        'Call fieldpost.access_changed(user) from a trigger of that role.';
    elsif v_table = any (c_messaging) and not v_row.relrowsecurity then
      return query select case when v_adopted in ('all', v_table) then 'adapts' else 'adopt' end, v_table,
        format('Row level security is off on public.%s: whoever has the public key reads and writes all of it. Fieldpost would switch it on, '
               'and then only participants get in.', v_table),
        'Agree with `fieldpost sql export --adopt`, or switch it on yourself, with policies for your own clients.';
    end if;
  end loop;

  -- A table that Fieldpost makes for itself.
  if to_regclass('public.message_reactions') is not null
     and coalesce(obj_description(to_regclass('public.message_reactions'), 'pg_class'), '') not like 'Fieldpost:%' then
    return query select 'blocks', 'message_reactions', 'There is a table public.message_reactions of your own.',
      'Fieldpost keeps the reactions to messages in a table of that name: rename yours.';
  end if;

  if to_regclass('public.message_reports') is not null
     and coalesce(obj_description(to_regclass('public.message_reports'), 'pg_class'), '') not like 'Fieldpost:%' then
    return query select 'blocks', 'message_reports', 'There is a table public.message_reports of your own.',
      'Fieldpost keeps the reports of messages to admins in a table of that name: rename yours.';
  end if;

  if to_regclass('public.conversation_settings') is not null
     and coalesce(obj_description(to_regclass('public.conversation_settings'), 'pg_class'), '') not like 'Fieldpost:%' then
    return query select 'blocks', 'conversation_settings', 'There is a table public.conversation_settings of your own.',
      'Fieldpost keeps what people set for a conversation in a table of that name: rename yours.';
  end if;

  -- Columns: what must be there, and of which type.
  for v_row in
    select w.tab, w.col, w.want, w.need, t.typname, t.typtype, format_type(a.atttypid, a.atttypmod) as has, a.attname is not null as there,
           t.oid as typoid
    from (values
      ('organizations', 'id', 'uuid', true), ('conversations', 'id', 'uuid', true), ('conversations', 'org_id', 'uuid', true),
      ('conversations', 'type', 'text', true), ('conversations', 'subject', 'text', true), ('conversations', 'medic_id', 'uuid', true),
      ('conversations', 'created_by', 'uuid', true), ('conversations', 'last_message_at', 'time', true),
      ('conversations', 'last_message_preview', 'text', true), ('conversations', 'created_at', 'time', true), ('conversations', 'updated_at', 'time', true),
      ('messages', 'id', 'uuid', true), ('messages', 'conversation_id', 'uuid', true), ('messages', 'org_id', 'uuid', true),
      ('messages', 'sender_id', 'uuid', true), ('messages', 'message_type', 'text', true), ('messages', 'content', 'text', true),
      ('messages', 'metadata', 'json', true), ('messages', 'status', 'text', true), ('messages', 'deleted_at', 'time', true),
      ('messages', 'created_at', 'time', true), ('messages', 'updated_at', 'time', true),
      ('message_recipients', 'message_id', 'uuid', true), ('message_recipients', 'recipient_id', 'uuid', true), ('message_recipients', 'org_id', 'uuid', true),
      ('message_recipients', 'delivered_at', 'time', true), ('message_recipients', 'read_at', 'time', true),
      ('conversation_read_status', 'user_id', 'uuid', true), ('conversation_read_status', 'conversation_id', 'uuid', true),
      ('conversation_read_status', 'org_id', 'uuid', true), ('conversation_read_status', 'last_read_at', 'time', true)
    ) w (tab, col, want, need)
    left join pg_attribute a on a.attrelid = to_regclass('public.' || w.tab) and a.attname = w.col and a.attnum > 0 and not a.attisdropped
    left join pg_type t on t.oid = a.atttypid
    where to_regclass('public.' || w.tab) is not null
    order by w.tab, w.col
  loop
    if not v_row.there then
      v_missing := v_missing || jsonb_build_object(v_row.tab, coalesce(v_missing ->> v_row.tab || ', ', '') || v_row.col || ' '
        || case v_row.want when 'time' then 'timestamptz' when 'json' then 'jsonb' else v_row.want end);
    elsif v_row.want = 'uuid' and v_row.typname <> 'uuid' or v_row.want = 'time' and v_row.typname <> 'timestamptz'
       or v_row.want = 'json' and v_row.typname not in ('json', 'jsonb')
       or v_row.want = 'text' and not (v_row.typname in ('text', 'varchar', 'citext') or v_row.typtype in ('e', 'd')) then
      return query select 'blocks', v_row.tab,
        format('public.%s.%s is %s, and Fieldpost needs %s.', v_row.tab, v_row.col, v_row.has,
          case v_row.want when 'time' then 'timestamptz' when 'json' then 'jsonb or json' else v_row.want end),
        case v_row.want when 'uuid' then 'Ids are made on devices, so they are uuids. Keep your table under another name, and let Fieldpost make its own.'
                        else 'Change the type of the column.' end;
    elsif v_row.want = 'json' and v_row.typname = 'json' then
      return query select 'adapts', v_row.tab, format('public.%s.%s is json. It works; jsonb is faster.', v_row.tab, v_row.col), null;
    elsif v_row.typtype = 'e' then
      select count(*) into v_count
      from unnest(case v_row.col when 'type' then array['direct', 'broadcast'] when 'status' then array['sent', 'delivered', 'read']
                                 when 'message_type' then array['text', 'attachment', 'system'] else '{}' end) l
      where not exists (select from pg_enum e where e.enumtypid = v_row.typoid and e.enumlabel = l);
      if v_count > 0 then
        return query select 'blocks', v_row.tab, format('The type %s of public.%s.%s lacks %s of the values that Fieldpost writes.', v_row.has, v_row.tab, v_row.col, v_count),
          'Add them: alter type … add value …; (docs/howto/supabase.md lists them).';
      end if;
    end if;
  end loop;

  return query
  select 'blocks', x.key, format('public.%s lacks columns that Fieldpost needs: %s.', x.key, x.value),
    'Add them. If your table is for something else, keep it under another name, and let Fieldpost make its own.'
  from jsonb_each_text(v_missing) x;

  -- Columns of the project's own under the names that Fieldpost adds.
  if v_before and to_regclass('public.fieldpost_messages_seq') is null then  -- (not those of a table that was prepared)
    return query
    select 'blocks', w.tab, format('public.%s has a column %s of its own (%s).', w.tab, w.col, format_type(a.atttypid, a.atttypmod)),
      'Fieldpost adds one of that name: rename yours.'
    from (values ('messages', 'seq'), ('messages', 'version'), ('messages', 'sync_xid'), ('messages', 'client_key'), ('messages', 'omitted'),
                 ('conversations', 'last_seq'), ('conversations', 'version'), ('conversations', 'sync_xid'), ('conversations', 'omitted'),
                 ('conversation_read_status', 'version'), ('conversation_read_status', 'sync_xid')) w (tab, col)
    join pg_attribute a on a.attrelid = to_regclass('public.' || w.tab) and a.attname = w.col and a.attnum > 0 and not a.attisdropped;
  end if;
  return query
  select 'blocks', w.tab, format('public.%s.%s is %s, and Fieldpost needs %s.', w.tab, w.col, format_type(a.atttypid, a.atttypmod), w.type),
    'Rename your column, or change its type.'
  from (values ('messages', 'reply_to', 'uuid'), ('messages', 'composed_at', 'timestamp with time zone'),  -- a removal leaves these
               ('messages', 'edited_at', 'timestamp with time zone'), ('messages', 'mentions', 'uuid[]'),
               ('conversation_read_status', 'delivered_seq', 'bigint'), ('conversation_read_status', 'read_seq', 'bigint'),
               ('conversation_read_status', 'delivered_seq_at', 'timestamp with time zone'),
               ('conversation_read_status', 'read_seq_at', 'timestamp with time zone')) w (tab, col, type)
  join pg_attribute a on a.attrelid = to_regclass('public.' || w.tab) and a.attname = w.col and a.attnum > 0 and not a.attisdropped
  where format_type(a.atttypid, null) <> w.type;

  -- Keys that upserts rely on.
  return query
  select 'blocks', w.tab, format('public.%s has no primary key or unique constraint over (%s).', w.tab, array_to_string(w.cols, ', ')),
    format('Add one: alter table public.%s add unique (%s);', w.tab, array_to_string(w.cols, ', '))
  from (values ('conversations', array['id']), ('messages', array['id']), ('message_recipients', array['message_id', 'recipient_id']),
               ('conversation_read_status', array['user_id', 'conversation_id'])) w (tab, cols)
  where to_regclass('public.' || w.tab) is not null and not exists (
    select from pg_index i
    where i.indrelid = to_regclass('public.' || w.tab) and i.indisunique and i.indpred is null and i.indexprs is null
      and (select array_agg(a.attname::text order by a.attname) from pg_attribute a where a.attrelid = i.indrelid and a.attnum = any (i.indkey::int2[]))
          = (select array_agg(c order by c) from unnest(w.cols) c));

  -- Columns that Fieldpost does not know and that must be filled.
  return query
  select 'warns', c.relname::text, format('public.%s.%s must be filled, and has no default.', c.relname, a.attname),
    'Fieldpost does not know this column: what it sends is refused unless a trigger of yours fills it. Give it a default.'
  from pg_class c join pg_attribute a on a.attrelid = c.oid
  where c.relnamespace = 'public'::regnamespace and c.relname = any (c_messaging) and a.attnum > 0 and not a.attisdropped
    and a.attnotnull and not a.atthasdef and a.attidentity = '' and a.attname not in (
      'id', 'conversation_id', 'org_id', 'sender_id', 'message_type', 'content', 'status', 'type', 'created_by', 'message_id', 'recipient_id',
      'user_id', 'last_read_at', 'seq', 'version', 'sync_xid', 'read_seq', 'delivered_seq', 'created_at', 'updated_at');
  return query
  select 'warns', c.relname::text, format('public.%s.%s has no default.', c.relname, a.attname),
    format('Fieldpost leaves it to the table: alter table public.%s alter column %s set default now();', c.relname, a.attname)
  from pg_class c join pg_attribute a on a.attrelid = c.oid
  where c.relnamespace = 'public'::regnamespace and c.relname in ('conversations', 'messages') and a.attname in ('created_at', 'updated_at')
    and a.attnotnull and not a.atthasdef and not a.attisdropped;

  -- Members.
  if to_regclass('public.profiles') is not null or to_regclass('public.medics') is not null then
    select string_agg(w.tab || '.' || w.col, ', ' order by w.tab, w.col) as missing into v_row
    from (values ('profiles', 'id', 'uuid'), ('profiles', 'org_id', 'uuid'), ('profiles', 'role', null), ('medics', 'id', 'uuid'), ('medics', 'org_id', 'uuid'),
                 ('medics', 'user_id', 'uuid'), ('medics', 'first_name', null), ('medics', 'last_name', null)) w (tab, col, type)
    left join pg_attribute a on a.attrelid = to_regclass('public.' || w.tab) and a.attname = w.col and a.attnum > 0 and not a.attisdropped
    where to_regclass('public.' || w.tab) is not null
      and (a.attname is null or w.type is not null and format_type(a.atttypid, null) <> w.type);
    if v_row.missing is not null then
      return query select 'adapts', 'members', format('Who belongs where cannot be read from your tables (missing, or of another type: %s).', v_row.missing),
        'Until you replace fieldpost.memberships and fieldpost.roster, nobody is a member (docs/howto/supabase.md, "When your members are kept in other tables").';
    elsif to_regclass('public.profiles') is not null then
      -- Who may write org or role of an own profile may make herself anything.
      return query
      select 'warns', 'profiles',
        format('Signed-in people may %s their own row of public.profiles, org_id and role included (policy "%s"): anybody can make herself an admin of any organization.',
          case p.polcmd when 'a' then 'insert' when 'w' then 'update' else 'write' end, p.polname),
        'Run `select fieldpost.guard_memberships();`, or take the right away: revoke insert, update on public.profiles from authenticated; grant update (…) to authenticated.'
      from pg_policy p
      where p.polrelid = to_regclass('public.profiles') and p.polpermissive and p.polcmd in ('*', 'w', 'a')
        and (p.polroles = '{0}' or 'authenticated'::regrole = any (p.polroles))
        and (p.polcmd <> 'a' and (has_column_privilege('authenticated', p.polrelid, 'role', 'update') or has_column_privilege('authenticated', p.polrelid, 'org_id', 'update'))
             or p.polcmd <> 'w' and has_column_privilege('authenticated', p.polrelid, 'role', 'insert'))
        and not exists (select from pg_trigger t where t.tgrelid = p.polrelid and t.tgname = 'zz_fieldpost_guard');
      if not (select c.relrowsecurity from pg_class c where c.oid = to_regclass('public.profiles'))
         and has_table_privilege('authenticated', 'public.profiles', 'update') then
        return query select 'warns', 'profiles', 'Row level security is off on public.profiles, and signed-in people may write it: anybody can make herself an admin.',
          'Run `select fieldpost.guard_memberships();`, or switch it on.';
      end if;
    end if;
    return query
    select 'warns', w.tab, format('public.%s has no index on %s: each call reads the whole table to find a person.', w.tab, w.col),
      format('create index concurrently on public.%s (%s);', w.tab, w.col)
    from (values ('medics', 'user_id'), ('medics', 'org_id'), ('profiles', 'id')) w (tab, col)
    join pg_attribute a on a.attrelid = to_regclass('public.' || w.tab) and a.attname = w.col and not a.attisdropped
    where not exists (select from pg_index i where i.indrelid = a.attrelid and i.indkey[0] = a.attnum and i.indpred is null)
      and (select c.reltuples from pg_class c where c.oid = a.attrelid) > 1000;
  end if;

  -- What the project's own policies and triggers mean.
  return query
  select 'fits', c.relname::text, format('The policy "%s" narrows what signed-in people may do, and Fieldpost keeps to it.', p.polname),
    case when not has_table_privilege('authenticated', c.oid, 'select') then 'But signed-in people may not select from this table at all, so they get nothing.' end
  from pg_policy p join pg_class c on c.oid = p.polrelid
  where c.relnamespace = 'public'::regnamespace and c.relname = any (c_messaging) and not p.polpermissive and p.polname not like 'fieldpost\_only\_%'
    and (p.polroles = '{0}' or 'authenticated'::regrole = any (p.polroles));
  return query
  select 'fits', c.relname::text, format('Your trigger %s runs for every row that Fieldpost writes. What it stores is what devices show; what it refuses they show as refused, with its text.', t.tgname), null
  from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = 'public'::regnamespace and c.relname in ('conversations', 'messages') and not t.tgisinternal
    and t.tgname not like 'zz\_fieldpost\_%' and t.tgname not like 'aa\_fieldpost\_%' and t.tgtype & 4 = 4;

  return query
  select 'warns', t.tablename::text, format('public.%s is in the publication supabase_realtime. Realtime sends the keys of deleted rows to everybody who is signed in, of any organization.', t.tablename),
    format('If your app does not listen to it, take it out: alter publication supabase_realtime drop table public.%s;', t.tablename)
  from pg_publication_tables t where t.pubname = 'supabase_realtime' and t.schemaname = 'public' and t.tablename::text = any (c_messaging);

  -- Rows.
  if to_regclass('public.messages') is not null and v_before then
    select c.reltuples::bigint into v_count from pg_class c where c.oid = to_regclass('public.messages');
    if v_count > 500000 and to_regclass('public.fieldpost_messages_seq') is null then
      return query select 'blocks', 'messages', format('public.messages has about %s rows: building the indexes would keep your app waiting.', v_count),
        'Apply what `fieldpost sql prepare` prints first; it keeps nobody waiting (docs/howto/supabase.md, "A large project").';
    end if;
    begin
      execute 'select count(*) from public.messages m where not (m.created_at >= ''2000-01-01'' and m.created_at < now() + interval ''1 day'')' into v_count;
      if v_count > 0 then
        return query select 'adapts', 'messages', format('%s messages are dated before the year 2000, in the future, or without end. They are dated anew, by the message before them.', v_count),
          'fieldpost.redated keeps what they said.';
      end if;
      execute 'select count(*) from public.messages m where m.deleted_at is not null and nullif(m.content::text, '''') is not null' into v_count;
      if v_count > 0 then
        return query select 'adapts', 'messages', format('%s messages are deleted and still have their text. It is erased: participants can read rows of deleted messages.', v_count),
          'Keep a copy first if you need what they said. Removing Fieldpost does not bring it back.';
      end if;
      execute 'select count(*) from (select from public.conversations c where c.type::text = ''direct'' and c.medic_id is not null '
              'group by c.org_id, c.medic_id having count(*) > 1) x' into v_count;
      if v_count > 0 then
        return query select 'warns', 'conversations', format('%s medics have more than one direct conversation. All of them stay; new messages go where they are sent.', v_count),
          'Merge them, and add: create unique index on public.conversations (org_id, medic_id) where type = ''direct'';';
      end if;
    exception when undefined_table or undefined_column or undefined_function or datatype_mismatch then
      null;  -- what is missing has been said above
    end;
  end if;
end
$$;
comment on function fieldpost.preflight() is 'What this project has and what Fieldpost does about it, in sentences.';

do $$
declare
  v_why text;
begin
  select string_agg(format(E'\n  %s: %s %s', p.about, p.finding, p.advice), '' order by p.level desc, p.about) into v_why
  from fieldpost.preflight() p where p.level in ('blocks', 'adopt');
  if v_why is not null then
    raise exception 'Fieldpost cannot be installed as things are. Nothing was changed.%', v_why
      using hint = 'Run `fieldpost sql preflight` to see everything at once.';
  end if;
end
$$;

select fieldpost.take_locks('access exclusive');
