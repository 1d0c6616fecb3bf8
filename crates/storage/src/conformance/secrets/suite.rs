//! Turns the stories into tests.

include!(concat!(env!("OUT_DIR"), "/secret_stories.rs"));

/// Runs the whole suite for secrets on places of one kind, as [`storage_conformance!`](crate::storage_conformance) does for
/// stores.
///
/// The build script lists the stories: every public function of `src/conformance/secrets/<group>.rs`.
#[macro_export]
macro_rules! secret_conformance {
    ($place:expr) => {
        $crate::secret_conformance_list! { $place }
    };
}

/// One module of tests; see [`secret_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! secret_conformance_group {
    ($made:expr; $group:ident: $($subject:ident $story:ident,)*) => {
        mod $group {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test]
                async fn $story() {
                    let place = $made;
                    $crate::secret_conformance_story! { place, $subject, $crate::conformance::secrets::$group::$story }
                }
            )*
        }
    };
}

/// One test. Most stories take an open store; those about several processes take the place.
#[doc(hidden)]
#[macro_export]
macro_rules! secret_conformance_story {
    ($place:ident, SecretPlace, $story:path) => {
        $story(&$place).await
    };
    ($place:ident, SecretStore, $story:path) => {
        $story(&*$crate::conformance::secrets::SecretPlace::open(&$place)).await
    };
}
