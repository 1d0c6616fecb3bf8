//! The names that are shown, and how they follow the people's rows.

use super::build::{
    ada, ben, bootstrap_page, broadcast, conversation_id, direct, iris, message, mutation_id, new_direct, person_id,
    session,
};
use super::given::{bootstrapped, loaded, loaded_thread, newest, pulled, sent, summary, thread};
use crate::{BootstrapReason, Store};
use fieldpost_domain::{BootstrapPage, Changes, Conversation, ConversationId, MedicId, Person, Role, Version, names};

async fn name(store: &dyn Store, n: u64) -> String {
    summary(store, conversation_id(n)).await.participant_name
}

async fn senders(store: &dyn Store, thread: ConversationId) -> Vec<String> {
    newest(store, thread, 10).await.messages.into_iter().map(|message| message.sender_name).collect()
}

async fn renamed(store: &dyn Store, who: Person, first_name: &str, version: u64) {
    let person = Person { first_name: first_name.to_owned(), version: Version::new(version), ..who };
    pulled(store, Changes { people: vec![person], ..Changes::default() }).await;
}

/// A person who has moved to another org has a row in each. The current membership counts.
pub async fn person_returns_the_row_of_the_current_org(store: &dyn Store) {
    loaded(store, Changes { people: vec![iris(), Person { version: Version::new(7), ..ada() }], ..Changes::default() })
        .await;
    let left = Person { removed: true, version: Version::new(8), ..ada() };
    let moved = Person { org_id: super::build::other_org(), version: Version::new(1), ..ada() };
    for rows in [vec![left.clone(), moved.clone()], vec![moved.clone(), left]] {
        pulled(store, Changes { people: rows, ..Changes::default() }).await;
        assert_eq!(store.person(ada().id).await.unwrap(), Some(moved.clone()));
    }
}

/// A person has left for an org that the signed-in person cannot see any more. The rows that the bootstrap lists count.
pub async fn person_returns_the_row_that_a_bootstrap_names(store: &dyn Store) {
    let elsewhere = Person { org_id: super::build::other_org(), version: Version::new(7), ..ada() };
    let left = Person { removed: true, version: Version::new(3), ..ada() };
    for (rows, expected) in [
        (vec![left.clone()], &left),
        (vec![left.clone(), elsewhere.clone()], &elsewhere),
        (vec![elsewhere.clone(), left.clone()], &elsewhere),
    ] {
        bootstrapped(store, BootstrapReason::Reconcile, people(vec![iris(), elsewhere.clone()])).await;
        let mut rows = rows;
        rows.push(iris());
        bootstrapped(store, BootstrapReason::Reconcile, people(rows)).await;
        assert_eq!(store.person(ada().id).await.unwrap().as_ref(), Some(expected));
        pulled(store, people(vec![elsewhere.clone()])).await;
        pulled(store, people(vec![left.clone()])).await;
        assert_eq!(store.person(ada().id).await.unwrap(), Some(elsewhere.clone()), "a pull says who left where");
    }
}

fn people(people: Vec<Person>) -> Changes {
    Changes { people, ..Changes::default() }
}

/// An admin sees the medic's name, and the subject of a broadcast.
pub async fn an_admin_sees_the_medics_name(store: &dyn Store) {
    let unnamed = Conversation { subject: None, ..broadcast(3, 0) };
    loaded(
        store,
        Changes {
            people: vec![iris(), ada()],
            conversations: vec![direct(1, 0), broadcast(2, 0), unnamed],
            ..Changes::default()
        },
    )
    .await;
    assert_eq!(
        [name(store, 1).await, name(store, 2).await, name(store, 3).await],
        ["Ada Moss", "Crane 3", names::BROADCAST]
    );
}

/// Defect 9: a medic is found by the medic id, even if a person id has the same number.
pub async fn defect_9_a_medic_is_found_by_the_medics_row(store: &dyn Store) {
    let trap = Person { id: person_id(8), medic_id: Some(MedicId::from_uuid(ada().id.as_uuid())), ..ben() };
    let of_trap = Conversation { medic_id: trap.medic_id, ..direct(2, 0) };
    let conversations = vec![direct(1, 0), of_trap];
    loaded(store, Changes { people: vec![iris(), ada(), trap], conversations, ..Changes::default() }).await;
    assert_eq!([name(store, 1).await, name(store, 2).await], ["Ada Moss", "Ben Okafor"]);
}

/// A medic sees "Admin".
pub async fn a_medic_sees_admin(store: &dyn Store) {
    store.save_session(&session(&ada(), 1)).await.unwrap();
    store.begin_bootstrap(BootstrapReason::First).await.unwrap();
    let id = conversation_id(1);
    let changes = thread(direct(1, 2), vec![message(id, 1, &iris()), message(id, 2, &ada())]);
    store.apply_bootstrap(None, BootstrapPage { me: Some(ada()), ..bootstrap_page(changes) }).await.unwrap();

    assert_eq!(name(store, 1).await, names::ADMIN);
    let shown = newest(store, id, 10).await.messages;
    assert_eq!((shown[0].sender_name.as_str(), shown[0].mine), (names::ADMIN, false));
    assert_eq!((shown[1].sender_name.as_str(), shown[1].mine), ("Ada Moss", true));
    assert_eq!(summary(store, id).await.unread, 1);
}

/// If the medic is not known, the name that the server sent is shown; else "Unknown Medic".
pub async fn an_unknown_medic_has_the_name_that_the_server_sent(store: &dyn Store) {
    let named = Conversation { medic_name: Some("Ada M.".to_owned()), ..direct(1, 0) };
    let nameless = Conversation { medic_id: ben().medic_id, ..direct(2, 0) };
    loaded(store, Changes { conversations: vec![named, nameless], ..Changes::default() }).await;
    assert_eq!([name(store, 1).await, name(store, 2).await], ["Ada M.", names::UNKNOWN_MEDIC]);

    let corrected = Conversation { medic_name: Some("Ada Mo.".to_owned()), ..direct(1, 0) };
    pulled(store, Changes { conversations: vec![corrected], ..Changes::default() }).await;
    assert_eq!(name(store, 1).await, "Ada Mo.", "the name is derived and raises no version");

    pulled(store, Changes { people: vec![ada(), ben()], ..Changes::default() }).await;
    assert_eq!([name(store, 1).await, name(store, 2).await], ["Ada Moss", "Ben Okafor"]);

    let later = Conversation {
        medic_id: None,
        medic_name: Some("A. Moss".to_owned()),
        version: Version::new(2),
        ..direct(1, 0)
    };
    pulled(store, Changes { conversations: vec![later], ..Changes::default() }).await;
    assert_eq!(name(store, 1).await, "A. Moss");
}

/// A new name shows on the person's messages and conversation.
pub async fn a_new_name_shows_everywhere(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 2), vec![message(id, 1, &ada()), message(id, 2, &iris())]).await;
    assert_eq!(senders(store, id).await, ["Ada Moss", names::ADMIN]);

    renamed(store, ada(), "Adele", 2).await;
    assert_eq!((name(store, 1).await.as_str(), senders(store, id).await[0].as_str()), ("Adele Moss", "Adele Moss"));
    assert_eq!(store.message(super::build::message_id(id, 1)).await.unwrap().unwrap().sender_name, "Adele Moss");

    renamed(store, ada(), "Old", 1).await;
    assert_eq!(senders(store, id).await, ["Adele Moss", names::ADMIN]);
}

/// A sender's row may come after the message.
pub async fn a_sender_may_come_after_the_message(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 1), vec![message(id, 1, &ben())]).await;
    assert_eq!(senders(store, id).await, [names::ADMIN]);
    pulled(store, Changes { people: vec![ben()], ..Changes::default() }).await;
    assert_eq!(senders(store, id).await, ["Ben Okafor"]);
}

/// A former member keeps the name on their messages.
pub async fn a_member_of_the_past_keeps_the_name(store: &dyn Store) {
    let id = conversation_id(1);
    loaded_thread(store, direct(1, 1), vec![message(id, 1, &ada())]).await;
    let gone = Person { removed: true, version: Version::new(2), ..ada() };
    pulled(store, Changes { people: vec![gone], ..Changes::default() }).await;
    assert_eq!((name(store, 1).await.as_str(), senders(store, id).await[0].as_str()), ("Ada Moss", "Ada Moss"));
    assert_eq!(store.people().await.unwrap(), [iris()]);
}

/// Queued messages and conversations opened offline have names.
pub async fn queued_rows_have_names(store: &dyn Store) {
    loaded(store, Changes { people: vec![ada()], ..Changes::default() }).await;
    store.open_direct(mutation_id(1), new_direct(1)).await.unwrap();
    assert_eq!(sent(store, 2, conversation_id(1)).await.sender_name, names::ADMIN);
    assert_eq!(name(store, 1).await, "Ada Moss");
    renamed(store, ada(), "Adele", 2).await;
    assert_eq!(name(store, 1).await, "Adele Moss");
}

/// The viewer's role decides which names they see.
pub async fn a_new_role_changes_the_names(store: &dyn Store) {
    loaded_thread(store, direct(1, 0), vec![]).await;
    assert_eq!(name(store, 1).await, "Ada Moss");
    let medic = Person { role: Role::Medic, version: Version::new(2), ..iris() };
    pulled(store, Changes { people: vec![medic], ..Changes::default() }).await;
    assert_eq!(name(store, 1).await, names::ADMIN);
}

/// A member of two orgs has the role of each org in its conversations.
pub async fn a_member_of_two_orgs_has_the_role_of_each_org(store: &dyn Store) {
    let other = super::build::other_org();
    let there = Person {
        org_id: other,
        role: Role::Medic,
        first_name: "Irina".to_owned(),
        medic_id: Some(super::build::medic_id(7)),
        ..iris()
    };
    let ada_there = Person { org_id: other, first_name: "Adelaide".to_owned(), medic_id: Some(MEDIC), ..ada() };
    let theirs = Conversation { org_id: other, medic_id: Some(MEDIC), ..direct(2, 1) };
    let rows = Changes {
        people: vec![iris(), there.clone(), ada(), ada_there.clone()],
        conversations: vec![direct(1, 1), theirs],
        messages: [1, 2].map(|n| message(conversation_id(n), 1, &ada())).into(),
        ..Changes::default()
    };
    loaded(store, rows.clone()).await;
    for _ in 0..2 {
        assert_eq!([name(store, 1).await, name(store, 2).await], ["Ada Moss", names::ADMIN], "admin here, medic there");
        assert_eq!(senders(store, conversation_id(1)).await, ["Ada Moss"]);
        assert_eq!(senders(store, conversation_id(2)).await, ["Adelaide Moss"]);
        assert_eq!(store.people().await.unwrap().len(), 4);
        let mut own = store.memberships().await.unwrap();
        own.sort_by_key(|one| one.org_id != there.org_id);
        assert_eq!(own, [there.clone(), iris()]);
        assert_eq!(store.medic(MEDIC).await.unwrap(), Some(ada_there.clone()));
        assert_eq!(store.medic(ada().medic_id.unwrap()).await.unwrap(), Some(ada()));
        bootstrapped(store, BootstrapReason::Reconcile, rows.clone()).await;
    }
    let left = Person { removed: true, version: Version::new(2), ..ada_there };
    pulled(store, people(vec![left])).await;
    assert_eq!(store.person(ada().id).await.unwrap(), Some(ada()), "here she is still a member");
    assert_eq!(store.people().await.unwrap().len(), 3);
    assert_eq!(store.medic(super::build::medic_id(99)).await.unwrap(), None);
}

const MEDIC: MedicId = MedicId::from_uuid(uuid::Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0099));
