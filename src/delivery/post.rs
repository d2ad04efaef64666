//! One POST: signed, guarded, bounded in time and in what is read of the answer.

use super::{
    causes::problem,
    guard::Guard,
    model::Exchange,
    tls::{Clients, Tls, TlsError},
    verdict::{self, Answer, Problem, Verdict},
};
use crate::{
    clock::Millis,
    config::EngineConfig,
    secrets::random_hex,
    steps::{self, Step},
    wire::{environment::Environment, message, signature},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use reqwest::Url;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// For the whole exchange, the answer's body included (seed 002: "10-second timeout").
pub const LIMIT: Duration = Duration::from_secs(10);
/// What is read of an answer.
pub const ANSWER_MAX: usize = 64 * 1024;
const HIDDEN: &str = "***";
const BODY_SIGNATURE: &str = "webhook-signature";

/// What one exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// For the whole of it.
    pub time: Duration,
    /// Bytes that are read of the answer; the rest stays unread.
    pub answer: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { time: LIMIT, answer: ANSWER_MAX }
    }
}

/// Where POSTs go, read once however many there are; what can't be read stays as it was typed.
#[derive(Clone, Debug)]
pub struct Address(Result<Url, String>);

impl Address {
    pub fn new(text: &str) -> Self {
        let url = Url::parse(text).map_err(|_| text.to_string());
        Self(url.map(|mut url| {
            url.set_fragment(None);
            url
        }))
    }

    /// With what every request bears ([`message::request_url`]).
    fn of_request(&self, timestamp: i64, nonce: &str) -> Self {
        Self(self.0.clone().map(|mut url| {
            let query = message::request_query(url.query(), timestamp, nonce);
            url.set_query(Some(&query));
            url
        }))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or_else(String::as_str, Url::as_str)
    }
}

/// A POST that is ready to go.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub url: Address,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

/// What is signed. Randomness (the nonce) and time are the caller's.
pub struct Request<'a> {
    pub url: &'a Address,
    pub key: Option<&'a str>,
    pub environment: Option<&'a Environment>,
    /// The batch's id: the same on every try.
    pub id: &'a str,
    pub body: Bytes,
    pub now: Millis,
    /// 32 hex digits, fresh on every try.
    pub nonce: &'a str,
}

impl Prepared {
    /// Signs (PRODUCT, "Request to the customer's system"). Without a key the seed's header is there and empty.
    pub fn new(request: Request) -> Self {
        let timestamp = request.now.div_euclid(1000);
        let mut headers = vec![
            ("content-type", "application/json".to_string()),
            (
                signature::HEADER,
                request.key.map_or_else(String::new, |key| signature::sign(key, &timestamp.to_string(), request.nonce)),
            ),
            ("webhook-id", request.id.to_string()),
            ("webhook-timestamp", timestamp.to_string()),
        ];
        if let Some(key) = request.key {
            headers.push((BODY_SIGNATURE, signature::sign_body(key, request.id, timestamp, &request.body)));
        }
        if let Some(environment) = request.environment {
            headers.extend(environment.headers().map(|(name, value)| (name, value.to_string())));
        }
        let url = request.url.of_request(timestamp, request.nonce);
        Self { url, headers, body: request.body }
    }

    /// As a request of a client.
    pub fn on(self, client: &reqwest::Client) -> reqwest::RequestBuilder {
        let post = match self.url.0 {
            Ok(url) => client.post(url),
            // It goes nowhere; the client says what is wrong with it.
            Err(text) => client.post(text),
        };
        self.headers.into_iter().fold(post, |post, (name, value)| post.header(name, value)).body(self.body)
    }
}

/// How a POST went.
#[derive(Debug)]
pub struct Transfer {
    pub result: Result<Answer, Problem>,
    /// Until the answer's head was there.
    pub head: Option<Duration>,
    pub total: Duration,
}

/// A client to build on: reqwest comes without cryptography of its own.
pub fn client() -> reqwest::ClientBuilder {
    // The process's default; someone may have installed it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

fn builder(config: &EngineConfig, guard: &Guard) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    let builder = client()
        .user_agent(concat!("Reachwire/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // One attempt on record is one POST on the wire.
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(config.posts_at_once)
        .referer(false)
        .no_proxy();
    Ok(match config.proxy.as_str() {
        "" => builder.dns_resolver(guard.clone()),
        // The proxy resolves names, so there is nothing to vet but what the URL says.
        proxy => builder.proxy(reqwest::Proxy::all(proxy)?),
    })
}

/// The engine's client: connections are reused per host.
#[derive(Clone, Debug)]
pub struct Poster {
    client: reqwest::Client,
    guard: Guard,
    config: Arc<EngineConfig>,
    /// Of webhooks that have certificates of their own.
    clients: Clients,
}

impl Poster {
    pub fn new(config: &EngineConfig) -> Result<Self, reqwest::Error> {
        Self::guarded(config, Guard::new(&config.allow_networks))
    }

    /// With another guard than the settings'.
    pub fn guarded(config: &EngineConfig, guard: Guard) -> Result<Self, reqwest::Error> {
        let client = builder(config, &guard)?.build()?;
        Ok(Self { client, guard, config: Arc::new(config.clone()), clients: Clients::default() })
    }

    /// The same with a webhook's certificates; connections are shared only with the same webhook's. What was kept for
    /// others that it had before goes.
    pub fn of_webhook(&self, webhook_id: &str, tls: &Tls) -> Result<Self, TlsError> {
        let make = || tls.apply(builder(&self.config, &self.guard)?)?.build().map_err(TlsError::from);
        let client = match self.clients.get(webhook_id, tls, make)? {
            Some(client) => client,
            None => self.client.clone(),
        };
        Ok(Self { client, ..self.clone() })
    }

    pub async fn send(&self, prepared: Prepared) -> Transfer {
        self.send_within(prepared, Bounds::default()).await
    }

    /// Within other bounds than a delivery's.
    pub async fn send_within(&self, prepared: Prepared, bounds: Bounds) -> Transfer {
        let started = Instant::now();
        let mut head = None;
        let result = match prepared.url.0.as_ref().map_or(Ok(()), |url| self.guard.check_url(url)) {
            Err(blocked) => Err(Problem::Refused(blocked.to_string())),
            Ok(()) => {
                let exchange = exchange(prepared.on(&self.client), started, &mut head, bounds.answer);
                match tokio::time::timeout(bounds.time, exchange).await {
                    Ok(result) => result.map_err(|error| problem(&error)),
                    Err(_) if head.is_some() => Err(Problem::Endless(bounds.time.as_secs())),
                    Err(_) => Err(Problem::TimedOut(bounds.time.as_secs())),
                }
            }
        };
        Transfer { result, head, total: started.elapsed() }
    }

    /// A POST whose every detail is kept, without keys and signatures: what [Download Logs] of a test send holds.
    pub async fn exchange_log(&self, prepared: Prepared, now: Millis) -> Exchange {
        let hidden = |(name, value): &(&str, String)| {
            let secret = matches!(*name, signature::HEADER | BODY_SIGNATURE) && !value.is_empty();
            (name.to_string(), if secret { HIDDEN.to_string() } else { value.clone() })
        };
        let request_headers = prepared.headers.iter().map(hidden).collect();
        let url = prepared.url.as_str().to_string();
        let request_body = String::from_utf8_lossy(&prepared.body).into_owned();
        let transfer = self.send(prepared).await;
        let (ok, reason) = match verdict::judge(&transfer.result, now) {
            Verdict::Accepted => (true, "OK".to_string()),
            Verdict::Failed(reason) | Verdict::Retry(reason, _) => (false, reason),
        };
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let texts = |headers: &HeaderMap| headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let answer = transfer.result.ok();
        Exchange {
            ok,
            reason,
            url,
            request_headers,
            request_body,
            status: answer.as_ref().map(|answer| answer.status),
            response_body: answer.as_ref().map_or_else(String::new, |answer| excerpt(&answer.body, ANSWER_MAX)),
            response_headers: answer.map_or_else(Vec::new, |answer| texts(&answer.headers)),
            head_ms: transfer.head.map(ms),
            total_ms: ms(transfer.total),
        }
    }
}

async fn exchange(
    post: reqwest::RequestBuilder,
    started: Instant,
    head: &mut Option<Duration>,
    most: usize,
) -> Result<Answer, reqwest::Error> {
    let mut response = post.send().await?;
    steps::at(Step::PostSent);
    *head = Some(started.elapsed());
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while body.len() < most
        && let Some(piece) = response.chunk().await?
    {
        body.extend_from_slice(&piece[..piece.len().min(most - body.len())]);
    }
    Ok(Answer { status: response.status().as_u16(), headers, body })
}

/// A fresh nonce: 32 hex digits.
pub fn nonce() -> String {
    random_hex(16)
}

/// The beginning of an answer as text without NUL, which PostgreSQL does not keep.
pub fn excerpt(body: &[u8], most: usize) -> String {
    let body = &body[..body.len().min(most)];
    String::from_utf8_lossy(body).replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_was_read_leads_where_its_text_does() {
        let hosts = ["http://a.example", "https://a.example:8443/", "http://[::1]/x y/%20/ü", "http://a.example/%2e/b"];
        let rests = ["", "?", "?a=b", "?a=b&", "?ü=ß ?'\"%27", "#part", "?a=b#part?c=d", "#part?c=d"];
        for text in hosts.iter().flat_map(|host| rests.map(|rest| format!("{host}{rest}"))) {
            let wanted = Url::parse(&message::request_url(&text, 1_631_865_523, "2e6e")).unwrap();
            assert_eq!(Address::new(&text).of_request(1_631_865_523, "2e6e").as_str(), wanted.as_str(), "{text}");
        }
        assert_eq!(Address::new("no address").of_request(1, "n").as_str(), "no address");
    }
}
