//! Asking an interface for its values: page by page, signed, guarded and bounded as deliveries are.

use super::model::Parameter;
use crate::{
    clock::{Clock, new_id},
    delivery::{
        post::{self, Address, Bounds, Poster, Prepared},
        verdict::Problem,
    },
    wire::interface::{ANSWER_MAX, Answer, Fault, Item, Pages, Request},
};
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, time::Duration};

/// How long loading may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For each exchange.
    pub exchange: Duration,
    /// For all pages together.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { exchange: post::LIMIT, total: Duration::from_secs(30) }
    }
}

/// Why an interface gave no values. The texts are for people.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("The interface did not answer completely within {} s.", .0.as_secs())]
    Slow(Duration),
    #[error("The interface did not give all its pages within {} s.", .0.as_secs())]
    Long(Duration),
    #[error("The interface can't be reached: {0}.")]
    Connect(String),
    #[error("The connection to the interface broke: {0}.")]
    Broken(String),
    #[error("The interface can't be understood: {0}.")]
    Unreadable(String),
    #[error("The interface was not called: {0}.")]
    Blocked(String),
    #[error("{0}")]
    Fault(Fault),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// What the interface is told besides the parameter's name and the page.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub associated: BTreeMap<String, String>,
    pub system: BTreeMap<String, serde_json::Value>,
}

/// All values of an interface-based parameter.
pub async fn load(
    poster: &Poster,
    clock: &Clock,
    parameter: &Parameter,
    key: Option<&SecretString>,
    told: Told,
    patience: Patience,
) -> Result<Vec<Item>, LoadError> {
    let pages = all_pages(poster, clock, parameter, key, told, patience);
    tokio::time::timeout(patience.total, pages).await.map_err(|_| LoadError::Long(patience.total))?
}

async fn all_pages(
    poster: &Poster,
    clock: &Clock,
    parameter: &Parameter,
    key: Option<&SecretString>,
    told: Told,
    patience: Patience,
) -> Result<Vec<Item>, LoadError> {
    let id = format!("values-{}", new_id());
    let Told { associated, system } = told;
    let mut request = Request { parameter: parameter.input.name.clone(), associated, system, page: 1 };
    // One byte more, so that an answer that is too large is seen to be.
    let bounds = Bounds { time: patience.exchange, answer: ANSWER_MAX + 1 };
    let (url, mut pages) = (Address::new(&parameter.input.url), Pages::default());
    loop {
        let prepared = Prepared::new(post::Request {
            environment: None,
            url: &url,
            key: key.map(|key| key.expose_secret()),
            id: &format!("{id}-{}", request.page),
            body: serde_json::to_vec(&request)?.into(),
            now: clock.now(),
            nonce: &post::nonce(),
        });
        let answer = poster.send_within(prepared, bounds).await.result.map_err(|problem| match problem {
            Problem::TimedOut(_) | Problem::Endless(_) => LoadError::Slow(patience.exchange),
            Problem::Connect(why) => LoadError::Connect(why),
            problem @ Problem::Tls(_) => LoadError::Connect(problem.to_string()),
            problem @ (Problem::HeadTooLarge | Problem::Malformed(_)) => LoadError::Unreadable(problem.to_string()),
            Problem::Broken(why) => LoadError::Broken(why),
            Problem::Refused(why) => LoadError::Blocked(why),
        })?;
        let answer = Answer::read(answer.status, &answer.body).map_err(LoadError::Fault)?;
        match pages.take(request.page, answer).map_err(LoadError::Fault)? {
            Some(next) => request.page = next,
            None => return Ok(pages.into_items()),
        }
    }
}

#[cfg(test)]
mod tests;
