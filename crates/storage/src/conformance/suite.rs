//! From stories to tests.

include!(concat!(env!("OUT_DIR"), "/stories.rs"));

/// Runs the whole suite on devices of the given kind: one `#[tokio::test]` per story, in one module per role, so that the
/// runner of each implementation counts them one by one. The crate that calls it needs `tokio` with `macros` and `rt`.
///
/// The build lists the stories: every public function of `src/conformance/<role>.rs` is one.
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

/// One test. Most stories are about an opened store; those about a start of the app get the device.
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
