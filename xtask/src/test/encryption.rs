//! Encrypted files in the tests.
//!
//! All tests are built with the feature `encryption`, so SQLCipher takes the place of SQLite in all of them; some of them have a key. What
//! an app without the feature has is shown by the suite of the store once more, built without it. OpenSSL is built from source with
//! perl and make; where these are missing, everything is built without the feature, and that is counted as skipped.

use std::{
    process::{Command, Stdio},
    time::SystemTime,
};

/// The arguments of Cargo for a build of all tests.
pub(super) const FEATURES: [&str; 2] = [
    "--features",
    "fieldpost-tests/encryption,fieldpost-cli/encryption,fieldpost-ffi/encryption,fieldpost-benches/encryption",
];

/// Those of the store's tests alone, without the feature.
pub(super) const PLAIN: [&str; 4] = ["-p", "fieldpost-storage-sqlite", "--features", "records"];

/// Whether OpenSSL can be built here. Its configuration uses modules that a minimal perl lacks.
pub(crate) fn can_be_built() -> bool {
    runs("perl", &["-MIPC::Cmd", "-MFindBin", "-e", "1"]) && runs("make", &["--version"])
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether the store is tested once more without encryption. Where a change waits for it (CI), that is every third day: all other tests
/// run on the store in any case, and a build for it alone takes a minute.
pub(super) fn plain_is_due() -> bool {
    let set = |name| std::env::var_os(name).is_some();
    let today =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() / (24 * 60 * 60));
    !set("CI") || set("FIELDPOST_FULL") || today.is_multiple_of(3)
}
