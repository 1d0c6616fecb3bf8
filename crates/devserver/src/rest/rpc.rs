//! `POST /rest/v1/rpc/<function>`: PostgREST's checks, in its order, and the envelope of every response.

use super::{
    answer::{Answer, Refused},
    args::{Args, Signature},
    bootstrap,
    error::RestError,
    history, pull, push, records, reports, rows, search,
    session::{Caller, caller},
};
use crate::{app::App, json::json_response};
use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use fieldpost_domain::{AccessToken, Capability};
use fieldpost_remote::PROTOCOL;
use serde_json::{Map, Value, json};

const FUNCTIONS: [Signature; 8] = [
    Signature {
        name: "fieldpost_bootstrap",
        required: &[],
        optional: &["p_after", "p_limit", "p_messages", "p_bytes"],
    },
    Signature { name: "fieldpost_pull", required: &["p_cursor"], optional: &["p_limit", "p_bytes"] },
    Signature { name: "fieldpost_push", required: &["p_mutations"], optional: &["p_cursor"] },
    Signature {
        name: "fieldpost_history",
        required: &["p_conversation"],
        optional: &["p_before_seq", "p_limit", "p_bytes"],
    },
    Signature {
        name: "fieldpost_search",
        required: &["p_terms"],
        optional: &["p_conversation", "p_sender", "p_kind", "p_since", "p_until", "p_after", "p_limit", "p_bytes"],
    },
    Signature { name: records::PUSH, required: &["p_changes"], optional: &[] },
    Signature { name: records::PULL, required: &["p_tables"], optional: &["p_cursor", "p_limit", "p_bytes"] },
    Signature { name: records::AUDIT, required: &["p_entries"], optional: &[] },
];

pub(super) async fn call(
    State(app): State<App>,
    Path(function): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer(&app, &function, &method, &headers, &body).await {
        Ok(value) => json_response(StatusCode::OK, &envelope(&app, value)),
        Err(Refused::Protocol { code, detail }) => {
            let error = match detail {
                Some(detail) => json!({"code": code, "detail": detail}),
                None => json!({"code": code}),
            };
            json_response(StatusCode::OK, &envelope(&app, json!({"error": error})))
        }
        Err(Refused::Rest(error)) => error.respond(),
    }
}

async fn answer(app: &App, function: &str, method: &Method, headers: &HeaderMap, body: &[u8]) -> Answer {
    let caller = caller(app, headers)?;
    check_method(method, function)?;
    check_content_type(headers)?;
    let signature = FUNCTIONS
        .into_iter()
        .chain(reports::FUNCTIONS)
        .find(|signature| signature.name == function && is_there(app, signature.name));
    let Some(signature) = signature else { return Err(unknown(function, body)?.into()) };
    let args = Args::read(signature, body)?;
    // The functions for records have always had their arguments.
    let beyond = args.needs(function).filter(|_| !records::ALL.contains(&function));
    if beyond.is_some_and(|capability| !app.reference.info().capabilities.contains(&capability)) {
        return Err(unknown(function, body)?.into());
    }
    let Caller::Person(token) = caller else { return Err(RestError::not_signed_in().into()) };
    check_envelope(app, &args)?;
    run(app, function, &token, &args).await
}

/// Whether the server is of an age, and set up, to have the function.
fn is_there(app: &App, function: &str) -> bool {
    let reports = || app.reference.info().capabilities.contains(&Capability::Reports);
    (app.reference.has_records() || !records::ALL.contains(&function))
        && (!reports::ALL.contains(&function) || reports())
}

async fn run(app: &App, function: &str, token: &AccessToken, args: &Args) -> Answer {
    match function {
        "fieldpost_bootstrap" => bootstrap::bootstrap(app, token, args),
        "fieldpost_pull" => pull::pull(app, token, args),
        "fieldpost_push" => push::push(app, token, args),
        "fieldpost_search" => search::search(app, token, args).await,
        records::PUSH => records::push(app, token, args),
        records::PULL => records::pull(app, token, args).await,
        records::AUDIT => records::audit(app, token, args).await,
        reports::LIST => reports::list(app, token, args).await,
        reports::RESOLVE => reports::resolve(app, token, args).await,
        _ => history::history(app, token, args).await,
    }
}

/// PostgREST also runs STABLE functions by GET. The protocol does not use GET, so a client that does has a bug.
fn check_method(method: &Method, function: &str) -> Result<(), RestError> {
    if *method == Method::POST {
        return Ok(());
    }
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let writes = ["fieldpost_push", records::PUSH, records::AUDIT, reports::RESOLVE];
    Err(if *method == Method::GET && writes.contains(&function) {
        RestError::new(status, "25006", "cannot execute INSERT in a read-only transaction")
    } else {
        RestError::new(status, "PGRST101", format!("Cannot use the {method} method on RPC"))
    })
}

fn check_content_type(headers: &HeaderMap) -> Result<(), RestError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let value = value.to_str().unwrap_or_default();
    if value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("Content-Type not acceptable: {value}");
    Err(RestError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "PGRST107", message))
}

/// The refusal for an unknown function; it names the arguments of the call.
fn unknown(function: &str, body: &[u8]) -> Result<RestError, RestError> {
    let body = if body.is_empty() { b"{}" } else { body };
    let arguments: Map<String, Value> = serde_json::from_slice(body).map_err(|_| RestError::bad_body())?;
    Ok(RestError::no_function(function, &arguments.keys().cloned().collect::<Vec<_>>()))
}

fn check_envelope(app: &App, args: &Args) -> Result<(), Refused> {
    let protocol = args.int("p_protocol")?.ok_or_else(|| Refused::bad_request("p_protocol"))?;
    args.text("p_app")?.ok_or_else(|| Refused::bad_request("p_app"))?;
    let capabilities = args.list("p_capabilities")?.ok_or_else(|| Refused::bad_request("p_capabilities"))?;
    if !capabilities.iter().all(Value::is_string) {
        return Err(Refused::bad_request("p_capabilities"));
    }
    if i64::from(protocol) < i64::from(app.reference.min_protocol()) {
        return Err(Refused::Protocol { code: "client_too_old", detail: None });
    }
    Ok(())
}

fn envelope(app: &App, answer: Value) -> Value {
    let (limits, info) = (app.reference.limits(), app.reference.info());
    let mut envelope = json!({
        "protocol": PROTOCOL.max(app.reference.min_protocol()),
        "min_protocol": app.reference.min_protocol(),
        "capabilities": info.capabilities,
        "limits": {
            "push_rows": limits.push_rows, "push_bytes": limits.push_bytes, "page_rows": limits.page_rows,
            "page_bytes": limits.page_bytes, "content_chars": limits.content_chars,
            "metadata_bytes": limits.metadata_bytes, "metadata_depth": limits.metadata_depth,
            "subject_chars": limits.subject_chars,
        },
        "server_time": rows::time(app.reference.now()),
    });
    // The first version of the SQL does not send its version.
    if let Some(version) = info.sql_version.filter(|version| *version > 1) {
        envelope["sql_version"] = json!(version);
    }
    if let (Value::Object(envelope), Value::Object(answer)) = (&mut envelope, answer) {
        envelope.extend(answer);
    }
    envelope
}
