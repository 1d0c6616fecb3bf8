//! A few kills with every test run; `cargo xtask crash` is the long one.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has to fail the test")]

use fieldpost::Key;
use fieldpost_remote::reference::DEMO_PASSWORD;
use fieldpost_tests::crash::{DevSite, Options, Report, run};
use std::time::Duration;

async fn killed(kills: u32, key: Option<Key>) -> Report {
    let site = DevSite::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let writer = env!("CARGO_BIN_EXE_crash-writer").into();
    let (heal_every, within) = (kills / 2, Duration::from_millis(200));
    let options = Options { kills, seed: 4, writer, heal_every, within, key };
    let report = run(&options, &site, folder.path(), |_| {}).await.unwrap();
    if !report.findings.is_empty() {
        let _ = folder.keep();
    }
    assert!(report.findings.is_empty(), "{report}");
    let told = format!("{report} {report:?} {}", serde_json::to_string(&report).unwrap());
    for secret in ["0123456789abcdef0123456789abcdef", DEMO_PASSWORD, "eyJ", "meanwhile "] {
        assert!(!told.contains(secret), "the report has \"{secret}\" in it");
    }
    assert!(report.kills >= kills && report.comparisons >= 2, "{report}");
    assert!(report.live_joins > 0, "nobody heard live hints: {report}");
    assert!(report.messages > 0 && report.faults.values().sum::<u64>() > 0, "it was no walk in the park: {report}");
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_lose_double_and_break_nothing() {
    killed(10, None).await;
}

#[cfg(feature = "encryption")]
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_with_an_encrypted_file_leave_nothing_to_read_either() {
    killed(100, Some(fieldpost_tests::a_key())).await;
}
