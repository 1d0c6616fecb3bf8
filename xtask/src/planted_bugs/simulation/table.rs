//! The bugs, by the invariant that each undoes.

/// A guarantee undone.
pub(super) struct Bug {
    /// Which one, by its name in docs/invariants.md.
    pub(super) invariant: &'static str,
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    /// Stands in the file exactly once.
    pub(super) find: &'static str,
    pub(super) with: &'static str,
}

const fn bug(
    invariant: &'static str,
    name: &'static str,
    file: &'static str,
    find: &'static str,
    with: &'static str,
) -> Bug {
    Bug { invariant, name, file, find, with }
}

const PUSH: &str = "crates/sync/src/machine/push.rs";
const FOLLOW: &str = "crates/sync/src/machine/follow.rs";
const SESSION: &str = "crates/sync/src/session/own.rs";
const SCHEDULE: &str = "crates/sync/src/machine/schedule/mod.rs";
const EXPIRE: &str = "crates/storage/src/memory/expire.rs";
const OUTBOX: &str = "crates/storage/src/memory/outbox.rs";
const SETTLE: &str = "crates/storage/src/memory/settle.rs";
const DECIDE: &str = "crates/storage/src/memory/decide.rs";
const ROLES: &str = "crates/storage/src/memory/roles.rs";
const ROWS: &str = "crates/storage/src/memory/rows.rs";
const UNREAD: &str = "crates/storage/src/memory/unread.rs";
const MARKS: &str = "crates/storage/src/memory/marks.rs";
const PAGE: &str = "crates/remote/src/reference/page.rs";
const BOOTSTRAP: &str = "crates/storage/src/memory/bootstrap.rs";

pub(super) const BUGS: &[Bug] = &[
    bug(
        "no_loss",
        "a lost answer counts as an acknowledgement",
        PUSH,
        "            RemoteErrorKind::Interrupted => {
                self.send_less();
                self.fail(error)
            }",
        "            RemoteErrorKind::Interrupted => Effect::Settle(
                self.push
                    .batch
                    .iter()
                    .map(|mutation| PushResult {
                        mutation_id: mutation.id,
                        outcome: PushOutcome::Acknowledged(fieldpost_domain::Acknowledgement::Bare),
                    })
                    .collect(),
            ),",
    ),
    bug(
        "no_loss",
        "a message is edited while its outcome is unknown",
        DECIDE,
        "        if entry.unanswered > 0 {",
        "        if entry.unanswered > u32::MAX - 1 {",
    ),
    bug(
        "no_loss",
        "`retry` counts as a refusal",
        SETTLE,
        "PushOutcome::Retry(code) => self.not_now(at, code, &mut report),",
        "PushOutcome::Retry(code) => {
                    let _ = code;
                    self.reject(at, Refusal { code: RefusalCode::Forbidden, detail: None }, &mut report);
                }",
    ),
    bug(
        "no_loss",
        "what is merely out of sight is called lost by the server",
        BOOTSTRAP,
        "self.lose(conversation, Seq::ZERO, fate_of_unlisted(me.as_ref(), &place));",
        "let _ = fate_of_unlisted(me.as_ref(), &place);
                self.lose(conversation, Seq::ZERO, Some(RefusalCode::LostByServer));",
    ),
    bug(
        "no_duplicate",
        "a message gets another id when it is sent again",
        OUTBOX,
        "            batch.push(Mutation { id: entry.id, intent: entry.intent.clone() });",
        "            let mut intent = entry.intent.clone();
            if entry.unanswered > 1
                && let Intent::SendMessage(message) = &mut intent
            {
                let other = message.id.as_uuid().as_u128() ^ 1;
                message.id = fieldpost_domain::MessageId::from_uuid(uuid::Uuid::from_u128(other));
            }
            batch.push(Mutation { id: entry.id, intent });",
    ),
    bug(
        "no_duplicate",
        "a message is taken back while its outcome is unknown",
        DECIDE,
        "goes(entry) && entry.is_sending()",
        "goes(entry) && entry.is_sending() && false",
    ),
    bug(
        "lane_order",
        "lanes are ordered by the device's clock",
        OUTBOX,
        "        let mut batch = Vec::new();
        let mut bytes = 0;",
        "        self.outbox.sort_by_key(|entry| entry.recorded_at);
        let mut batch = Vec::new();
        let mut bytes = 0;",
    ),
    bug(
        "isolation",
        "a mutation that fails alone is tried again before any other lane",
        PUSH,
        "        self.push.held.extend(lanes.clone());
        self.push.backing_off.extend(lanes.clone());
        self.push.suspects.extend(lanes);",
        "        drop(lanes);",
    ),
    bug(
        "gap_free",
        "the cursor is advanced before the page is applied",
        ROLES,
        "        self.write(\"apply_pull\", |state| state.apply_pull(from, page))",
        "        let _ = from;
        let next = page.cursor.clone();
        self.write(\"apply_pull\", |state| {
            state.position = crate::SyncPosition::Following(next.clone());
            Ok(())
        })?;
        tokio::task::yield_now().await;
        self.write(\"apply_pull\", |state| state.apply_pull(&next, page))",
    ),
    bug(
        "gap_free",
        "a pull filters out what its own reader wrote",
        "crates/remote/src/reference/pull.rs",
        "        if !viewer.hears_of(&state.tables, &key) {",
        "        let own = matches!(key, super::feed::RowKey::Message(id)
            if state.tables.messages.get(&id).is_some_and(|message| message.sender_id == caller));
        if own || !viewer.sees_row(&state.tables, &key) {",
    ),
    bug(
        "gap_free",
        "the cursor is a high-water mark: what commits late is never delivered",
        "crates/remote/src/reference/snapshot.rs",
        "        stamp < self.next && !self.running.contains(&stamp)",
        "        stamp < self.next",
    ),
    bug(
        "gap_free",
        "what is older than the cursor is not fetched when a conversation comes into sight",
        "crates/storage/src/memory/ranges.rs",
        "            _ if newest.max(loaded.map(|range| range.to)) < Some(thread.row.last_seq) => Some(None),
",
        "",
    ),
    bug(
        "gap_free",
        "the rest of an interrupted run of pages counts as everything",
        FOLLOW,
        "        if !run.whole
            && let Some(end)",
        "        if !run.whole
            && run.pages > 1
            && let Some(end)",
    ),
    bug(
        "convergence",
        "a history answer is applied after a newer pull",
        ROWS,
        "            Some(Row::Server(stored)) if stored.version > message.version => return Placed::Stale,
",
        "",
    ),
    bug(
        "convergence",
        "a late answer brings back what was deleted",
        "crates/storage/src/memory/versions.rs",
        "        !is_newer(self.buried_messages.get(&message).copied(), version)",
        "        let _ = (message, version);
        false",
    ),
    bug(
        "liveness",
        "what was sent once without an answer is never sent again",
        OUTBOX,
        "            if entry.is_failed() || held.contains(&entry.intent.lane()) {",
        "            if entry.unanswered > 0 || entry.is_failed() || held.contains(&entry.intent.lane()) {",
    ),
    bug(
        "liveness",
        "an expired cursor is an error like any other",
        FOLLOW,
        "RemoteErrorKind::CursorExpired(reason) if self.may_expire() =>",
        "RemoteErrorKind::CursorExpired(reason) if self.may_expire() && self.follow.expired > 99 =>",
    ),
    bug(
        "bounded",
        "a lane that was told to come back is asked again at once",
        PUSH,
        "                self.push.held.insert(lane);
",
        "",
    ),
    bug(
        "unread_exact",
        "unread is off by one",
        UNREAD,
        "message.seq > read && Some(message.sender_id)",
        "message.seq >= read && Some(message.sender_id)",
    ),
    bug(
        "unread_exact",
        "a read marker goes back",
        UNREAD,
        "        stored.read_seq = stored.read_seq.max(incoming.read_seq);",
        "        stored.read_seq = incoming.read_seq;",
    ),
    bug(
        "unread_exact",
        "a mark that the server has forgotten is not made again",
        MARKS,
        "if here && read_seq > told.from &&",
        "if here && read_seq > told.to &&",
    ),
    bug(
        "unread_exact",
        "the server counts what a waiting mark has read",
        "crates/storage/src/memory/unread.rs",
        "thread.row.unread.min(here.saturating_add(self.unknown_above(conversation, thread, read)))",
        "thread.row.unread",
    ),
    bug(
        "privacy",
        "what was lost from sight stays on the device",
        "crates/storage/src/memory/apply.rs",
        "        if newer && self.purge(change.conversation_id, RefusalCode::AccessLost) {",
        "        if newer && self.threads.remove(&change.conversation_id).is_some() {",
    ),
    bug(
        "privacy",
        "a medic is told of every direct conversation",
        "crates/remote/src/reference/viewer.rs",
        "ConversationKind::Direct => medic.is_some_and(|medic| member.medic_ids.contains(&medic)),",
        "ConversationKind::Direct => medic.is_some(),",
    ),
    bug(
        "privacy",
        "a page tells of what the project hides",
        PAGE,
        "Some(message) if self.viewer.is_shown(tables, message) => self.add_message(message),",
        "Some(message) if message.version > Version::new(0) => self.add_message(message),",
    ),
    bug(
        "convergence",
        "what the project hides later stays on the device",
        PAGE,
        "        if message.version > Version::new(1) {",
        "        if message.version > Version::new(u64::MAX) {",
    ),
    bug(
        "convergence",
        "what is withdrawn by the version that was shown stays",
        ROWS,
        "stored.version > tombstone.version);",
        "stored.version >= tombstone.version);",
    ),
    bug(
        "unread_exact",
        "the server counts what the project hides",
        "crates/remote/src/reference/rows.rs",
        "    others.filter(|message| viewer.is_shown(tables, message)).take(COUNTED)",
        "    others.take(COUNTED)",
    ),
    bug(
        "crash_safe",
        "a mutation leaves the outbox when it is sent, before it is answered",
        OUTBOX,
        "            batch.push(Mutation { id: entry.id, intent: entry.intent.clone() });
        }
        batch",
        "            batch.push(Mutation { id: entry.id, intent: entry.intent.clone() });
        }
        self.outbox.retain(|entry| !batch.iter().any(|sent: &Mutation| sent.id == entry.id));
        batch",
    ),
    bug(
        "bounded",
        "refreshing is not single-flight",
        SESSION,
        "        let _turn = self.renewing.lock().await;
        if let Some(newer)",
        "        if let Some(newer)",
    ),
    bug(
        "bounded",
        "every pass loads everything anew",
        FOLLOW,
        "                self.follow.run = Run { whole, ..Run::default() };
                self.pull(cursor)",
        "                self.follow.run = Run { whole, ..Run::default() };
                let _ = cursor;
                self.begin_bootstrap(BootstrapReason::Reconcile)",
    ),
    bug(
        "liveness",
        "a network that is back ends no wait",
        SCHEDULE,
        "                self.wanted = true;
                self.connection = Backoff::default();
                self.lanes.clear();",
        "                self.wanted = true;",
    ),
    bug(
        "liveness",
        "a hint that comes while a pass runs is lost",
        SCHEDULE,
        "            None => {
                self.connection = Backoff::default();",
        "            None => {
                self.wanted = false;
                self.connection = Backoff::default();",
    ),
    bug(
        "bounded",
        "the time that the server names is not waited for",
        SCHEDULE,
        "wait.min(LONGEST_ASKED)",
        "wait.min(LONGEST_ASKED).min(Duration::ZERO)",
    ),
    bug(
        "crash_safe",
        "a paused engine syncs when it is asked to",
        SCHEDULE,
        "    pub const fn is_paused(&self) -> bool {
        self.paused",
        "    pub const fn is_paused(&self) -> bool {
        self.paused && !self.online && self.online",
    ),
    bug(
        "no_loss",
        "a message expires although the server may have it",
        EXPIRE,
        "!self.is_failed() && self.unanswered == 0 && self.recorded_at < before",
        "!self.is_failed() && self.recorded_at < before",
    ),
];
