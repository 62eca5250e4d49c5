//! One request and one response a connection, with a limit on everything: what a head may hold,
//! how long a request may take to come, how large a body may be.
//!
//! Each connection ends with its response: on the own machine opening one takes less than any
//! computing, and nothing has to be known of what comes next.

use std::borrow::Cow;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A head may be so long; a browser's is about 1 kB.
const MAX_HEAD_BYTES: usize = 16 << 10;
const MAX_HEADERS: usize = 64;
/// A request has to be there within this.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a connection that waits looks whether it is still wanted.
const TICK: Duration = Duration::from_millis(100);

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
}

/// A request up to its body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: Method,
    /// As it was sent: `/TOKEN/view`.
    pub(super) path: String,
    pub(super) host: Option<String>,
    pub(super) origin: Option<String>,
    length: Option<usize>,
    /// What of the body came with the head.
    begun: Vec<u8>,
    since: Instant,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(super) struct Response {
    pub(super) status: u16,
    kind: &'static str,
    pub(super) body: Cow<'static, [u8]>,
    /// A content security policy, of a page.
    policy: Option<String>,
}

impl Response {
    pub(super) fn new(kind: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        Self {
            status: 200,
            kind,
            body: body.into(),
            policy: None,
        }
    }

    pub(super) fn json(value: &serde_json::Value) -> Self {
        Self::new("application/json", value.to_string().into_bytes())
    }

    pub(super) fn page(html: String, policy: String) -> Self {
        Self {
            policy: Some(policy),
            ..Self::new("text/html; charset=utf-8", html.into_bytes())
        }
    }

    /// A refusal, in a sentence.
    pub(super) fn refusal(status: u16, sentence: impl Into<String>) -> Self {
        let body = sentence.into().into_bytes();
        Self {
            status,
            ..Self::new("text/plain; charset=utf-8", body)
        }
    }

    /// Writes it and ends the connection; that nobody reads it any more is no failure.
    pub(super) fn write_to(&self, mut stream: &TcpStream) {
        let reason = match self.status {
            200 => "OK",
            400..500 => "Refused",
            _ => "Failed",
        };
        let mut head = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n",
            self.status,
            self.kind,
            self.body.len()
        );
        if let Some(policy) = &self.policy {
            head.push_str(&format!("Content-Security-Policy: {policy}\r\n"));
        }
        head.push_str("\r\n");
        let _ = stream.set_nonblocking(false);
        let _ = stream.set_write_timeout(Some(PATIENCE));
        // One write where it fits: the body of a small answer does not wait for the head's receipt.
        let mut sent = head.into_bytes();
        let room = (64 << 10usize).min(self.body.len());
        sent.extend_from_slice(&self.body[..room]);
        if stream.write_all(&sent).is_ok() {
            let _ = stream.write_all(&self.body[room..]);
        }
        let _ = stream.shutdown(std::net::Shutdown::Write);
        // What was sent and never read would make the system reset the connection, and the client
        // lose the answer.
        let _ = stream.set_read_timeout(Some(TICK));
        let mut rest = [0; 4096];
        for _ in 0..16 {
            if !matches!(stream.read(&mut rest), Ok(1..)) {
                break;
            }
        }
    }
}

/// Reads more of a request; what is wrong with it otherwise.
fn more(
    mut stream: &TcpStream,
    into: &mut Vec<u8>,
    since: Instant,
    is_wanted: &dyn Fn() -> bool,
) -> Result<(), Response> {
    let mut buffer = [0; 16 << 10];
    loop {
        if since.elapsed() > PATIENCE || !is_wanted() {
            return Err(Response::refusal(408, "the request did not come in time"));
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(Response::refusal(400, "the request ends in its middle")),
            Ok(read) => {
                into.extend_from_slice(&buffer[..read]);
                return Ok(());
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(_) => return Err(Response::refusal(400, "the connection broke")),
        }
    }
}

/// Reads a request up to its body.
pub(super) fn read_head(
    stream: &TcpStream,
    is_wanted: &dyn Fn() -> bool,
) -> Result<Head, Response> {
    let since = Instant::now();
    let _ = stream.set_nonblocking(false);
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(TICK));
    let mut bytes = Vec::new();
    loop {
        more(stream, &mut bytes, since, is_wanted)?;
        if let Some(head) = parse(&bytes, since)? {
            return Ok(head);
        }
        if bytes.len() > MAX_HEAD_BYTES {
            return Err(Response::refusal(
                431,
                "the head of the request is too long",
            ));
        }
    }
}

fn parse(bytes: &[u8], since: Instant) -> Result<Option<Head>, Response> {
    let malformed = |what: &str| Response::refusal(400, format!("not a request: {what}"));
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(malformed(&error.to_string())),
    };
    let method = match request.method {
        Some("GET") => Method::Get,
        Some("POST") => Method::Post,
        _ => return Err(Response::refusal(405, "expected GET or POST")),
    };
    // A header that stands twice could be read one way here and another way elsewhere.
    let header = |name: &str| -> Result<Option<String>, Response> {
        let mut found = (request.headers.iter())
            .filter(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| std::str::from_utf8(header.value).map(str::to_owned));
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(Ok(value)), None) => Ok(Some(value)),
            _ => Err(malformed(&format!("header {name}"))),
        }
    };
    if header("Transfer-Encoding")?.is_some() {
        return Err(Response::refusal(411, "expected a body of a stated length"));
    }
    let stated = header("Content-Length")?;
    let stated = stated
        .map(|text| text.parse().map_err(|_| malformed("its length")))
        .transpose()?;
    Ok(Some(Head {
        method,
        path: request.path.unwrap_or_default().to_owned(),
        host: header("Host")?,
        origin: header("Origin")?,
        length: stated,
        begun: bytes[length..].to_vec(),
        since,
    }))
}

/// Reads the body of a request, of at most so many bytes.
pub(super) fn read_body(
    stream: &TcpStream,
    head: Head,
    most: usize,
    is_wanted: &dyn Fn() -> bool,
) -> Result<Vec<u8>, Response> {
    let Some(length) = head.length else {
        return Err(Response::refusal(411, "expected a body of a stated length"));
    };
    if length > most {
        let sentence = format!("expected a body of at most {most} bytes, found {length}");
        return Err(Response::refusal(413, sentence));
    }
    let mut body = head.begun;
    while body.len() < length {
        more(stream, &mut body, head.since, is_wanted)?;
    }
    body.truncate(length);
    Ok(body)
}
