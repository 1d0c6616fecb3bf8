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
        _ => None,
    }
}

fn message(status: &str, content_type: &str, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n");
    format!("{head}connection: close\r\n{header}\r\n{body}").into()
}
