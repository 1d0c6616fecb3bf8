//! From functions to tests.

use super::Verdict;
use std::io::Write;

include!(concat!(env!("OUT_DIR"), "/stories.rs"));

/// Ends one test. The test harness hides the output of tests that pass, so a skipped test writes its line past the
/// harness. The test runner counts these lines as skipped.
pub fn conclude(test: &str, verdict: Verdict) {
    if let Err(unsupported) = verdict {
        let line = format!("SKIPPED {test}: this backend cannot {}\n", unsupported.0);
        // A failed write must not fail the test.
        let _ = std::io::stdout().write_all(line.as_bytes());
    }
}

/// Turns every story of the suite into one `#[tokio::test]`. The expression creates a [`super::Backend`]; each test
/// evaluates it, in an async context.
///
/// The build lists the stories: every public function of `src/conformance/<area>.rs` is one.
#[macro_export]
macro_rules! remote_conformance {
    ($backend:expr) => {
        $crate::remote_conformance_list! { $backend }
    };
}

/// One module of tests; see [`remote_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! remote_conformance_group {
    ($made:expr; $area:ident: $(Backend $story:ident,)*) => {
        mod $area {
            #[allow(unused_imports, reason = "the expression may name anything of the module that calls the macro")]
            use super::*;
            $(
                #[tokio::test]
                async fn $story() {
                    let backend = $made;
                    let verdict = $crate::conformance::$area::$story(&backend).await;
                    $crate::conformance::conclude(concat!(stringify!($area), "::", stringify!($story)), verdict);
                }
            )*
        }
    };
}
