//! Finds where an HTTP/1.1 message ends (RFC 9112, section 6). Keeps its bytes unchanged.

use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Larger than any message of the protocol; a proxy for tests need not stream.
const LIMIT: usize = 64 << 20;

/// A complete request or response.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    head: usize,
    /// Whether the message ends with the connection, so that nothing follows it.
    pub(super) closes: bool,
}

/// The length of the body.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    Length(usize),
    Chunked,
    UntilClose,
}

/// The next request; none if the connection ended before it began.
pub(super) async fn request(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Message>> {
    if stream.fill_buf().await?.is_empty() {
        return Ok(None);
    }
    let mut message = head(stream).await?;
    let body = message.announced().unwrap_or(Body::Length(0));
    message.read_body(stream, body).await?;
    Ok(Some(message))
}

/// The response to `request`, including the interim ones (1xx) before it.
pub(super) async fn response(stream: &mut (impl AsyncBufRead + Unpin), request: &Message) -> io::Result<Message> {
    let mut before = Vec::new();
    loop {
        let mut message = head(stream).await?;
        let status = message.status()?;
        if (100..200).contains(&status) && status != SWITCHING {
            before.append(&mut message.bytes);
            continue;
        }
        let bodiless = request.bytes.starts_with(b"HEAD ") || [SWITCHING, 204, 304].contains(&status);
        let body = if bodiless { Body::Length(0) } else { message.announced().unwrap_or(Body::UntilClose) };
        message.read_body(stream, body).await?;
        before.append(&mut message.bytes);
        message.bytes = before;
        return Ok(message);
    }
}

/// 101: another protocol follows.
pub(super) const SWITCHING: u16 = 101;

async fn head(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Message> {
    let mut bytes = Vec::new();
    loop {
        let line = line(stream, &mut bytes).await?;
        if line <= 2 {
            return Ok(Message { head: bytes.len(), bytes, closes: false });
        }
    }
}

/// Reads one line with its end, and returns its length.
async fn line(stream: &mut (impl AsyncBufRead + Unpin), into: &mut Vec<u8>) -> io::Result<usize> {
    let read = stream.read_until(b'\n', into).await?;
    if !into.ends_with(b"\n") {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if into.len() > LIMIT { Err(io::ErrorKind::InvalidData.into()) } else { Ok(read) }
}

impl Message {
    /// The path of a request.
    pub(super) fn path(&self) -> &str {
        let target = self.bytes.split(|byte| *byte == b' ').nth(1).and_then(|word| str::from_utf8(word).ok());
        target.and_then(|target| target.split('?').next()).unwrap_or_default()
    }

    /// The body.
    pub(super) fn body(&self) -> &[u8] {
        self.bytes.get(self.head..).unwrap_or_default()
    }

    /// The number of bytes up to the middle of the body.
    pub(super) fn middle(&self) -> usize {
        usize::midpoint(self.head, self.bytes.len())
    }

    /// The status of a response.
    pub(super) fn status(&self) -> io::Result<u16> {
        let text = self.bytes.split(|byte| *byte == b' ').nth(1).and_then(|word| str::from_utf8(word).ok());
        text.and_then(|text| text.trim().parse().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn announced(&self) -> Option<Body> {
        let head = String::from_utf8_lossy(&self.bytes[..self.head]).to_ascii_lowercase();
        let field = |name: &str| {
            let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned());
            head.lines().skip(1).find_map(value)
        };
        if field("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked")) {
            return Some(Body::Chunked);
        }
        field("content-length")?.parse().ok().map(Body::Length)
    }

    async fn read_body(&mut self, stream: &mut (impl AsyncBufRead + Unpin), body: Body) -> io::Result<()> {
        match body {
            Body::Length(length) => self.read(stream, length).await,
            Body::Chunked => self.read_chunks(stream).await,
            Body::UntilClose => {
                self.closes = true;
                stream.take(LIMIT as u64).read_to_end(&mut self.bytes).await.map(|_| ())
            }
        }
    }

    async fn read(&mut self, stream: &mut (impl AsyncBufRead + Unpin), length: usize) -> io::Result<()> {
        if self.bytes.len().saturating_add(length) > LIMIT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let read = stream.take(length as u64).read_to_end(&mut self.bytes).await?;
        if read < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    async fn read_chunks(&mut self, stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<()> {
        loop {
            let start = self.bytes.len();
            line(stream, &mut self.bytes).await?;
            let size = String::from_utf8_lossy(&self.bytes[start..]);
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            if size == 0 {
                // Trailers, up to an empty line.
                while line(stream, &mut self.bytes).await? > 2 {}
                return Ok(());
            }
            self.read(stream, size.saturating_add(2)).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answers_to(method: &str, mut bytes: &[u8]) -> Vec<String> {
        let asked = request(&mut format!("{method} / HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap().unwrap();
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let message = response(&mut bytes, &asked).await.unwrap();
            found.push(String::from_utf8(message.bytes).unwrap());
        }
        found
    }

    #[tokio::test]
    async fn messages_on_one_connection_are_told_apart_and_kept_to_the_byte() {
        let all = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nt: 1\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\n\r\nup to the end",
        ];
        assert_eq!(answers_to("GET", all.concat().as_bytes()).await, all);
        let heads = ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "HTTP/1.1 404 Not Found\r\n\r\n"];
        assert_eq!(answers_to("HEAD", heads.concat().as_bytes()).await, heads);
    }

    #[tokio::test]
    async fn requests_without_a_length_have_no_body_and_the_end_of_the_connection_is_no_request() {
        let mut bytes = &b"POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nhost: x\r\n\r\n"[..];
        assert!(request(&mut bytes).await.unwrap().unwrap().bytes.ends_with(b"abc"));
        assert!(request(&mut bytes).await.unwrap().unwrap().bytes.starts_with(b"GET /b"));
        assert!(request(&mut bytes).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_ends_too_early_or_is_no_http_is_an_error() {
        for bytes in ["GET / HTTP/1.1\r\nhost", "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc"] {
            assert!(request(&mut bytes.as_bytes()).await.is_err(), "{bytes}");
        }
        let asked = request(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).await.unwrap().unwrap();
        for bytes in ["", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"] {
            assert!(response(&mut bytes.as_bytes(), &asked).await.is_err(), "{bytes}");
        }
    }
}
