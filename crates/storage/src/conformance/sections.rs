//! Sections of a thread, over gaps.

use super::build::{ada, conversation_id, direct, message_id, messages, other_direct, seq, tombstone};
use super::given::{history, loaded, loaded_thread, pulled, pulled_messages, read_up_to, sent};
use crate::{End, Older, Section, StorageErrorKind, Store, ThreadSection};
use fieldpost_domain::{Changes, ConversationId, Seq};

async fn five(store: &dyn Store) -> ConversationId {
    loaded_thread(store, direct(1, 5), messages(conversation_id(1), 1..=5, &ada())).await
}

/// Messages 1 to 5, and 8 and 9 above a gap.
async fn with_gap(store: &dyn Store) -> ConversationId {
    let thread = five(store).await;
    pulled_messages(store, messages(thread, 8..=9, &ada())).await;
    thread
}

async fn section(store: &dyn Store, thread: ConversationId, asked: Section) -> ThreadSection {
    store.section(thread, asked).await.unwrap()
}

fn seqs(section: &ThreadSection) -> Vec<u64> {
    section.messages.iter().map(|message| message.seq.map_or(0, Seq::get)).collect()
}

fn gaps(section: &ThreadSection) -> Vec<(u64, u64)> {
    section.gaps.iter().map(|gap| (gap.from.get(), gap.to.get())).collect()
}

fn shown(section: &ThreadSection) -> (u64, u64) {
    (section.shown.from.get(), section.shown.to.get())
}

const fn between(from: u64, to: u64, keep: End, limit: u32) -> Section {
    Section { from: Seq::new(from), to: Some(Seq::new(to)), keep, limit }
}

/// `Messages::section`, rule 1.
pub async fn a_section_goes_on_below_a_gap(store: &dyn Store) {
    let thread = with_gap(store).await;
    let all = section(store, thread, Section::newest(10)).await;
    assert_eq!((seqs(&all), gaps(&all)), (vec![1, 2, 3, 4, 5, 8, 9], vec![(6, 7)]));
    assert_eq!((shown(&all), all.older, all.is_newest()), ((1, 9), Older::Nothing, true));

    let few = section(store, thread, Section::newest(3)).await;
    assert_eq!((seqs(&few), gaps(&few), few.older), (vec![5, 8, 9], vec![(6, 7)], Older::Here(seq(5))));

    history(store, thread, 6, 7, messages(thread, 6..=7, &ada())).await;
    assert_eq!(gaps(&section(store, thread, Section::newest(10)).await), []);
}

/// `Messages::section`, rule 1.
pub async fn a_section_begins_above_a_gap(store: &dyn Store) {
    let thread = with_gap(store).await;
    let above = section(store, thread, between(6, 9, End::Newest, 10)).await;
    assert_eq!((seqs(&above), gaps(&above)), (vec![8, 9], vec![]));
    assert_eq!((shown(&above), above.older), ((8, 9), Older::OnServer(seq(8))));
}

/// `Messages::section`, rule 1: the seqs of messages that are gone are known.
pub async fn deleted_messages_are_no_gap_of_a_section(store: &dyn Store) {
    let thread = with_gap(store).await;
    let tombstones = [3, 6, 7].map(|n| tombstone(message_id(thread, n), thread, n, 2)).to_vec();
    pulled(store, Changes { tombstones, ..Changes::default() }).await;
    let all = section(store, thread, Section::newest(10)).await;
    assert_eq!((seqs(&all), gaps(&all)), (vec![1, 2, 4, 5, 8, 9], vec![]));
}

/// `Messages::section`, rule 2.
pub async fn a_section_is_read_in_both_directions(store: &dyn Store) {
    let thread = five(store).await;
    let up = section(store, thread, Section::below(seq(5), 2)).await;
    assert_eq!((seqs(&up), up.older, up.is_newest()), (vec![3, 4], Older::Here(seq(3)), false));
    let down = section(store, thread, Section::from(seq(2), 2)).await;
    assert_eq!((seqs(&down), down.older, down.is_newest()), (vec![2, 3], Older::Here(seq(2)), false));
    let end = section(store, thread, Section::from(seq(4), 2)).await;
    assert_eq!((seqs(&end), end.is_newest()), (vec![4, 5], true));
    let oldest = section(store, thread, between(2, 4, End::Oldest, 2)).await;
    let newest = section(store, thread, between(2, 4, End::Newest, 2)).await;
    assert_eq!((seqs(&oldest), seqs(&newest)), (vec![2, 3], vec![3, 4]));
    assert_eq!((shown(&oldest), shown(&newest)), ((2, 3), (3, 4)));
}

/// `Messages::section`, rule 2.
pub async fn a_section_says_what_is_below_it(store: &dyn Store) {
    let thread = loaded_thread(store, direct(1, 50), messages(conversation_id(1), 41..=50, &ada())).await;
    let all = section(store, thread, Section::newest(100)).await;
    assert_eq!((seqs(&all).len(), all.older, shown(&all)), (10, Older::OnServer(seq(41)), (41, 50)));
    let none = section(store, thread, Section::below(seq(41), 5)).await;
    assert_eq!((seqs(&none), none.older), (vec![], Older::OnServer(seq(41))));
    let empty = section(store, thread, Section::newest(0)).await;
    assert_eq!((seqs(&empty), empty.older), (vec![], Older::Here(seq(51))));
}

/// `Messages::section`, rule 3: another page told of them, and they have not come yet.
pub async fn missing_newest_messages_are_a_gap(store: &dyn Store) {
    let thread = five(store).await;
    pulled(store, Changes { conversations: vec![direct(1, 8)], ..Changes::default() }).await;
    let all = section(store, thread, Section::newest(10)).await;
    assert_eq!((seqs(&all), gaps(&all), all.last_seq), (vec![1, 2, 3, 4, 5], vec![(6, 8)], seq(8)));
}

/// `Messages::section`, rule 4.
pub async fn unsent_messages_belong_to_the_last_section(store: &dyn Store) {
    let thread = five(store).await;
    sent(store, 1, thread).await;
    assert_eq!(seqs(&section(store, thread, Section::newest(2)).await), [4, 5, 0]);
    assert_eq!(seqs(&section(store, thread, Section::from(seq(5), 2)).await), [5, 0]);
    assert_eq!(seqs(&section(store, thread, Section::from(seq(1), 2)).await), [1, 2]);
    assert_eq!(seqs(&section(store, thread, between(1, 5, End::Newest, 10)).await), [1, 2, 3, 4, 5]);
}

/// An empty thread, and one of which nothing is here.
pub async fn a_section_of_an_empty_and_of_an_unloaded_thread(store: &dyn Store) {
    let conversations = vec![direct(1, 0), other_direct(2, 7)];
    loaded(store, Changes { conversations, ..Changes::default() }).await;
    let empty = section(store, conversation_id(1), Section::newest(10)).await;
    assert_eq!((seqs(&empty), empty.older, empty.is_newest()), (vec![], Older::Nothing, true));
    let unloaded = section(store, conversation_id(2), Section::newest(10)).await;
    assert_eq!((seqs(&unloaded), unloaded.older, shown(&unloaded)), (vec![], Older::OnServer(seq(8)), (8, 7)));
}

/// `Messages::section`: the error, and how far the person has read.
pub async fn a_section_says_how_far_the_person_has_read(store: &dyn Store) {
    let thread = five(store).await;
    assert_eq!(section(store, thread, Section::newest(1)).await.read_seq, Seq::ZERO);
    read_up_to(store, 1, thread, 3).await;
    assert_eq!(section(store, thread, Section::newest(1)).await.read_seq, seq(3));
    let error = store.section(conversation_id(9), Section::newest(1)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (StorageErrorKind::NotFound, "section"));
}
