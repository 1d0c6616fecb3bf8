//! Encrypted files in the tests.
//!
//! All tests are built with the feature `encryption`, so SQLCipher takes the place of SQLite in all of them; some of them have a key. What
//! an app without the feature has is shown by the suite of the store once more, built without it. OpenSSL is built from source with
//! perl and make; where these are missing, everything is built without the feature, and that is counted as skipped.

use std::process::{Command, Stdio};

/// The arguments of Cargo for a build of all tests.
pub(super) const FEATURES: [&str; 2] =
    ["--features", "fieldpost-tests/encryption,fieldpost-cli/encryption,fieldpost-benches/encryption"];

/// Those of the store's tests alone, without the feature.
pub(super) const PLAIN: [&str; 4] = ["-p", "fieldpost-storage-sqlite", "--features", "records"];

/// Whether OpenSSL can be built here. Its configuration uses modules that a minimal perl lacks.
pub(super) fn can_be_built() -> bool {
    runs("perl", &["-MIPC::Cmd", "-MFindBin", "-e", "1"]) && runs("make", &["--version"])
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
