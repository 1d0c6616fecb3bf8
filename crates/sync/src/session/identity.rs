//! Reads the claims of an access token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use fieldpost_domain::{AccessToken, PersonId};
use serde::Deserialize;

/// Whose token it is by its own claims. The signature is not verified: this proves nothing, but finds a mistake before
/// the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claims {
    /// It belongs to this person.
    Of(PersonId),
    /// It belongs to nobody: it is the project's public key or its service key.
    Nobody,
    /// It has no readable claims.
    Unreadable,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    sub: Option<PersonId>,
}

/// Reads the payload of a JWT (RFC 7519).
pub(super) fn claims(token: &AccessToken) -> Claims {
    let mut parts = token.reveal().split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Claims::Unreadable;
    };
    let read = URL_SAFE_NO_PAD.decode(payload).ok().and_then(|json| serde_json::from_slice::<Payload>(&json).ok());
    match read {
        Some(Payload { sub: Some(person) }) => Claims::Of(person),
        Some(Payload { sub: None }) => Claims::Nobody,
        None => Claims::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn jwt(payload: &serde_json::Value) -> AccessToken {
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        AccessToken::new(format!("{}.{}.c2lnbmF0dXJl", part(&json!({"alg": "HS256"})), part(payload)))
    }

    #[test]
    fn claims_name_the_person_of_a_token() {
        let person = PersonId::from_uuid(uuid::Uuid::from_u128(7));
        assert_eq!(claims(&jwt(&json!({"sub": person, "role": "authenticated", "exp": 1}))), Claims::Of(person));
    }

    #[test]
    fn claims_of_a_public_key_name_nobody() {
        assert_eq!(claims(&jwt(&json!({"iss": "supabase", "role": "anon"}))), Claims::Nobody);
    }

    #[test]
    fn claims_of_a_text_that_is_no_jwt_are_unreadable() {
        for token in ["", "opaque", "a.b", "a.b.c", "a.!.c", "a.e30.c.d", "sb_publishable_x"] {
            assert_eq!(claims(&AccessToken::new(token)), Claims::Unreadable, "{token:?}");
        }
    }
}
