//! Turns the stories into tests.

include!(concat!(env!("OUT_DIR"), "/stories.rs"));

/// Runs the whole suite on devices of one kind: one `#[tokio::test]` per story, in one module per role, so that the
/// test runner counts each story. The calling crate needs `tokio` with `macros` and `rt`.
///
/// The build script lists the stories: every public function of `src/conformance/<role>.rs`.
#[macro_export]
macro_rules! storage_conformance {
    ($device:expr) => {
        $crate::storage_conformance_list! { $device }
    };
}

/// One module of tests; see [`storage_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! storage_conformance_group {
    ($made:expr; $group:ident: $($subject:ident $story:ident,)*) => {
        mod $group {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test]
                async fn $story() {
                    let device = $made;
                    $crate::storage_conformance_story! { device, $subject, $crate::conformance::$group::$story }
                }
            )*
        }
    };
}

/// One test. Most stories take an open store; those about a restart take the device.
#[doc(hidden)]
#[macro_export]
macro_rules! storage_conformance_story {
    ($device:ident, Device, $story:path) => {
        $story(&$device).await
    };
    ($device:ident, Store, $story:path) => {
        $story(&*$crate::conformance::Device::open(&$device).await).await
    };
}
