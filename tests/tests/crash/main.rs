//! A few kills with every test run; `cargo xtask crash` is the long one.

use fieldpost_tests::crash::{DevSite, Options, run};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_lose_double_and_break_nothing() {
    let site = DevSite::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let writer = env!("CARGO_BIN_EXE_crash-writer").into();
    let options = Options { kills: 10, seed: 4, writer, heal_every: 5, within: Duration::from_millis(200) };
    let report = run(&options, &site, folder.path(), |_| {}).await.unwrap();
    if !report.findings.is_empty() {
        let _ = folder.keep();
    }
    assert!(report.findings.is_empty(), "{report}");
    assert!(report.kills >= 10 && report.comparisons >= 2, "{report}");
    assert!(report.live_joins > 0, "nobody heard live hints: {report}");
    assert!(report.messages > 0 && report.faults.values().sum::<u64>() > 0, "it was no walk in the park: {report}");
}
