//! The project's key: which one may be in an app.
//!
//! A service key opens every row of a project. Somebody who pastes it into an app gives it to everybody who has the app, so
//! the client refuses it, in both of its forms: `sb_secret_…`, and a JWT whose role is `service_role`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    role: Option<String>,
}

const SECRET: &str = "a secret key must never be in an app; take the publishable one";

/// The key without white space around it. The sentences repeat no part of it.
pub(crate) fn check(key: &str) -> Result<&str, &'static str> {
    let key = key.trim();
    if key.is_empty() {
        return Err("it is empty");
    }
    if key.starts_with("sb_secret_") {
        return Err(SECRET);
    }
    match role(key).as_deref() {
        Some("service_role" | "supabase_admin") => {
            Err("the service_role key must never be in an app; take the anon key")
        }
        _ => Ok(key),
    }
}

/// The role that a JWT claims; none if it is no JWT.
fn role(key: &str) -> Option<String> {
    let payload = key.split('.').nth(1)?.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let claims = URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice::<Claims>(&claims).ok()?.role
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("{}.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_key_of_the_service_is_refused_in_every_form() {
        let service = jwt(r#"{"iss":"supabase","ref":"abcd","role":"service_role","iat":1,"exp":2}"#);
        let padded = service.replacen(".c2", "==.c2", 1);
        for key in [&service, &padded, &format!(" {service}\n"), &jwt(r#"{"role":"supabase_admin"}"#), "sb_secret_abc"]
        {
            assert!(
                check(key).is_err_and(|why| why.contains("must never be in an app") && !why.contains("eyJ")),
                "{key}"
            );
        }
    }

    #[test]
    fn the_keys_of_apps_are_taken() {
        for key in [&jwt(r#"{"role":"anon"}"#), "sb_publishable_abc", "key", "a.b.c", &jwt("{}"), &jwt("[]")] {
            assert_eq!(check(&format!(" {key} ")), Ok(key));
        }
        assert!(check("  ").is_err());
    }
}
