use super::*;
use crate::crash::said::Said;
use uuid::Uuid;

fn id(number: u64) -> MessageId {
    MessageId::from_uuid(Uuid::from_u128(number.into()))
}

fn conversation(number: u128) -> ConversationId {
    ConversationId::from_uuid(Uuid::from_u128(number))
}

const fn medic() -> MedicId {
    MedicId::from_uuid(Uuid::from_u128(7))
}

fn accepted(number: u64) -> Said {
    Said::Accepted { id: id(number), number, conversation: conversation(0) }
}

/// The ledger of a process with this output.
fn ledger(lines: Vec<Said>) -> Ledger {
    let mut ledger = Ledger::new([medic()]);
    lines.into_iter().for_each(|line| ledger.hear("a", line));
    ledger
}

fn stored(number: u64, as_id: u64, seq: u64) -> Stored {
    Stored { conversation: conversation(0), seq, id: id(as_id), text: format!("a#{number}") }
}

fn server(messages: &[Stored]) -> Contents {
    Contents { messages: messages.to_vec(), directs: vec![(medic(), conversation(0))], records: vec![] }
}

fn harms(findings: Vec<Finding>) -> Vec<Harm> {
    findings.into_iter().map(|finding| finding.harm).collect()
}

#[test]
fn each_way_of_going_wrong_is_found_and_named() {
    let ledger = ledger(vec![accepted(1), accepted(2)]);
    let right = [stored(1, 1, 1), stored(2, 2, 2)];
    assert!(ledger.judge(&server(&right)).is_empty() && ledger.missing(&server(&right)).is_empty());

    assert_eq!(harms(ledger.missing(&server(&right[..1]))), [Harm::Lost]);
    assert_eq!(harms(ledger.judge(&server(&[stored(1, 1, 2), stored(2, 2, 1)]))), [Harm::Disordered]);
    assert_eq!(harms(ledger.judge(&server(&[stored(1, 9, 1)]))), [Harm::Duplicated]);
    let twice = [stored(1, 1, 1), stored(1, 9, 2), stored(2, 2, 3)];
    assert!(harms(ledger.judge(&server(&twice))).contains(&Harm::Duplicated));
}

#[test]
fn a_changed_message_says_what_was_last_accepted() {
    let changing = Said::Editing { id: id(1), text: "changed".to_owned() };
    let says = |text: &str| server(&[Stored { text: text.to_owned(), ..stored(1, 1, 1) }]);

    let killed_meanwhile = ledger(vec![accepted(1), changing.clone()]);
    for text in ["a#1", "changed"] {
        assert!(killed_meanwhile.judge(&says(text)).is_empty(), "{text}: nobody was told");
    }
    let done = ledger(vec![accepted(1), changing.clone(), Said::Edited { id: id(1), done: true }]);
    assert!(done.judge(&says("changed")).is_empty());
    assert_eq!(harms(done.judge(&says("a#1"))), [Harm::Altered]);
    let refused = ledger(vec![accepted(1), changing, Said::Edited { id: id(1), done: false }]);
    assert_eq!(harms(refused.judge(&says("changed"))), [Harm::Altered]);
}

#[test]
fn what_was_taken_back_stays_away_and_what_was_not_does_not() {
    let cancelling = Said::Cancelling { id: Some(id(1)), conversation: None };
    let there = server(&[stored(1, 1, 1)]);
    let unknown = ledger(vec![accepted(1), cancelling.clone()]);
    assert!(unknown.judge(&there).is_empty() && unknown.missing(&server(&[])).is_empty(), "nobody was told");

    let promised = Said::Cancelled { messages: vec![id(1)], conversation: None };
    let gone = ledger(vec![accepted(1), cancelling.clone(), promised]);
    assert_eq!(harms(gone.judge(&there)), [Harm::Returned]);
    assert!(gone.missing(&server(&[])).is_empty());

    let kept = ledger(vec![accepted(1), cancelling, Said::NotCancelled { id: Some(id(1)), conversation: None }]);
    assert_eq!(harms(kept.missing(&server(&[]))), [Harm::Lost]);
}

#[test]
fn an_opened_conversation_is_there_once_with_its_messages() {
    let here = Said::Here { conversation: conversation(5), medic: medic() };
    let sent = Said::Accepted { id: id(1), number: 1, conversation: conversation(5) };
    let opened = ledger(vec![here.clone(), sent]);
    // The server already had a conversation, so 5 is another id of 0.
    assert!(opened.judge(&server(&[stored(1, 1, 1)])).is_empty());

    let elsewhere = Stored { conversation: conversation(9), ..stored(1, 1, 1) };
    assert_eq!(harms(opened.judge(&server(&[elsewhere]))), [Harm::Misplaced]);
    let twice = Contents { directs: vec![(medic(), conversation(0)), (medic(), conversation(5))], ..server(&[]) };
    assert_eq!(harms(opened.judge(&twice)), [Harm::Duplicated]);
    let nowhere = Contents { directs: vec![], ..server(&[stored(1, 1, 1)]) };
    assert_eq!(harms(opened.missing(&nowhere)), [Harm::Lost]);

    let taken_back = Said::Cancelled { messages: vec![], conversation: Some(conversation(5)) };
    let gone = ledger(vec![here, taken_back]);
    assert!(gone.missing(&nowhere).is_empty());
    assert_eq!(harms(gone.judge(&twice)), [Harm::Returned, Harm::Duplicated]);
}
