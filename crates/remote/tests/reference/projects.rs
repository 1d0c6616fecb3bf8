//! Somebody else's projects: their triggers and policies, members of several orgs, unusual rows.

use fieldpost_domain::{
    AccessToken, Acknowledgement, Capabilities, Capability, Changes, ConversationDigest, ConversationId, Cursor,
    Intent, Message, MessageContent, MessageId, MessageKind, Mutation, MutationId, NewMessage, OpenDirect, PersonId,
    PushOutcome, Refusal, RefusalCode, Role, Seq, SeqRange, TombstoneOf, Version,
};
use fieldpost_remote::{
    Auth, BootstrapRequest, Credentials, HistoryRequest, MessagingApi, PullRequest, PushRequest, client_capabilities,
    reference::{DEMO_ADA, DEMO_PASSWORD, Medic, Profile, Project, ReferenceServer, SubmittedMessage},
};
use uuid::Uuid;

const PASSWORD: &str = "pw";

fn profile(name: &'static str) -> Profile<'static> {
    Profile { first_name: name, last_name: "Test", email: name, password: PASSWORD }
}

async fn token(server: &ReferenceServer, name: &str) -> AccessToken {
    let credentials = Credentials { email: name.to_owned(), password: PASSWORD.into() };
    server.sign_in(&credentials).await.unwrap().access_token
}

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 | n)
}

fn open(id: u128, medic: Option<fieldpost_domain::MedicId>, org: Option<fieldpost_domain::OrgId>) -> Mutation {
    let conversation_id = ConversationId::from_uuid(uuid(id));
    let intent = Intent::OpenDirect(OpenDirect { conversation_id, medic_id: medic, org_id: org });
    Mutation { id: MutationId::from_uuid(uuid(id)), intent }
}

fn send(id: u128, conversation_id: ConversationId, sender_id: PersonId, text: &str) -> Mutation {
    let message = NewMessage {
        id: MessageId::from_uuid(uuid(id)),
        conversation_id,
        sender_id,
        kind: MessageKind::Text,
        content: MessageContent::new(text).unwrap(),
        metadata: None,
        reply_to: None,
        mentions: fieldpost_domain::Mentions::new(),
        composed_at: chrono::Utc::now(),
    };
    Mutation { id: MutationId::from_uuid(uuid(id)), intent: Intent::SendMessage(message) }
}

async fn push(server: &ReferenceServer, token: &AccessToken, mutation: Mutation) -> PushOutcome {
    server.push(token, &PushRequest::of(vec![mutation])).await.unwrap().results.remove(0).outcome
}

fn refused(outcome: &PushOutcome) -> RefusalCode {
    let PushOutcome::Rejected(refusal) = outcome else { panic!("{outcome:?}") };
    refusal.code.clone()
}

fn opened(outcome: PushOutcome) -> fieldpost_domain::Conversation {
    let PushOutcome::Acknowledged(Acknowledgement::Opened(row)) = outcome else { panic!("{outcome:?}") };
    *row
}

/// Only their author sees messages that begin with "(internal)"; messages that begin with "(spam)" are refused.
struct Internal;

impl Project for Internal {
    fn hides(&self) -> bool {
        true
    }

    fn shows(&self, message: &Message, reader: PersonId) -> bool {
        let internal = message.content.as_deref().is_some_and(|content| content.starts_with("(internal)"));
        !internal || message.sender_id == reader
    }

    fn stores(&self, message: &mut SubmittedMessage, _: PersonId) -> Result<(), Refusal> {
        let content = message.content.as_deref().unwrap_or_default();
        if content.starts_with("(spam)") {
            let detail = Some("no spam (P0001)".to_owned());
            return Err(Refusal { code: RefusalCode::Refused, detail });
        }
        Ok(())
    }
}

struct World {
    server: ReferenceServer,
    admin: PersonId,
    ada: Medic,
    thread: ConversationId,
}

fn world() -> World {
    let server = ReferenceServer::builder().project(Internal).build();
    let org = server.add_org("Here");
    let (admin, ada) = (server.add_admin(org, profile("robin")), server.add_medic(org, profile("ada")));
    let thread = server.open_direct(org, ada.medic_id, admin);
    World { server, admin, ada, thread }
}

async fn bootstrap(server: &ReferenceServer, token: &AccessToken) -> (Changes, Cursor) {
    let page = server.bootstrap(token, BootstrapRequest::default()).await.unwrap();
    (page.changes, page.cursor)
}

async fn pull(server: &ReferenceServer, token: &AccessToken, cursor: &Cursor) -> (Changes, Cursor) {
    let page = server.pull(token, PullRequest { cursor: cursor.clone(), limit: None, bytes: None }).await.unwrap();
    (page.changes, page.cursor)
}

fn texts(changes: &Changes) -> Vec<&str> {
    changes.messages.iter().filter_map(|message| message.content.as_deref()).collect()
}

#[tokio::test]
async fn what_a_policy_hides_is_nowhere_and_its_number_is_no_gap() {
    let World { server, admin, ada, thread } = world();
    for text in ["one", "(internal) two", "three", "(internal) four"] {
        server.insert_message(thread, admin, text).unwrap();
    }
    let hers = token(&server, "ada").await;
    let (first, cursor) = bootstrap(&server, &hers).await;
    assert_eq!(texts(&first), ["one", "three"]);
    let range = |from, to| SeqRange { from: Seq::new(from), to: Seq::new(to) };
    assert_eq!(first.covered.iter().map(|part| part.range).collect::<Vec<_>>(), [range(1, 4)]);
    let row = &first.conversations[0];
    assert_eq!((row.last_message_preview.as_deref(), row.unread, row.last_seq), (Some("three"), 2, Seq::new(4)));

    server.insert_message(thread, admin, "(internal) five").unwrap();
    server.insert_message(thread, admin, "(internal) six").unwrap();
    server.insert_message(thread, admin, "seven").unwrap();
    let (changes, _) = pull(&server, &hers, &cursor).await;
    assert_eq!(texts(&changes), ["seven"]);
    assert_eq!(changes.covered.iter().map(|part| part.range).collect::<Vec<_>>(), [range(5, 6)]);
    assert_eq!(changes.tombstones, [], "she was never shown them");
    let request = HistoryRequest { conversation_id: thread, before: None, limit: None, bytes: None };
    let page = server.history(&hers, request).await.unwrap();
    assert_eq!((texts(&page.changes), page.range), (vec!["one", "three", "seven"], range(1, 7)));
    assert_eq!(texts(&server.visible_to(ada.person_id)), ["one", "three", "seven"]);
    let his = token(&server, "robin").await;
    assert_eq!(texts(&bootstrap(&server, &his).await.0).len(), 7, "their author sees them");

    let old = Capabilities::from([Capability::SetDigest]);
    let page = server.pull_for(&hers, &PullRequest { cursor, limit: None, bytes: None }, &old).unwrap();
    assert_eq!(page.changes.covered, [], "only to those that named it");
}

#[tokio::test]
async fn what_a_change_hides_is_withdrawn_and_may_come_back() {
    let World { server, admin, thread, .. } = world();
    let message = server.insert_message(thread, admin, "seen").unwrap();
    let hers = token(&server, "ada").await;
    let (_, cursor) = bootstrap(&server, &hers).await;
    server.edit_message(message.id, "(internal) not any more");
    let (changes, cursor) = pull(&server, &hers, &cursor).await;
    assert_eq!(changes.messages, []);
    let [withdrawn] = changes.tombstones.as_slice() else { panic!("{changes:?}") };
    assert_eq!(withdrawn.of, TombstoneOf::Message { id: message.id, seq: message.seq });
    assert_eq!(withdrawn.version, Version::new(1), "what she was shown");

    server.edit_message(message.id, "seen again");
    let (changes, _) = pull(&server, &hers, &cursor).await;
    assert_eq!(texts(&changes), ["seen again"]);
    assert!(changes.messages[0].version > withdrawn.version);
}

#[tokio::test]
async fn what_the_project_does_not_take_takes_no_number() {
    let World { server, ada, thread, .. } = world();
    let hers = token(&server, "ada").await;
    let outcome = push(&server, &hers, send(1, thread, ada.person_id, "(spam) buy")).await;
    assert_eq!(refused(&outcome), RefusalCode::Refused);
    let outcome = push(&server, &hers, send(2, thread, ada.person_id, "hello")).await;
    let PushOutcome::Acknowledged(Acknowledgement::Sent(ack)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(ack.seq, Seq::new(1));
}

#[tokio::test]
async fn an_older_client_gets_the_digest_that_it_knows() {
    let World { server, thread, .. } = world();
    let hers = token(&server, "ada").await;
    let digest = |client| server.bootstrap_for(&hers, &BootstrapRequest::default(), &client).unwrap().digest;
    assert_eq!(digest(Capabilities::new()), Some(ConversationDigest::sorted([thread])));
    assert_eq!(digest(client_capabilities()), Some(ConversationDigest::of([thread])));

    let first = ReferenceServer::builder().of_the_first_sql().build();
    first.add_demo();
    let credentials = Credentials { email: DEMO_ADA.to_owned(), password: DEMO_PASSWORD.into() };
    let ada = first.sign_in(&credentials).await.unwrap();
    let page = first.bootstrap(&ada.access_token, BootstrapRequest::default()).await.unwrap();
    let ids = page.changes.conversations.iter().map(|row| row.id);
    assert_eq!(page.digest, Some(ConversationDigest::sorted(ids)));
    assert_eq!(page.server.sql_version, Some(1));
}

/// A person with two rows in the roster of one org keeps both conversations.
#[tokio::test]
async fn a_medic_with_two_rows_in_the_roster_keeps_both_conversations() {
    let server = ReferenceServer::new();
    let org = server.add_org("Here");
    let (admin, ada) = (server.add_admin(org, profile("robin")), server.add_medic(org, profile("ada")));
    let first = server.open_direct(org, ada.medic_id, admin);
    let hers = token(&server, "ada").await;
    let (_, cursor) = bootstrap(&server, &hers).await;

    let second_row = server.enlist_again(ada.person_id, org, "Ada", "Again");
    let second = server.open_direct(org, second_row, admin);
    server.insert_message(second, admin, "to the other one").unwrap();
    let (changes, _) = pull(&server, &hers, &cursor).await;
    assert_eq!(texts(&changes), ["to the other one"]);
    let mut seen: Vec<_> = server.conversations_of(ada.person_id).iter().map(|row| row.id).collect();
    seen.sort();
    let mut both = [first, second];
    both.sort();
    assert_eq!(seen, both);
    assert_eq!(opened(push(&server, &hers, open(1, Some(second_row), None)).await).id, second);
}

/// Every membership applies, each in its own org.
#[tokio::test]
async fn a_member_of_two_orgs_is_in_each_what_she_is_there() {
    let server = ReferenceServer::new();
    let (here, there) = (server.add_org("Here"), server.add_org("There"));
    let robin = server.add_admin(here, profile("robin"));
    let ada = server.add_medic(there, profile("ada"));
    let theirs = server.open_broadcast(there, Some("Notices"), ada.person_id);
    let hers = server.open_direct(there, ada.medic_id, ada.person_id);
    server.add_member(robin, there, Role::Medic, "Robin", "Test");
    let token = token(&server, "robin").await;
    let (changes, _) = bootstrap(&server, &token).await;
    let seen: Vec<_> = changes.conversations.iter().map(|row| row.id).collect();
    assert_eq!(seen, [theirs], "a medic there sees no other's conversation, though she is an admin here");
    assert_eq!(changes.people.iter().filter(|person| person.id == robin).count(), 2);
    assert!(!seen.contains(&hers));

    let cara = server.add_medic(here, profile("cara"));
    let row = opened(push(&server, &token, open(1, Some(cara.medic_id), None)).await);
    assert_eq!(row.org_id, here, "the org is that of the medic");
    assert_eq!(refused(&push(&server, &token, open(2, Some(ada.medic_id), Some(there))).await), RefusalCode::NotFound);
    assert_eq!(refused(&push(&server, &token, open(3, Some(ada.medic_id), Some(here))).await), RefusalCode::NotFound);
}

/// A medic without an account gives her name to her conversation; after a rename it is sent again.
#[tokio::test]
async fn a_medic_without_an_account_who_is_renamed_renames_her_conversation() {
    let server = ReferenceServer::new();
    let org = server.add_org("Here");
    let admin = server.add_admin(org, profile("robin"));
    let medic = server.add_medic_without_account(org, "Ben", "Okafor");
    let thread = server.open_direct(org, medic, admin);
    let token = token(&server, "robin").await;
    let (before, cursor) = bootstrap(&server, &token).await;
    server.rename_medic(medic, "Ben", "Adeyemi");
    let (changes, _) = pull(&server, &token, &cursor).await;
    let [row] = changes.conversations.as_slice() else { panic!("{changes:?}") };
    assert_eq!((row.id, row.medic_name.as_deref()), (thread, Some("Ben Adeyemi")));
    assert_eq!(row.version, before.conversations[0].version, "it is derived");
}

/// No id is reused for another conversation, however long ago the first was deleted.
#[tokio::test]
async fn the_id_of_a_deleted_conversation_is_used_up_for_ever() {
    let server = ReferenceServer::new();
    let org = server.add_org("Here");
    server.add_admin(org, profile("robin"));
    server.add_medic(org, profile("ada"));
    let hers = token(&server, "ada").await;
    let first = opened(push(&server, &hers, open(1, None, None)).await).id;
    server.delete_conversation(first);
    assert_eq!(refused(&push(&server, &hers, open(1, None, None)).await), RefusalCode::ConversationDeleted);
    server.compact();
    assert_eq!(server.tombstones(), []);
    assert_eq!(refused(&push(&server, &hers, open(1, None, None)).await), RefusalCode::ConversationDeleted);
    assert_ne!(opened(push(&server, &hers, open(2, None, None)).await).id, first);
}

/// `profiles` has one row per person: a second insert fails its whole transaction.
#[tokio::test]
async fn a_second_row_for_a_person_fails_the_whole_transaction() {
    let server = ReferenceServer::new();
    let (here, there) = (server.add_org("Here"), server.add_org("There"));
    let admin = server.add_admin(here, profile("robin"));
    let ada = server.add_medic(here, profile("ada"));
    let thread = server.open_direct(here, ada.medic_id, admin);
    let cursor = bootstrap(&server, &token(&server, "robin").await).await.1;

    let transaction = server.begin();
    transaction.insert_message(thread, admin, "along with it").unwrap();
    transaction.add_member(ada.person_id, there, Role::Medic, "Ada", "There");
    assert!(!transaction.commit());
    assert_eq!(server.messages_of(thread), []);
    assert!(pull(&server, &token(&server, "robin").await, &cursor).await.0.is_empty());
    assert_eq!(server.insert_message(thread, admin, "after it").unwrap().seq, Seq::new(1), "not even a number is gone");

    server.remove_member(ada.person_id);
    let transaction = server.begin();
    transaction.add_member(ada.person_id, there, Role::Medic, "Ada", "There");
    assert!(transaction.commit());
}
