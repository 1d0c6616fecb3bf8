//! What a person sets for a conversation: muted, pinned, archived, marked unread. It shows at once, and on all her devices.

use super::build::{
    ada, at, conversation_id, direct, iris, message, messages, mutation_id, new_direct, other_direct, read_to, seq,
};
use super::given::{
    acknowledged, answered, batch, bootstrapped, failure, loaded, loaded_thread, mutations, outbox, pulled,
    pulled_messages, read, read_up_to, refused, summary, thread, unread,
};
use crate::{BootstrapReason, ConversationFilter, ConversationSummary, StorageErrorKind, StorageResult, Store};
use fieldpost_domain::{
    Access, AccessChange, Acknowledgement, Archived, Changes, Conversation, ConversationId, ConversationSettings,
    Intent, PushOutcome, RefusalCode, RetryCode, SetConversation, Settings, SettingsChange, TextPart, Version,
};
use std::collections::HashSet;

/// One thread with three messages of Ada, all read by Iris.
async fn given_thread(store: &dyn Store) -> ConversationId {
    let one = conversation_id(1);
    let id = loaded_thread(store, direct(1, 3), messages(one, 1..=3, &ada())).await;
    pulled(store, Changes { read_markers: vec![read_to(one, &iris(), 3)], ..Changes::default() }).await;
    id
}

fn part(typed: &str) -> Option<TextPart> {
    Some(TextPart::new(typed).unwrap())
}

async fn set(
    store: &dyn Store,
    n: u64,
    conversation: ConversationId,
    change: SettingsChange,
) -> StorageResult<ConversationSummary> {
    store.set_conversation(mutation_id(n), conversation, change, at(600 + n)).await
}

fn pinned(second: u64) -> SettingsChange {
    SettingsChange::pin(Some(at(second)))
}

fn archived(last: u64) -> SettingsChange {
    SettingsChange::archive(Some(Archived { at: at(500), seq: seq(last) }))
}

fn unread_from(n: u64) -> SettingsChange {
    SettingsChange::mark_unread(Some(seq(n)))
}

/// The row of the server.
fn row(conversation_id: ConversationId, version: u64, changes: &[SettingsChange]) -> ConversationSettings {
    let mut settings = Settings::default();
    changes.iter().for_each(|change| change.apply(&mut settings));
    ConversationSettings { conversation_id, settings, version: Version::new(version) }
}

async fn told(store: &dyn Store, row: ConversationSettings) -> crate::ApplyReport {
    pulled(store, Changes { settings: vec![row], ..Changes::default() }).await
}

async fn shown(store: &dyn Store, conversation: ConversationId) -> Settings {
    summary(store, conversation).await.settings
}

/// The changes in the next batch.
async fn changes(store: &dyn Store) -> Vec<SettingsChange> {
    let batch = store.next_batch(super::build::wide(), &HashSet::new()).await.unwrap();
    let change = |intent| match intent {
        Intent::SetConversation(SetConversation { change, .. }) => Some(change),
        _ => None,
    };
    batch.into_iter().filter_map(|mutation| change(mutation.intent)).collect()
}

/// `set_conversation`: it shows over what the server has, and waits in the outbox.
pub async fn a_setting_shows_at_once_and_is_queued(store: &dyn Store) {
    let id = given_thread(store).await;

    let line = set(store, 1, id, SettingsChange::mute(Some(at(900)))).await.unwrap();

    assert!(line.is_muted(at(899)) && !line.is_muted(at(900)));
    assert_eq!(line, summary(store, id).await);
    set(store, 2, id, SettingsChange::mute(Some(at(900)))).await.unwrap();
    assert_eq!(outbox(store).await.len(), 1, "what changes nothing is not queued");
    assert_eq!(changes(store).await, [SettingsChange::mute(Some(at(900)))]);
    acknowledged(store, 1, Acknowledgement::Set(row(id, 1, &[SettingsChange::mute(Some(at(900)))]))).await;
    assert!(outbox(store).await.is_empty());
    assert_eq!(shown(store, id).await.muted_until, Some(at(900)));
}

/// `set_conversation`: who, and what.
pub async fn a_setting_needs_a_person_and_a_conversation(store: &dyn Store) {
    let kind = |result: StorageResult<ConversationSummary>| result.unwrap_err().kind();
    assert_eq!(kind(set(store, 1, conversation_id(1), pinned(1)).await), StorageErrorKind::NoAccount);
    given_thread(store).await;
    assert_eq!(kind(set(store, 1, conversation_id(9), pinned(1)).await), StorageErrorKind::NotFound);
    assert!(outbox(store).await.is_empty());
}

/// `set_conversation`: before the server has the conversation.
pub async fn a_setting_waits_behind_the_open(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), ada()], ..Changes::default() }).await;
    let local = store.open_direct(mutation_id(1), new_direct(7)).await.unwrap().id;
    set(store, 2, local, pinned(5)).await.unwrap();
    assert_eq!(batch(store).await, mutations([1, 2]));

    // Under another id, which somebody has pinned on another device.
    let canonical = conversation_id(30);
    acknowledged(store, 1, Acknowledgement::Opened(Box::new(direct(30, 0)))).await;
    assert_eq!(shown(store, canonical).await.pinned_at, Some(at(5)));
    told(store, row(canonical, 1, &[SettingsChange::mute(Some(at(900)))])).await;
    let both = Settings { muted_until: Some(at(900)), pinned_at: Some(at(5)), ..Settings::default() };
    assert_eq!(shown(store, local).await, both);
}

/// `set_conversation`: one change for each conversation is enough.
pub async fn a_setting_is_added_to_a_queued_one(store: &dyn Store) {
    let id = given_thread(store).await;
    set(store, 1, id, pinned(5)).await.unwrap();
    set(store, 2, id, SettingsChange::mute(Some(at(900)))).await.unwrap();
    set(store, 3, id, SettingsChange::pin(None)).await.unwrap();
    assert_eq!(outbox(store).await.len(), 1);
    assert_eq!(changes(store).await, [SettingsChange::mute(Some(at(900))).then(SettingsChange::pin(None))]);
    assert_eq!(shown(store, id).await, Settings { muted_until: Some(at(900)), ..Settings::default() });
}

/// `set_conversation`: what the server may have already stays as it is.
pub async fn a_setting_is_queued_behind_one_in_flight(store: &dyn Store) {
    let id = given_thread(store).await;
    set(store, 1, id, pinned(5)).await.unwrap();
    assert_eq!(batch(store).await, mutations([1]));

    set(store, 2, id, SettingsChange::pin(None)).await.unwrap();

    assert_eq!(batch(store).await, mutations([1, 2]));
    assert_eq!(shown(store, id).await.pinned_at, None);
    acknowledged(store, 1, Acknowledgement::Set(row(id, 1, &[pinned(5)]))).await;
    assert_eq!(shown(store, id).await.pinned_at, None, "the later change still shows");
    answered(store, 2, PushOutcome::Retry(RetryCode::Busy)).await;
    assert_eq!(shown(store, id).await.pinned_at, None);
}

/// `settle`: a refused change.
pub async fn a_refused_setting_shows_the_servers(store: &dyn Store) {
    let id = given_thread(store).await;
    told(store, row(id, 1, &[pinned(3)])).await;
    set(store, 1, id, SettingsChange::pin(None).then(unread_from(2))).await.unwrap();
    assert_eq!(unread(store, id).await, 2);
    batch(store).await;

    refused(store, 1, RefusalCode::Forbidden).await;

    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::Forbidden));
    assert_eq!(shown(store, id).await, row(id, 1, &[pinned(3)]).settings);
    assert_eq!(unread(store, id).await, 0);
    store.retry(mutation_id(1), at(800)).await.unwrap();
    assert_eq!((shown(store, id).await.pinned_at, unread(store, id).await), (None, 2), "and the change again");
    store.cancel(mutation_id(1)).await.unwrap();
    assert_eq!((shown(store, id).await.pinned_at, unread(store, id).await), (Some(at(3)), 0));
}

/// `apply_pull`: what was set elsewhere, the newest version of it.
pub async fn settings_of_another_device_arrive(store: &dyn Store) {
    let id = given_thread(store).await;
    let report = told(store, row(id, 2, &[pinned(3)])).await;
    assert_eq!((report.applied, report.stale), (1, 0));
    let report = told(store, row(id, 1, &[pinned(1)])).await;
    assert_eq!((report.applied, report.stale), (0, 1), "an older row changes nothing");
    assert_eq!(told(store, row(id, 2, &[pinned(3)])).await.stale, 1);
    assert_eq!(shown(store, id).await.pinned_at, Some(at(3)));
    told(store, row(id, 3, &[])).await;
    assert_eq!(shown(store, id).await, Settings::default());

    // A row may come before its conversation.
    told(store, row(conversation_id(2), 1, &[pinned(4)])).await;
    pulled(store, thread(other_direct(2, 0), vec![])).await;
    assert_eq!(shown(store, conversation_id(2)).await.pinned_at, Some(at(4)));
}

/// `apply_pull`: what this person may not see has no settings either.
pub async fn settings_leave_with_their_conversation(store: &dyn Store) {
    let id = given_thread(store).await;
    told(store, row(id, 1, &[pinned(3)])).await;
    set(store, 1, id, SettingsChange::mute(Some(at(900)))).await.unwrap();
    let access = |access, version| AccessChange { conversation_id: id, access, version: Version::new(version) };
    pulled(store, Changes { access: vec![access(Access::Revoke, 1)], ..Changes::default() }).await;
    assert_eq!(failure(&outbox(store).await[0]), Some(&RefusalCode::AccessLost));
    assert_eq!(told(store, row(id, 2, &[pinned(3)])).await.stale, 1);

    let back = thread(direct(1, 3), messages(id, 1..=3, &ada()));
    pulled(store, Changes { access: vec![access(Access::Grant, 2)], ..back }).await;
    assert_eq!(shown(store, id).await, Settings::default());
}

/// `apply_bootstrap`: of another history.
pub async fn settings_that_a_restored_server_has_lost_are_gone(store: &dyn Store) {
    let id = given_thread(store).await;
    pulled(store, thread(other_direct(2, 0), vec![])).await;
    let two = conversation_id(2);
    pulled(
        store,
        Changes { settings: vec![row(id, 5, &[pinned(3)]), row(two, 5, &[pinned(4)])], ..Changes::default() },
    )
    .await;
    let page = thread(direct(1, 3), messages(id, 1..=3, &ada()));
    let conversations = vec![direct(1, 3), other_direct(2, 0)];
    let settings = vec![row(id, 1, &[pinned(1)])];
    bootstrapped(store, BootstrapReason::Epoch, Changes { conversations, settings, ..page }).await;
    assert_eq!(shown(store, id).await.pinned_at, Some(at(1)), "versions count from the beginning");
    assert_eq!(shown(store, two).await, Settings::default());
}

/// `set_conversation`: the marker stays, and the count goes back to a message.
pub async fn what_is_marked_unread_counts_from_there_on(store: &dyn Store) {
    let id = given_thread(store).await;
    assert_eq!(unread(store, id).await, 0);

    let line = set(store, 1, id, unread_from(2)).await.unwrap();

    assert_eq!((line.unread, line.is_marked_unread()), (2, true));
    assert_eq!(store.total_unread().await.unwrap(), 2);
    pulled_messages(store, vec![message(id, 4, &ada()), message(id, 5, &iris())]).await;
    assert_eq!(unread(store, id).await, 3, "and what comes after");
    told(store, row(id, 1, &[unread_from(3)])).await;
    assert_eq!(unread(store, id).await, 3, "the own change shows over another one");
    batch(store).await;
    acknowledged(store, 1, Acknowledgement::Set(row(id, 2, &[unread_from(2)]))).await;
    assert_eq!(unread(store, id).await, 3);
    set(store, 2, id, unread_from(9)).await.unwrap();
    assert_eq!(unread(store, id).await, 1, "above the marker it changes nothing");
}

/// `mark_read`: also what was marked unread, on this device or another.
pub async fn reading_takes_back_what_was_marked_unread(store: &dyn Store) {
    let id = given_thread(store).await;
    set(store, 1, id, unread_from(2)).await.unwrap();
    assert_eq!(read(store, 2, id).await, 3);
    assert_eq!(unread(store, id).await, 0);
    assert!(!summary(store, id).await.is_marked_unread());
    assert!(outbox(store).await.is_empty(), "it was never sent, and the marker has not moved");

    told(store, row(id, 1, &[unread_from(1), pinned(3)])).await;
    assert_eq!(unread(store, id).await, 3);
    assert_eq!(read_up_to(store, 3, id, 1).await, 3, "the marker never goes back");
    assert_eq!((unread(store, id).await, outbox(store).await.len()), (0, 1));
    assert_eq!(changes(store).await, [SettingsChange::mark_unread(None)]);
    assert_eq!(shown(store, id).await.pinned_at, Some(at(3)));
}

/// `mark_read`: one that may have reached the server is taken back by another one.
pub async fn a_mark_unread_in_flight_is_taken_back_behind_it(store: &dyn Store) {
    let id = given_thread(store).await;
    set(store, 1, id, unread_from(2).then(pinned(3))).await.unwrap();
    batch(store).await;
    read(store, 2, id).await;
    let back = SettingsChange::mark_unread(None);
    assert_eq!(changes(store).await, [unread_from(2).then(pinned(3)), back]);
    acknowledged(store, 1, Acknowledgement::Set(row(id, 1, &[unread_from(2), pinned(3)]))).await;
    assert_eq!((unread(store, id).await, shown(store, id).await.pinned_at), (0, Some(at(3))));
}

/// `mark_read`: several changes may wait that have not reached the server, where one was told to come again.
pub async fn marks_unread_that_come_again_are_taken_back_too(store: &dyn Store) {
    let id = given_thread(store).await;
    set(store, 1, id, unread_from(2)).await.unwrap();
    batch(store).await;
    set(store, 2, id, pinned(3)).await.unwrap();
    answered(store, 1, PushOutcome::Retry(RetryCode::Busy)).await;

    read(store, 3, id).await;

    assert_eq!((unread(store, id).await, summary(store, id).await.is_marked_unread()), (0, false));
    assert_eq!(changes(store).await, [pinned(3)]);
    assert_eq!(shown(store, id).await.pinned_at, Some(at(3)));
}

/// Until somebody else writes, or for as long as it is muted.
pub async fn a_new_message_takes_a_conversation_out_of_the_archive(store: &dyn Store) {
    let id = given_thread(store).await;
    let line = set(store, 1, id, archived(3)).await.unwrap();
    assert!(line.is_archived(at(700)));
    pulled_messages(store, vec![message(id, 4, &iris())]).await;
    assert!(summary(store, id).await.is_archived(at(700)), "what she writes herself changes nothing");

    pulled_messages(store, vec![message(id, 5, &ada())]).await;
    let line = summary(store, id).await;
    assert!(line.revived && !line.is_archived(at(700)));

    let muted = set(store, 2, id, SettingsChange::mute(Some(at(900)))).await.unwrap();
    assert!(muted.is_archived(at(899)) && !muted.is_archived(at(900)));
    let again = set(store, 3, id, SettingsChange::mute(None).then(archived(5))).await.unwrap();
    assert!(again.is_archived(at(700)) && !again.revived);
    let out = set(store, 4, id, SettingsChange::archive(None)).await.unwrap();
    assert_eq!((out.is_archived(at(700)), out.settings.archived), (false, None));
}

/// Several conversations: with medics of their own, and activity in the order of their numbers.
async fn given_list(store: &dyn Store) {
    let rows = (1..=4).map(|n| {
        let newest = Some(at(100 + n));
        Conversation { last_message_at: newest, unread: u64::from(n == 2), ..other_direct(n, 1) }
    });
    let conversations: Vec<_> = rows.chain([super::build::broadcast(5, 0)]).collect();
    let each = (1..=4).map(|n| message(conversation_id(n), 1, &ada()));
    let messages = each.map(|one| fieldpost_domain::Message { created_at: one.created_at, ..one }).collect();
    let read = [1, 3, 4].map(|n| read_to(conversation_id(n), &iris(), 1));
    let page = Changes { people: vec![iris(), ada()], conversations, messages, ..Changes::default() };
    loaded(store, Changes { read_markers: read.into(), ..page }).await;
}

async fn listed(store: &dyn Store, filter: &ConversationFilter) -> Vec<u64> {
    let lines = store.conversations_matching(filter).await.unwrap();
    lines.iter().map(|line| u64::from(line.id.as_uuid().as_u128() as u32)).collect()
}

fn all(now: u64) -> ConversationFilter {
    ConversationFilter::all(at(now))
}

/// `conversations`: the latest pinned at the top, then the newest activity.
pub async fn pinned_conversations_come_first(store: &dyn Store) {
    given_list(store).await;
    let order = |lines: Vec<ConversationSummary>| lines.into_iter().map(|line| line.id).collect::<Vec<_>>();
    let before = order(store.conversations(10).await.unwrap());
    set(store, 1, conversation_id(3), pinned(5)).await.unwrap();
    set(store, 2, conversation_id(2), pinned(6)).await.unwrap();
    let now = store.conversations(10).await.unwrap();
    let mut expected = vec![conversation_id(2), conversation_id(3)];
    expected.extend(before.into_iter().filter(|id| ![conversation_id(2), conversation_id(3)].contains(id)));
    assert_eq!(order(now.clone()), expected);
    let mut by_place = now.clone();
    by_place.sort_by_key(ConversationSummary::place);
    assert_eq!(by_place, now);
    assert_eq!(order(store.conversations(1).await.unwrap()), [conversation_id(2)]);
}

/// `conversations_matching`.
pub async fn a_filter_shows_what_matches_it(store: &dyn Store) {
    given_list(store).await;
    set(store, 1, conversation_id(1), archived(1)).await.unwrap();
    set(store, 2, conversation_id(3), SettingsChange::mute(Some(at(900)))).await.unwrap();
    set(store, 3, conversation_id(4), unread_from(1)).await.unwrap();
    let list = |filter: ConversationFilter| async move {
        let mut numbers = listed(store, &filter).await;
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(list(all(700)).await, [1, 2, 3, 4, 5]);
    assert_eq!(list(ConversationFilter { unread: true, ..all(700) }).await, [2, 4]);
    assert_eq!(list(ConversationFilter { archived: Some(true), ..all(700) }).await, [1]);
    assert_eq!(list(ConversationFilter { archived: Some(false), ..all(700) }).await, [2, 3, 4, 5]);
    assert_eq!(list(ConversationFilter { muted: Some(true), ..all(700) }).await, [3]);
    assert_eq!(list(ConversationFilter { muted: Some(false), ..all(700) }).await, [1, 2, 4, 5]);
    assert!(list(ConversationFilter { muted: Some(true), ..all(900) }).await.is_empty(), "the mute has ended");
    let kind = Some(fieldpost_domain::ConversationKind::Broadcast);
    assert_eq!(list(ConversationFilter { kind: kind.clone(), ..all(700) }).await, [5]);
    assert!(list(ConversationFilter { kind, unread: true, ..all(700) }).await.is_empty());
    assert_eq!(list(ConversationFilter { text: part("cRANE"), ..all(700) }).await, [5]);
    assert!(list(ConversationFilter { text: part("'; --%_"), ..all(700) }).await.is_empty());
    assert_eq!(listed(store, &ConversationFilter { limit: 2, ..all(700) }).await.len(), 2);
    assert!(listed(store, &ConversationFilter { limit: 0, ..all(700) }).await.is_empty());
}

/// `conversations_matching`: a name is found whatever its case and Unicode form, and behind any number that only look alike.
pub async fn a_filter_by_text_knows_cases_and_unicode_forms(store: &dyn Store) {
    let names =
        ["Jose\u{301} N\u{fa}\u{f1}ez", "\u{c5}sa \u{212a}irk", "Bo\u{7}b Kirk", "ANNA kirk", "Z\u{fc}lal \u{2014}"];
    let rows = (1..).zip(names).map(|(n, name)| Conversation {
        medic_name: Some(name.to_owned()),
        last_message_at: Some(at(100 - n)),
        last_message_preview: Some(format!("gate {n}")),
        ..other_direct(n, 1)
    });
    loaded(store, Changes { people: vec![iris()], conversations: rows.collect(), ..Changes::default() }).await;
    let found = |text: &str, limit| {
        let filter = ConversationFilter { text: part(text), limit, ..all(700) };
        async move { listed(store, &filter).await }
    };
    assert_eq!(found("jos\u{e9} nunez", 9).await, [1]);
    assert_eq!(found("KIRK", 9).await, [2, 3, 4]);
    assert_eq!(found("  bob   kirk ", 9).await, [3]);
    assert_eq!(found("anna", 1).await, [4], "behind three that SQL alone cannot rule out");
    assert_eq!(found("kirk anna", 9).await, [0_u64; 0], "both words, in another order");
    assert_eq!(found("GATE 5", 1).await, [5], "the newest message counts");
    assert_eq!(found("\u{2014}", 9).await, [5]);
    assert_eq!(found("", 2).await, [1, 2]);
    assert_eq!(found("dmin", 9).await, [0_u64; 0], "a name that medics see");
}

/// `unread_for_badge`, `next_unmute`: by the moment, without a commit.
pub async fn a_muted_conversation_does_not_count_until_its_mute_ends(store: &dyn Store) {
    given_list(store).await;
    set(store, 1, conversation_id(4), unread_from(1)).await.unwrap();
    let badge = |second| async move { store.unread_for_badge(at(second)).await.unwrap() };
    assert_eq!((badge(700).await, store.total_unread().await.unwrap()), (2, 2));
    assert_eq!(store.next_unmute(at(700)).await.unwrap(), None);

    set(store, 2, conversation_id(2), SettingsChange::mute(Some(at(900)))).await.unwrap();
    set(store, 3, conversation_id(4), SettingsChange::mute(Some(at(950)))).await.unwrap();
    assert_eq!((badge(700).await, badge(900).await, badge(950).await), (0, 1, 2));
    assert_eq!(store.total_unread().await.unwrap(), 2, "the whole count has them all");
    let next = |second| async move { store.next_unmute(at(second)).await.unwrap() };
    assert_eq!((next(700).await, next(900).await, next(950).await), (Some(at(900)), Some(at(950)), None));

    // What is archived does not count until somebody writes.
    set(store, 4, conversation_id(4), SettingsChange::mute(None).then(archived(1))).await.unwrap();
    assert_eq!(badge(900).await, 1);
    pulled_messages(store, vec![message(conversation_id(4), 2, &ada())]).await;
    assert_eq!(badge(900).await, 3);
    set(store, 5, conversation_id(4), SettingsChange::mute(Some(Settings::FOREVER))).await.unwrap();
    assert_eq!(badge(1_000_000).await, 1);
}
