//! From functions to tests.

use super::Verdict;
use std::io::Write;

include!(concat!(env!("OUT_DIR"), "/stories.rs"));

/// Ends one test. A skipped one says so past the test harness, which keeps the output of tests that pass to itself: whoever
/// counts tests counts these lines as skipped.
pub fn conclude(test: &str, verdict: Verdict) {
    if let Err(unsupported) = verdict {
        let line = format!("SKIPPED {test}: this backend cannot {}\n", unsupported.0);
        // Nobody to tell is no reason to fail.
        let _ = std::io::stdout().write_all(line.as_bytes());
    }
}

/// Makes one `#[tokio::test]` of every story of the suite. The expression makes a [`super::Backend`]; it is evaluated
/// for each test, in an async context.
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
