//! After any changes of single lines, the diffs add up to the shown lines, and these are the top of the store's list.

use super::*;
use crate::{OrgId, Seq, Time};
use uuid::Uuid;

fn id(number: u32) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(number.into()))
}

fn line(number: u32, second: i64, unread: u64) -> ConversationSummary {
    ConversationSummary {
        id: id(number),
        org_id: OrgId::from_uuid(Uuid::nil()),
        kind: if number.is_multiple_of(3) { ConversationKind::Broadcast } else { ConversationKind::Direct },
        participant_name: format!("Medic {number}"),
        subject: None,
        omitted: None,
        medic_id: None,
        created_at: Time::UNIX_EPOCH,
        last_message_at: Time::from_timestamp(second, 0),
        last_message_preview: None,
        unread,
        unread_mentions: 0,
        last_seq: Seq::ZERO,
        on_server: true,
        settings: crate::Settings::default(),
        revived: false,
        draft: None,
    }
}

/// The store's answer.
fn sorted(all: &[ConversationSummary]) -> Vec<ConversationSummary> {
    let mut all = all.to_vec();
    all.sort_by_key(|line| (std::cmp::Reverse(line.last_message_at), line.id));
    all
}

fn read(query: &ConversationQuery, all: &[ConversationSummary]) -> (Vec<ConversationSummary>, bool) {
    if query.is_filtered() {
        return (sorted(all).into_iter().filter(|line| query.matches(line)).collect(), false);
    }
    let enough = query.most() + SPARE;
    (sorted(all).into_iter().take(enough).collect(), all.len() >= enough)
}

/// Repeatable randomness.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn many_changes(query: &ConversationQuery, seed: u64) {
    let mut chance = Chance(seed);
    let mut all: Vec<_> = (0..150).map(|n| line(n, i64::from(n % 70), u64::from(n % 2))).collect();
    let (lines, more) = read(query, &all);
    let mut lines = Lines::new(query.clone(), lines, more);
    let mut shown = lines.shown();
    for _ in 0..400 {
        let touched: Vec<u32> = (0..=chance.below(3)).map(|_| chance.below(220) as u32).collect();
        for number in &touched {
            all.retain(|line| line.id != id(*number));
            if chance.below(4) > 0 {
                all.push(line(*number, chance.below(100) as i64, chance.below(2)));
            }
        }
        let now = touched.iter().map(|n| (id(*n), all.iter().find(|line| line.id == id(*n)).cloned())).collect();
        let mut diffs = lines.put(now);
        if lines.is_short() {
            let (again, more) = read(query, &all);
            diffs.extend(lines.replace(again, more));
        }
        diffs.into_iter().for_each(|diff| diff.apply(&mut shown));
        let top = sorted(&all).into_iter().filter(|line| query.matches(line)).take(query.most());
        assert!(shown.iter().cloned().eq(top), "seed {seed}: {query:?}");
        assert_eq!(shown, lines.shown());
    }
}

#[test]
fn the_diffs_of_single_lines_make_what_the_store_has() {
    for seed in 0..5 {
        let all = ConversationQuery::default();
        for limit in [0, 1, 3, 40, 90, 10_000] {
            many_changes(&all.clone().limit(limit), seed);
        }
        many_changes(&all.clone().unread().limit(5), seed);
        many_changes(&all.clone().kind(ConversationKind::Broadcast), seed);
        many_changes(&all.text("medic 1").unwrap().limit(20), seed);
    }
}

#[test]
fn a_line_that_moves_up_is_taken_out_and_put_in() {
    let all: Vec<_> = (0..200).map(|n| line(n, i64::from(n), 0)).collect();
    let (read, more) = read(&ConversationQuery::default().limit(3), &all);
    let mut lines = Lines::new(ConversationQuery::default().limit(3), read, more);
    let moved = line(197, 500, 1);
    let diffs = lines.put(vec![(id(197), Some(moved.clone()))]);
    assert_eq!(diffs, [VectorDiff::Remove { index: 2 }, VectorDiff::Insert { index: 0, value: moved }]);
    let new = line(5, 600, 1);
    let diffs = lines.put(vec![(id(5), Some(new.clone()))]);
    assert_eq!(diffs, [VectorDiff::PopBack, VectorDiff::Insert { index: 0, value: new }]);
}

#[test]
fn a_text_is_found_whatever_its_case() {
    let found = |text| ConversationQuery::default().text(text).unwrap().matches(&line(7, 1, 0));
    assert!(found("MEDIC 7") && found(" medic ") && found("") && !found("medic 8"));
}
