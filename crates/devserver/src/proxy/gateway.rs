//! What a gateway answers in place of the server.

use super::fault::Fault;

const JSON: &str = "application/json; charset=utf-8";

/// The whole response to a request that does not reach the server, if the fault is such a response.
pub(super) fn response(fault: Fault) -> Option<Vec<u8>> {
    match fault {
        Fault::BadGateway => {
            let html = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                        <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
            Some(message("502 Bad Gateway", "text/html", "", html))
        }
        // As PostgREST answers without a database.
        Fault::Unavailable => {
            let body = r#"{"code":"PGRST001","details":null,"hint":null,"message":"Database client error. Retrying the connection."}"#;
            Some(message("503 Service Unavailable", JSON, "", body))
        }
        Fault::RateLimit(seconds) => {
            let retry_after = format!("retry-after: {seconds}\r\n");
            Some(message("429 Too Many Requests", JSON, &retry_after, r#"{"message":"API rate limit exceeded"}"#))
        }
        Fault::Portal => Some(message("200 OK", HTML, "", PORTAL)),
        Fault::PortalRedirect => {
            let location = "location: http://login.example/\r\n";
            Some(message("302 Found", HTML, location, PORTAL))
        }
        Fault::PortalNotFound => Some(message("404 Not Found", HTML, "", PORTAL)),
        Fault::NoFunction => {
            let body = r#"{"code":"PGRST202","details":null,"hint":null,"message":"Could not find the function in the schema cache"}"#;
            Some(message("404 Not Found", JSON, "", body))
        }
        Fault::WrongClock => {
            let body = r#"{"code":"PGRST303","details":null,"hint":null,"message":"JWT issued at future"}"#;
            Some(message("401 Unauthorized", JSON, "", body))
        }
        _ => None,
    }
}

const HTML: &str = "text/html; charset=utf-8";

const PORTAL: &str =
    "<!DOCTYPE html><html><head><title>Welcome to our free network</title></head><body>Sign in</body></html>";

/// As PostgREST answers when the database stops a statement.
pub(super) fn statement_timeout() -> Vec<u8> {
    let body =
        r#"{"code":"57014","details":null,"hint":null,"message":"canceling statement due to statement timeout"}"#;
    message("500 Internal Server Error", JSON, "", body)
}

fn message(status: &str, content_type: &str, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n");
    format!("{head}connection: close\r\n{header}\r\n{body}").into()
}
