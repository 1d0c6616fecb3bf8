//! The demo world in a project with a rule of its own: a way for a test to have messages refused.

use fieldpost_devserver::{DevServer, StartError};
use fieldpost_domain::{PersonId, Refusal, RefusalCode};
use fieldpost_remote::reference::{Project, ReferenceServer, SubmittedMessage};

/// The project refuses messages that begin so.
pub const REFUSED: &str = "no: ";

/// Refuses them.
#[derive(Debug, Clone, Copy)]
pub struct Picky;

impl Project for Picky {
    fn stores(&self, message: &mut SubmittedMessage, _: PersonId) -> Result<(), Refusal> {
        if message.content.as_deref().is_some_and(|content| content.starts_with(REFUSED)) {
            return Err(Refusal { code: RefusalCode::Forbidden, detail: None });
        }
        Ok(())
    }
}

/// Starts it.
///
/// # Errors
/// If no port is free.
pub async fn picky_demo() -> Result<DevServer, StartError> {
    let reference = ReferenceServer::builder().project(Picky).build();
    reference.add_demo();
    DevServer::builder().reference(reference).start().await
}
