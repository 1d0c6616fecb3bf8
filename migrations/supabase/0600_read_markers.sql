-- Read markers: how far a person has got in a conversation, by seq.
--
-- The older table `conversation_read_status` holds a time, `last_read_at`. Web clients go on writing that and nothing
-- else; the trigger turns it into a seq. Fieldpost writes the seq, and the trigger turns it into a time, so that both
-- count the same unread messages.
--
-- What must stay true:
--  * Both numbers only ever grow, and never beyond what the conversation holds.
--  * Nothing but a person's own act moves her marker: not a push, not an update of a conversation.
--  * What other clients read about a message (`messages.status`, `message_recipients`) follows the markers: 0610.

create or replace function fieldpost.mark_row(inout p_row public.conversation_read_status, p_old public.conversation_read_status)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
  v_last bigint;
  v_org uuid;
  v_seen timestamptz;
begin
  select coalesce(c.last_seq, 0), c.org_id into v_last, v_org from public.conversations c where c.id = p_row.conversation_id;
  p_row.org_id := coalesce(v_org, p_row.org_id);
  p_row.read_seq := least(greatest(p_row.read_seq, 0), v_last);
  p_row.delivered_seq := least(greatest(p_row.delivered_seq, 0), v_last);
  if p_row.last_read_at is distinct from p_old.last_read_at and p_row.read_seq = coalesce(p_old.read_seq, 0)
     and p_row.last_read_at > '1970-01-01' then
    -- Only the time was written, and it is one. created_at grows with seq, so the newest row not after it is the one that was read.
    p_row.read_seq := greatest(p_row.read_seq, coalesce((
      select m.seq from public.messages m
      where m.conversation_id = p_row.conversation_id and m.seq is not null
        -- What is dated in the future can be read today all the same.
        and (m.created_at <= p_row.last_read_at or m.created_at > now() + interval '1 day')
      order by m.seq desc limit 1), 0));
  end if;
  p_row.read_seq := greatest(p_row.read_seq, coalesce(p_old.read_seq, 0));
  p_row.delivered_seq := greatest(p_row.delivered_seq, p_row.read_seq, coalesce(p_old.delivered_seq, 0));
  select m.created_at into v_seen from public.messages m
  where m.conversation_id = p_row.conversation_id and m.seq = p_row.read_seq;
  if p_row.last_read_at is distinct from p_old.last_read_at then
    -- A phone whose clock is ahead has not read what will be written until then.
    p_row.last_read_at := least(p_row.last_read_at, clock_timestamp() + interval '1 minute');
  end if;
  p_row.last_read_at := greatest(p_row.last_read_at, p_old.last_read_at, v_seen);
  p_row.read_seq_at := case when p_row.read_seq > coalesce(p_old.read_seq, 0) then clock_timestamp() else p_old.read_seq_at end;
  p_row.delivered_seq_at := case when p_row.delivered_seq > coalesce(p_old.delivered_seq, 0) then clock_timestamp() else p_old.delivered_seq_at end;
end
$$;
comment on function fieldpost.mark_row(public.conversation_read_status, public.conversation_read_status) is
  'Makes a marker monotonic and its time and seq agree. Security definer: reads seqs past the policies of messages.';

create or replace function fieldpost.read_status_before_write() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    new := fieldpost.mark_row(new, null);
    new.version := 1;
    new.sync_xid := pg_current_xact_id();
    return new;
  end if;
  new.user_id := old.user_id;
  new.conversation_id := old.conversation_id;
  new := fieldpost.mark_row(new, old);
  new.version := old.version;
  new.sync_xid := old.sync_xid;
  if (new.read_seq, new.delivered_seq) is distinct from (old.read_seq, old.delivered_seq) then
    new.version := old.version + 1;
    new.sync_xid := pg_current_xact_id();
  end if;
  return new;
end
$$;
comment on function fieldpost.read_status_before_write() is
  'Keeps read markers monotonic and stamps those that moved. Security definer: whoever may write markers need not be allowed to look into this schema.';

create or replace trigger zz_fieldpost_before_write before insert or update on public.conversation_read_status
  for each row execute function fieldpost.read_status_before_write();
