//! People and conversations are named as people name them, in every command.

use crate::terminal::{PASSWORD, Terminal};
use fieldpost::remote::reference::{Profile, ReferenceServer};
use fieldpost_devserver::DevServer;

const OFFICE: &str = "office@fieldpost.test";

fn profile<'a>(first_name: &'a str, last_name: &'a str, email: &'a str) -> Profile<'a> {
    Profile { first_name, last_name, email, password: PASSWORD }
}

/// An office whose admins have no names, as in a project whose `profiles` has none.
async fn office() -> (DevServer, Terminal) {
    let world = ReferenceServer::new();
    let org = world.add_org("Tower");
    let admin = world.add_admin(org, profile("", "", OFFICE));
    for (first_name, last_name, email) in [
        ("Ben", "Okafor", "ben@x"),
        ("Benita", "Ruiz", "benita@x"),
        ("Zo\u{eb}", "M\u{fc}ller", "zoe@x"),
        ("", "", "nameless@x"),
    ] {
        let medic = world.add_medic(org, profile(first_name, last_name, email));
        world.open_direct(org, medic.medic_id, admin);
    }
    let server = DevServer::builder().reference(world).start().await.unwrap();
    let terminal = Terminal::with(server.url(), server.anon_key());
    assert_eq!(terminal.login(OFFICE, PASSWORD).code, 0);
    assert_eq!(terminal.run(&["sync"]).code, 0);
    (server, terminal)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_finds_a_name_by_a_part_in_any_case_and_form() {
    let (_server, office) = office().await;
    for name in ["okafor", "BEN OK", "zoe\u{308}", "ZO\u{cb} MU\u{308}LLER", "m\u{fc}ll", "unknown medic"] {
        let commands: [&[&str]; 7] = [
            &["open", "--medic", name],
            &["send", name, "hello"],
            &["messages", name],
            &["read", name],
            &["edit", name, "0000ffff", "hello"],
            &["delete", name, "0000ffff"],
            &["react", name, "0000ffff", "👍"],
        ];
        for command in commands {
            let ended = office.run(command);
            let found = ended.code == 0
                || (matches!(command[0], "edit" | "delete" | "react") && ended.err.contains("no message here"));
            assert!(found, "{command:?}: {ended:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_several_have_lists_them() {
    let (_server, office) = office().await;
    let ben = office.run(&["open", "--medic", "ben"]);
    assert_eq!(ben.code, 2, "{ben:?}");
    assert!(
        ben.err.contains("names 2 medics") && ben.err.contains("Ben Okafor\n") && ben.err.contains("Benita Ruiz"),
        "{ben:?}"
    );
    let id = ben.err.lines().find(|line| line.ends_with("Ben Okafor")).unwrap().split_whitespace().next().unwrap();
    assert!(office.run(&["open", "--medic", id]).out.contains("Ben Okafor"));

    let many = office.run(&["send", "BEN", "hello"]);
    assert!(many.code == 2 && many.err.contains("names 2 conversations"), "{many:?}");
    assert_eq!(office.run(&["outbox"]).out.lines().count(), 1, "nothing was written to the wrong one");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_has_an_id_and_a_name_to_call_them_by() {
    let (_server, office) = office().await;
    let people = office.run(&["people"]).out;
    assert_eq!(people.lines().count(), 5, "{people}");
    for line in people.lines() {
        let (id, rest) = line.split_once("  ").unwrap();
        assert_eq!(id.len(), 36, "{line}");
        assert!(!rest.trim_start().starts_with("medic") && !rest.trim_start().starts_with("org_admin"), "{line}");
    }
    assert!(people.lines().any(|line| line.contains("  Admin ") && line.ends_with("org_admin")), "{people}");
    assert!(people.lines().any(|line| line.contains("  Unknown Medic ") && line.ends_with("medic")), "{people}");
    let raw = office.run(&["--json", "people"]).json();
    assert_eq!(raw.iter().filter(|person| person["name"].is_null()).count(), 2, "programs see that there is no name");
    assert!(office.run(&["status"]).out.starts_with("synced as Admin (org_admin)\n"));
}
