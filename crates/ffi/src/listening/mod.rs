//! How listeners are called, and how a subscription ends.
//!
//! One thread calls all listeners, one after the other. So they never run at the same time, a slow one holds up no call of the engine,
//! and a runtime that attaches each new thread (the JVM) attaches one. A watch is read again only when its listener has returned:
//! what changes meanwhile comes as one update, so nothing piles up.

mod end;
mod latest;
mod of_the_app;
mod subscription;
mod thread;

pub use end::stop_listening;
pub(crate) use latest::Latest;
pub(crate) use of_the_app::{Asked, OfTheApp};
pub use subscription::Subscription;

use crate::Failure;

/// What a listener throws. It is logged, and the subscription goes on.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum ListenerError {
    /// The listener has failed.
    #[error("{reason}")]
    Failed {
        /// For the log of the app's developers.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ListenerError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: error.reason }
    }
}

/// What a call of a listener comes to.
pub(crate) type Heard = std::result::Result<(), ListenerError>;

/// Puts a call in the line of the thread. If there is no thread, or the app is not to be called any more, it is dropped.
pub(crate) fn enqueue(call: impl FnOnce() + Send + 'static) {
    if !end::is_over() {
        thread::enqueue(call);
    }
}

/// Something that is told of updates.
pub(crate) trait Listener: Send + Sync + 'static {
    type Update: Send + 'static;

    fn update(&self, update: Self::Update) -> Heard;
    fn error(&self, failure: Failure) -> Heard;
    fn end(&self) -> Heard;
}

/// Declares a listener: an interface that the app implements.
macro_rules! listener {
    ($(#[$doc:meta])* $name:ident, $update:ty) => {
        $(#[$doc])*
        #[uniffi::export(callback_interface)]
        pub trait $name: Send + Sync {
            /// Something has changed.
            ///
            /// # Errors
            /// Whatever is thrown is logged, and the next change comes all the same.
            fn on_update(&self, update: $update) -> std::result::Result<(), $crate::ListenerError>;

            /// Reading a change has failed. The next change brings what was missed.
            ///
            /// # Errors
            /// As above.
            fn on_error(&self, failure: $crate::Failure) -> std::result::Result<(), $crate::ListenerError>;

            /// There will be no more: the client was shut down.
            ///
            /// # Errors
            /// As above.
            fn on_end(&self) -> std::result::Result<(), $crate::ListenerError>;
        }

        impl $crate::listening::Listener for Box<dyn $name> {
            type Update = $update;

            fn update(&self, update: $update) -> $crate::listening::Heard {
                self.on_update(update)
            }

            fn error(&self, failure: $crate::Failure) -> $crate::listening::Heard {
                self.on_error(failure)
            }

            fn end(&self) -> $crate::listening::Heard {
                self.on_end()
            }
        }
    };
}

pub(crate) use listener;

fn warn_of_thrown(error: &ListenerError) {
    let ListenerError::Failed { reason } = error;
    // What an app throws may have content, so its text is not logged.
    tracing::warn!(thrown = name_of_thrown(reason), "a listener has thrown; its subscription goes on");
}

/// The first word of what was thrown, which is the name of its type in all languages.
pub(crate) fn name_of_thrown(reason: &str) -> String {
    reason.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '.' || *letter == '_').take(80).collect()
}
