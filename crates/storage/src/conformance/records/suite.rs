//! Turns the stories into tests.

include!(concat!(env!("OUT_DIR"), "/record_stories.rs"));

/// Runs the whole suite for records on devices of one kind, as [`storage_conformance!`](crate::storage_conformance) does
/// for messages.
///
/// The build script lists the stories: every public function of `src/conformance/records/<role>.rs`.
#[macro_export]
macro_rules! record_conformance {
    ($device:expr) => {
        $crate::record_conformance_list! { $device }
    };
}

/// One module of tests; see [`record_conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! record_conformance_group {
    ($made:expr; $group:ident: $($subject:ident $story:ident,)*) => {
        mod $group {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[tokio::test]
                async fn $story() {
                    let device = $made;
                    $crate::record_conformance_story! { device, $subject, $crate::conformance::records::$group::$story }
                }
            )*
        }
    };
}

/// One test. Most stories take a store that is ready; those about a restart take the device.
#[doc(hidden)]
#[macro_export]
macro_rules! record_conformance_story {
    ($device:ident, RecordDevice, $story:path) => {
        $story(&$device).await
    };
    ($device:ident, RecordStore, $story:path) => {
        let phone = $crate::conformance::records::RecordDevice::open(&$device).await;
        $crate::conformance::records::given::ready(&phone).await;
        $story(&*phone.records).await
    };
}
