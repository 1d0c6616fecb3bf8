//! The outermost layer: counts each request, applies a fault if one was ordered, and limits the size.

use crate::{
    app::App,
    json::json_response,
    net::Breaker,
    wire::{Endpoint, Fault, RequestRecord},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Middleware around everything, compression included.
pub(crate) async fn outer(
    State(app): State<App>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: Request,
    next: Next,
) -> Response {
    let endpoint = Endpoint::of(request.uri().path());
    let (fault, delay) = app.faults.take(endpoint);
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    let (parts, body) = request.into_parts();
    let mut record = RequestRecord { endpoint, status: None, request_bytes: 0, response_bytes: 0 };
    let response = match to_bytes(body, app.body_limit).await {
        Err(_) => too_large(),
        Ok(body) => {
            record.request_bytes = body.len();
            match instead(fault, &breaker) {
                Some(response) => response,
                None => next.run(Request::from_parts(parts, Body::from(body))).await,
            }
        }
    };
    let (parts, body) = response.into_parts();
    // Bodies here are in memory, so reading them cannot fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    record.status = (fault != Some(Fault::Reset)).then(|| parts.status.as_u16());
    record.response_bytes = body.len();
    app.requests.add(record);
    finish(fault, &breaker, Response::from_parts(parts, Body::empty()), body)
}

/// The response to a request that is not carried out because of a fault.
fn instead(fault: Option<Fault>, breaker: &Breaker) -> Option<Response> {
    match fault? {
        Fault::Reset => {
            breaker.break_after(0);
            Some(StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
        Fault::BadGateway => {
            let html = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                        <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
            Some((StatusCode::BAD_GATEWAY, [(header::CONTENT_TYPE, "text/html")], html).into_response())
        }
        Fault::Unavailable => Some(json_response(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"code": "PGRST001", "details": null, "hint": null,
                    "message": "Database client error. Retrying the connection."}),
        )),
        Fault::RateLimit(seconds) => {
            let body = json!({"message": "API rate limit exceeded"});
            let mut response = json_response(StatusCode::TOO_MANY_REQUESTS, &body);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            Some(response)
        }
        Fault::LoseAnswer | Fault::CutAnswer => None,
    }
}

/// Sends the response, or the part of it that the fault lets through.
fn finish(fault: Option<Fault>, breaker: &Breaker, mut response: Response, body: Bytes) -> Response {
    match fault {
        Some(Fault::LoseAnswer) => breaker.break_after(0),
        Some(Fault::CutAnswer) => breaker.break_after(head_size(&response) + body.len() / 2),
        _ => {}
    }
    response.headers_mut().remove(header::TRANSFER_ENCODING);
    *response.body_mut() = Body::from(body);
    response
}

/// The approximate size of the status line and the headers, with those that the HTTP layer adds.
fn head_size(response: &Response) -> usize {
    const ADDED: usize = "HTTP/1.1 200 OK\r\ncontent-length: 00\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n".len();
    let headers = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    ADDED + headers.sum::<usize>()
}

fn too_large() -> Response {
    json_response(StatusCode::PAYLOAD_TOO_LARGE, &json!({"message": "Request size limit exceeded"}))
}
