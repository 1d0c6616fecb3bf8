//! One request, one response of limited size.
//!
//! Every request is a POST with a JSON body, but for the one that asks to go on with another protocol. The response is
//! read in chunks and counted after decompression, so that neither a large body nor a small one that decompresses to a
//! large one takes more memory than the configuration allows. The span of a call records its name, status, size and
//! duration; never tokens or content. What a request travels on is decided by `connections`.

use crate::{
    config::SupabaseConfig,
    connections::{Connections, Lease, Plan, Pulse},
    endpoints::CONFIGURE,
    error::{retry_after, transport},
    key,
    proxy::{self, Route},
    tls,
};
use fieldpost_domain::{AccessToken, Time};
use fieldpost_remote::{RemoteError, RemoteErrorKind, RemoteResult};
use reqwest::{
    Response, StatusCode, Upgraded,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::{Instrument, Span, debug, debug_span, field::Empty};
use url::Url;

const API_KEY: HeaderName = HeaderName::from_static("apikey");

/// The most memory to reserve because of a header.
const RESERVE: usize = 2 << 20;

/// Sends requests. Clones share the connections.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    connections: Arc<Connections>,
    /// The host, and the proxy in between, for messages.
    place: Arc<str>,
    max_answer_bytes: usize,
}

/// A request.
pub(crate) struct Request<'a> {
    /// The contract method, for errors and logs.
    pub(crate) operation: &'static str,
    /// Whether it only reads, so that it may be repeated with a smaller limit.
    pub(crate) reads: bool,
    pub(crate) url: &'a Url,
    pub(crate) bearer: Option<&'a AccessToken>,
    /// The body, as JSON.
    pub(crate) body: Vec<u8>,
}

/// What came of a request to go on with another protocol.
pub(crate) enum Switch {
    /// The connection speaks it now. The headers are those of the answer.
    Done(Upgraded, HeaderMap),
    /// The server, or something before it, has answered instead.
    Refused(Reply),
}

/// A response with any status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Whether the header says HTML, or the body starts like it: then it comes from a gateway, a captive portal or
    /// another site.
    pub(crate) html: bool,
    /// The header said JSON.
    pub(crate) json: bool,
    /// The server's clock.
    pub(crate) date: Option<Time>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
    /// From sending the request to the last byte of the body.
    pub(crate) took: Duration,
}

impl Http {
    /// `project`: an address of the project.
    pub(crate) fn new(config: &SupabaseConfig, project: &Url) -> RemoteResult<Self> {
        let route = proxy::route(&config.proxy, project, &|name| std::env::var(name).ok())
            .map_err(|sentence| RemoteError::new(RemoteErrorKind::Other, CONFIGURE).with_detail(sentence))?;
        let place = place(project, route.as_ref());
        let https = project.scheme() == "https";
        let plan = Plan {
            // A proxy may be reached by TLS where the project is not.
            tls: tls::client_config(https || route.is_some())?,
            https,
            route,
            headers: headers(&config.anon_key)?,
            user_agent: user_agent(&config.app),
            connect_timeout: config.connect_timeout,
            timeout: config.timeout,
            pulse: Pulse::default(),
        };
        Self::over(plan, place, config.max_answer_bytes)
    }

    pub(crate) fn over(plan: Plan, place: Arc<str>, max_answer_bytes: usize) -> RemoteResult<Self> {
        let connections = Connections::new(plan)
            .map_err(|error| RemoteError::new(RemoteErrorKind::Other, CONFIGURE).with_source(error.without_url()))?;
        Ok(Self { connections: Arc::new(connections), place, max_answer_bytes })
    }

    /// From now on calls open new connections.
    pub(crate) fn drop_connections(&self) {
        self.connections.drop_all();
    }

    /// Sends a request and reads the response, whatever its status.
    pub(crate) async fn post(&self, request: Request<'_>) -> RemoteResult<Reply> {
        let (span, started) = (span(request.operation), Instant::now());
        let recorder = span.clone();
        let result = self.exchange(request).instrument(span).await;
        record(&recorder, started, result.as_ref().map(|reply| (reply.status, reply.body.len())));
        result
    }

    /// Asks the server to go on with another protocol, with the TLS, the proxy and the timeouts of all others.
    /// The timeout of a call ends with the answer; it does not limit what follows on the connection.
    pub(crate) async fn switch(&self, operation: &'static str, url: Url, headers: HeaderMap) -> RemoteResult<Switch> {
        let (span, started) = (span(operation), Instant::now());
        let recorder = span.clone();
        let result = self.ask_to_switch(operation, url, headers).instrument(span).await;
        let outcome = result.as_ref().map(|switch| match switch {
            Switch::Done(..) => (StatusCode::SWITCHING_PROTOCOLS, 0),
            Switch::Refused(reply) => (reply.status, reply.body.len()),
        });
        record(&recorder, started, outcome);
        result
    }

    async fn ask_to_switch(&self, operation: &'static str, url: Url, headers: HeaderMap) -> RemoteResult<Switch> {
        let sent_at = Instant::now();
        let sent = self.connections.upgrades().get(url).headers(headers).send().await;
        let response = sent.map_err(|error| transport::sending(operation, &self.place, error))?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Switch::Refused(self.reply(operation, true, response, sent_at).await?));
        }
        let headers = response.headers().clone();
        let upgraded = response.upgrade().await.map_err(|error| transport::sending(operation, &self.place, error))?;
        Ok(Switch::Done(upgraded, headers))
    }

    async fn exchange(&self, request: Request<'_>) -> RemoteResult<Reply> {
        let lease = self.connections.calls();
        let result = self.exchange_over(&lease, request).await;
        match result.as_ref().map_err(RemoteError::kind) {
            Ok(_) => self.connections.answered(),
            Err(RemoteErrorKind::TimedOut) => self.connections.failed(&lease, true),
            Err(RemoteErrorKind::Interrupted) => self.connections.failed(&lease, false),
            // Another protocol would change nothing.
            Err(_) => {}
        }
        result
    }

    async fn exchange_over(&self, lease: &Lease, request: Request<'_>) -> RemoteResult<Reply> {
        let (operation, reads) = (request.operation, request.reads);
        let sending = |error| transport::sending(operation, &self.place, error);
        let mut builder = lease.client.post(request.url.clone()).body(request.body);
        if let Some(token) = request.bearer {
            builder = builder.header(AUTHORIZATION, bearer(operation, token)?);
        }
        let request = builder.build().map_err(sending)?;
        let again = request.try_clone();
        let sent_at = Instant::now();
        let response = match (lease.client.execute(request).await, again) {
            // Nothing was done, or it is done once: every call may be sent twice.
            (Err(error), Some(request)) if transport::breaks_http2(&error) => {
                debug!("HTTP/2 does not work here; HTTP/1.1 takes its place");
                self.connections.give_up_http2(lease).execute(request).await
            }
            (sent, _) => sent,
        };
        self.reply(operation, reads, response.map_err(sending)?, sent_at).await
    }

    async fn reply(
        &self,
        operation: &'static str,
        reads: bool,
        response: Response,
        sent_at: Instant,
    ) -> RemoteResult<Reply> {
        let status = response.status();
        let headers = response.headers();
        let (html, json) = content_type(headers);
        let date = text(headers, DATE).and_then(retry_after::http_date);
        let retry_after = text(headers, RETRY_AFTER).and_then(|text| retry_after::parse(text, date));
        let body = self.read(operation, reads, response).await?;
        let html = html || body.trim_ascii_start().starts_with(b"<");
        Ok(Reply { status, html, json, date, retry_after, body, took: sent_at.elapsed() })
    }

    async fn read(&self, operation: &'static str, reads: bool, mut response: Response) -> RemoteResult<Vec<u8>> {
        let kind = if reads { RemoteErrorKind::Oversized } else { RemoteErrorKind::Malformed };
        let too_large = || RemoteError::new(kind, operation).with_detail("the answer is too large");
        let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
        if announced > self.max_answer_bytes {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(announced.min(RESERVE));
        while let Some(chunk) =
            response.chunk().await.map_err(|error| transport::reading(operation, &self.place, error))?
        {
            if body.len() + chunk.len() > self.max_answer_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn place(project: &Url, route: Option<&Route>) -> Arc<str> {
    let host = project.host_str().unwrap_or_default();
    match route {
        Some(route) => format!("{host}, through the proxy {}", route.name).into(),
        None => host.into(),
    }
}

fn span(operation: &'static str) -> Span {
    debug_span!("supabase", operation, status = Empty, bytes = Empty, ms = Empty)
}

fn record(span: &Span, started: Instant, result: Result<(StatusCode, usize), &RemoteError>) {
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.record("ms", ms);
    let _entered = span.enter();
    match result {
        Ok((status, bytes)) => {
            span.record("status", status.as_u16());
            span.record("bytes", bytes);
            debug!("answered");
        }
        Err(error) => debug!(kind = ?error.kind(), "failed"),
    }
}

fn headers(anon_key: &str) -> RemoteResult<HeaderMap> {
    let wrong_key = |sentence| RemoteError::new(RemoteErrorKind::WrongApiKey, CONFIGURE).with_detail(sentence);
    let anon_key = key::check(anon_key).map_err(wrong_key)?;
    let mut key = HeaderValue::from_str(anon_key).map_err(|_| wrong_key("it has characters that no key has"))?;
    key.set_sensitive(true);
    let json = HeaderValue::from_static("application/json");
    Ok(HeaderMap::from_iter([(API_KEY, key), (ACCEPT, json.clone()), (CONTENT_TYPE, json)]))
}

/// The app's name, if a header can hold it.
fn user_agent(app: &str) -> HeaderValue {
    const OURS: &str = concat!("fieldpost-remote-supabase/", env!("CARGO_PKG_VERSION"));
    HeaderValue::from_str(&format!("{app} {OURS}")).unwrap_or(const { HeaderValue::from_static(OURS) })
}

/// A token that no header can hold did not come from the server; the caller refreshes it.
fn bearer(operation: &'static str, token: &AccessToken) -> RemoteResult<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| {
        RemoteError::new(RemoteErrorKind::Unauthorized, operation)
            .with_detail("the token has characters that no token has")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn content_type(headers: &HeaderMap) -> (bool, bool) {
    let content_type = text(headers, CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    (content_type.contains("html"), content_type.contains("json"))
}
