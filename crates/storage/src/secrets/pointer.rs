//! What the database keeps of a session whose tokens lie elsewhere.
//!
//! It is stored as a session: without an access token, and with the name of the secret in place of the refresh token. So every
//! store can keep it, and a version that does not know pointers asks for the password again.

use super::SecretName;
use fieldpost_domain::{
    AccessToken, RefreshToken, Session,
    planted::{PlantedBug, planted},
};

const MARK: &str = "fieldpost-secret:1:";

/// Where the tokens of a stored session are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) name: SecretName,
    pub(super) state: State,
}

/// What is still to be done for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The tokens were in the database before, and its past has to forget them.
    Moved,
    /// Nothing.
    Here,
    /// The person has signed out, and the secret has to be deleted.
    Leaving,
}

impl State {
    const ALL: [(Self, &str); 3] = [(Self::Moved, "moved"), (Self::Here, "here"), (Self::Leaving, "leaving")];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }
}

impl Pointer {
    /// None if the tokens are in the session itself.
    pub(super) fn of(stored: &Session) -> Option<Self> {
        let text = stored.refresh_token.reveal().strip_prefix(MARK)?;
        let (state, name) = text.split_once(':')?;
        let (state, _) = State::ALL.into_iter().find(|(_, known)| *known == state)?;
        Some(Self { name: SecretName::parse(name)?, state })
    }

    /// The session as the database keeps it: who, until when, and where the tokens are.
    pub(super) fn in_place_of(&self, session: &Session) -> Session {
        if planted(PlantedBug::TokensStayInDatabase) {
            return session.clone();
        }
        Session {
            access_token: AccessToken::new(""),
            refresh_token: RefreshToken::new(format!("{MARK}{}:{}", self.state.name(), self.name)),
            person_id: session.person_id,
            email: session.email.clone(),
            expires_at: session.expires_at,
        }
    }

    pub(super) fn but(&self, state: State) -> Self {
        Self { name: self.name.clone(), state }
    }
}
