//! Whether what is written while a pass loads is sent at once, and not once everything is loaded.

use fieldpost_domain::MessageId;
use fieldpost_remote::RemoteErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many pages may be requested after a message was written and before it is sent: one that was about to be
/// requested, the one that is fetched ahead of it, and one more for each if the token had to be renewed. Their number
/// does not depend on how many pages are left.
const PAGES: u32 = 4;

/// Follows the messages that are written while a pass of the process runs.
#[derive(Debug, Default)]
pub(crate) struct Beside(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The message, and how many pages were requested since it was written.
    waiting: Option<(MessageId, u32)>,
    /// Something failed or was put off, so a message may have to wait.
    troubled: bool,
}

impl Beside {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message was written during a pass, and nothing else waits in the outbox.
    pub(crate) fn wrote(&self, message: MessageId) {
        let mut state = self.state();
        if !state.troubled {
            state.waiting = Some((message, 0));
        }
    }

    /// Until [`Beside::calm`], messages may wait.
    pub(crate) fn trouble(&self) {
        *self.state() = State { waiting: None, troubled: true };
    }

    /// A new pass tries everything again.
    pub(crate) fn calm(&self) {
        self.state().troubled = false;
    }

    /// A call begins. Returns a message that should have been sent before it.
    pub(super) fn begins(&self, call: &str) -> Option<MessageId> {
        let mut state = self.state();
        match call {
            "push" => state.waiting = None,
            "bootstrap" | "pull" => {
                let (message, pages) = state.waiting.as_mut()?;
                *pages += 1;
                if *pages > PAGES {
                    let message = *message;
                    state.waiting = None;
                    return Some(message);
                }
            }
            _ => {}
        }
        None
    }

    /// A call has failed. That a page was too large does not stop the messages.
    pub(super) fn failed(&self, call: &str, kind: RemoteErrorKind) {
        let of_its_size = matches!(kind, RemoteErrorKind::StatementTimeout | RemoteErrorKind::TimedOut);
        if call == "push" || !of_its_size {
            self.trouble();
        }
    }
}
