//! A server that answers each path with a fixed body, whatever the request.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// One response: the end of the path, a content type, a body.
pub(crate) type Answer = (&'static str, &'static str, String);

/// Serves until the process ends; returns its URL.
pub(crate) fn serve(answers: Vec<Answer>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = answers.clone();
            thread::spawn(move || while answer(&stream, &answers).is_some() {});
        }
    });
    url
}

/// Answers one request; none when the connection has ended.
fn answer(mut stream: &TcpStream, answers: &[Answer]) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = request.split_whitespace().nth(1)?.split('?').next()?;
    let missing = ("", "text/plain", "nothing here".to_owned());
    let (_, kind, text) = answers.iter().find(|(end, _, _)| path.ends_with(end)).unwrap_or(&missing);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", text.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(text.as_bytes()).ok()
}
