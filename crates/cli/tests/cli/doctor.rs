//! `fieldpost doctor` names what is wrong with a membership and with the SQL.

use crate::terminal::{PASSWORD, Terminal};
use fieldpost::{
    PersonId, Role,
    remote::reference::{Profile, ReferenceServer},
};
use fieldpost_devserver::DevServer;

const EMAIL: &str = "she@fieldpost.test";

/// Somebody's file after a sync, in a world that `arrange` has arranged for her.
async fn file_of(world: ReferenceServer, arrange: impl FnOnce(&ReferenceServer, PersonId)) -> (DevServer, Terminal) {
    let she = world.add_outsider(EMAIL, PASSWORD);
    arrange(&world, she);
    let server = DevServer::builder().reference(world).start().await.unwrap();
    let terminal = Terminal::with(server.url(), server.anon_key());
    assert_eq!(terminal.login(EMAIL, PASSWORD).code, 0);
    assert_eq!(terminal.run(&["sync"]).code, 0);
    (server, terminal)
}

fn codes(terminal: &Terminal) -> Vec<String> {
    let report = terminal.run(&["--json", "doctor"]).json().remove(0);
    report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn office(world: &ReferenceServer, name: &str, email: &str) -> fieldpost::OrgId {
    let org = world.add_org(name);
    world.add_admin(org, Profile { first_name: "Robin", last_name: name, email, password: PASSWORD });
    org
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_without_a_membership_is_told_so() {
    let (_server, terminal) = file_of(ReferenceServer::new(), |_, _| ()).await;
    assert_eq!(codes(&terminal), ["no_membership"]);
    let said = terminal.run(&["doctor"]);
    assert!(said.code == 1 && said.out.contains("no membership") && said.out.contains("profiles"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medic_who_is_not_in_the_roster_is_told_so() {
    let arrange = |world: &ReferenceServer, she| {
        let org = office(world, "Tower", "tower@x");
        world.add_member(she, org, Role::OrgAdmin, "Ada", "Moss");
        world.change_role(she, Role::Medic);
    };
    let (_server, terminal) = file_of(ReferenceServer::new(), arrange).await;
    assert_eq!(codes(&terminal), ["no_medic_row"]);
    let said = terminal.run(&["doctor"]);
    assert!(said.code == 1 && said.out.contains("no medic row") && said.out.contains("medics"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_memberships_are_named_and_are_not_wrong() {
    let arrange = |world: &ReferenceServer, she| {
        for (name, email) in [("Tower", "tower@x"), ("Bridge", "bridge@x")] {
            world.add_member(she, office(world, name, email), Role::OrgAdmin, "Ada", "Moss");
        }
    };
    let (_server, terminal) = file_of(ReferenceServer::new(), arrange).await;
    assert_eq!(codes(&terminal), Vec::<String>::new());
    let said = terminal.run(&["doctor"]);
    assert!(said.code == 0 && said.out.contains("two memberships"), "{said:?}");
    assert_eq!(terminal.run(&["--json", "doctor"]).json()[0]["orgs"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sql_of_the_server_is_named_also_the_first_which_does_not_name_itself() {
    let member = |world: &ReferenceServer, she| {
        world.add_member(she, office(world, "Tower", "tower@x"), Role::OrgAdmin, "Ada", "Moss");
    };
    let (_server, new) = file_of(ReferenceServer::new(), member).await;
    let wanted = fieldpost::SQL_VERSION;
    let line = format!("sql       version {wanted} is installed, this client wants {wanted}");
    assert!(new.run(&["doctor"]).out.contains(&line));
    assert!(new.run(&["--offline", "doctor"]).out.contains(&line), "also without a network");
    assert!(Terminal::new().run(&["doctor"]).out.contains("sql       not known before a sync"));

    let (_server, old) = file_of(ReferenceServer::builder().of_the_first_sql().build(), member).await;
    assert_eq!(codes(&old), ["old_sql"]);
    let said = old.run(&["doctor"]).out;
    assert!(said.contains("sql       version 1 is installed") && said.contains("fieldpost sql export"), "{said}");
}
