//! Refusals of PostgREST and of the database behind it, by status and code.
//!
//! PostgREST forwards an SQLSTATE as the `code` and derives the status from it; its own codes begin with `PGRST`.

use super::{body::ErrorBody, common, describe, with_retry_after};
use crate::http::Reply;
use fieldpost_remote::{RemoteError, RemoteErrorKind};

/// Classifies a status other than 2xx.
pub(crate) fn classify(operation: &'static str, reply: &Reply) -> RemoteError {
    let body = ErrorBody::parse(&reply.body);
    let by_code = body.code().and_then(|code| by_code(code, reply.status.as_u16()));
    if let Some((kind, sentence)) = by_code {
        let detail = describe(reply.status, &body);
        let detail = if sentence.is_empty() { detail } else { format!("{detail}: {sentence}") };
        return with_retry_after(RemoteError::new(kind, operation).with_detail(detail), reply);
    }
    if let Some(error) = common(operation, reply, &body) {
        return error;
    }
    let kind = match reply.status.as_u16() {
        401 => RemoteErrorKind::Unauthorized,
        404 => RemoteErrorKind::NotFieldpost,
        400..=499 => RemoteErrorKind::BadRequest,
        _ => RemoteErrorKind::Other,
    };
    RemoteError::new(kind, operation).with_detail(describe(reply.status, &body))
}

/// Codes that mean the same whatever their status (servers that imitate PostgREST use other statuses).
fn by_code(code: &str, status: u16) -> Option<(RemoteErrorKind, &'static str)> {
    use RemoteErrorKind::{BadRequest, NotFieldpost, Other, Oversized, StatementTimeout, Unauthorized, Unavailable};
    const MISSING: &str = "the functions of migrations/supabase are not there, or in a schema that is not exposed";
    let known = match code {
        "PT401" => (Unauthorized, ""),
        code if code.starts_with("PGRST30") && code != "PGRST300" => (Unauthorized, ""),
        "PGRST202" | "PGRST203" | "PGRST205" | "PGRST106" => (NotFieldpost, MISSING),
        // Undefined function, table, column or schema: a migration is missing or half-applied.
        "42883" | "42P01" | "42703" | "3F000" => (NotFieldpost, "migrations/supabase is not applied whole"),
        // With 401 the anonymous role lacks the right: the token was not accepted.
        "42501" if status != 401 => (NotFieldpost, "the signed-in role may not execute the functions"),
        "57014" => (StatementTimeout, ""),
        // A limit of PostgreSQL: a text above 1 GB, JSON nested too deep for its stack.
        code if is_sqlstate(code, "54") => (Oversized, "it is more than the database makes at once"),
        // Its status is 504, but no statement had started.
        "PGRST003" => (Unavailable, "no connection to the database was free"),
        "40001" | "40P01" | "55P03" => (Unavailable, "it collided with another write"),
        // Hosted Supabase makes a database read-only when its disk is full; a replica always is.
        "25006" => (Unavailable, "the database is read-only at the moment"),
        // A rule of the database, not the limits of a batch (the function itself answers those).
        code if code.starts_with("23") => (Other, "the database refused a row of the batch"),
        // For example a text that PostgreSQL cannot store.
        code if code.starts_with("22") => (BadRequest, ""),
        code if ["08", "53", "57", "58"].iter().any(|class| is_sqlstate(code, class)) => (Unavailable, ""),
        _ => return None,
    };
    Some(known)
}

fn is_sqlstate(code: &str, class: &str) -> bool {
    code.len() == 5 && code.starts_with(class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;
    use std::time::Duration;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            html: body.starts_with('<'),
            json: body.starts_with('{'),
            date: None,
            retry_after: Some(Duration::from_secs(9)),
            body: body.as_bytes().to_vec(),
            took: std::time::Duration::ZERO,
        }
    }

    #[test]
    fn every_row_of_the_table() {
        use RemoteErrorKind::*;
        let code = |code: &str| format!(r#"{{"code":"{code}","details":null,"hint":null,"message":"secret words"}}"#);
        let message = |message: &str| format!(r#"{{"message":"{message}"}}"#);
        for (status, body, kind) in [
            (401, code("PGRST301"), Unauthorized),
            (401, code("PGRST302"), Unauthorized),
            (401, code("PGRST303"), Unauthorized),
            (401, code("PT401"), Unauthorized),
            (401, code("42501"), Unauthorized),
            (401, String::new(), Unauthorized),
            (500, code("PGRST300"), Unavailable),
            (401, message("No API key found in request"), WrongApiKey),
            (401, message("Invalid API key"), WrongApiKey),
            (401, message("Unregistered API key"), WrongApiKey),
            (401, message("Legacy API keys are disabled"), WrongApiKey),
            (401, message("Unauthorized"), Unauthorized),
            (404, code("PGRST202"), NotFieldpost),
            (404, code("42883"), NotFieldpost),
            (404, code("42P01"), NotFieldpost),
            (406, code("PGRST106"), NotFieldpost),
            (404, String::new(), NotFieldpost),
            (404, "<html>".to_owned(), Intercepted),
            (302, String::new(), Intercepted),
            (308, String::new(), Intercepted),
            (511, "<html>".to_owned(), Intercepted),
            (403, code("42501"), NotFieldpost),
            (403, "<html>".to_owned(), Unavailable),
            (400, code("22P02"), BadRequest),
            (400, code("PGRST102"), BadRequest),
            (400, code("P0001"), BadRequest),
            (409, code("23503"), Other),
            (405, code("25006"), Unavailable),
            (408, String::new(), TimedOut),
            (413, String::new(), Oversized),
            (413, "<html>".to_owned(), Oversized),
            (413, message("Request size limit exceeded"), Oversized),
            (500, code("54000"), Oversized),
            (400, code("54001"), Oversized),
            (429, String::new(), RateLimited),
            (429, message("API rate limit exceeded"), RateLimited),
            (500, code("57014"), StatementTimeout),
            (400, code("57014"), StatementTimeout),
            (500, code("40001"), Unavailable),
            (409, code("40P01"), Unavailable),
            (500, code("55P03"), Unavailable),
            (500, code("XX000"), Unavailable),
            (503, code("PGRST000"), Unavailable),
            (503, code("PGRST002"), Unavailable),
            (504, code("PGRST003"), Unavailable),
            (503, code("53300"), Unavailable),
            (502, "<html>".to_owned(), Unavailable),
            (521, "<html>".to_owned(), Unavailable),
            (540, message("Project paused"), Unavailable),
            (504, String::new(), TimedOut),
            (504, "<html>".to_owned(), TimedOut),
            (524, "<html>".to_owned(), TimedOut),
        ] {
            let error = classify("pull", &reply(status, &body));
            assert_eq!(error.kind(), kind, "{status} {body}");
            assert!(!error.to_string().contains("secret"), "{error}");
            assert!(error.detail().is_some_and(|detail| detail.starts_with(&status.to_string())), "{error}");
            let waits = error.retry() == fieldpost_domain::Retry::After(Duration::from_secs(9));
            assert_eq!(
                waits,
                matches!(kind, Unavailable | RateLimited | TimedOut | StatementTimeout),
                "{status} {body}"
            );
        }
    }
}
