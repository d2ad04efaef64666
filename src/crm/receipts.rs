//! Posting receipts: gathered, signed, a few requests at once.

use super::ReceiptOptions;
use crate::{clock::Clock, delivery::post, hidden::Hidden, wire::message, wire::receipt::Receipt, wire::signature};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

/// Receipts in one request, and how long it is gathered for.
const GATHERED: usize = 1_000;
const GATHERING: Duration = Duration::from_millis(200);
const QUEUE: usize = 20_000;
/// Requests that wait for their time or run.
const IN_HAND: usize = 256;
const AT_ONCE: usize = 4;
const TRIES: u32 = 8;

pub fn start(options: ReceiptOptions, key: Option<Hidden>) -> (mpsc::Sender<Receipt>, JoinHandle<()>) {
    let (sender, queue) = mpsc::channel(QUEUE);
    (sender, tokio::spawn(run(Arc::new(options), key.map(|key| Arc::from(&*key)), queue)))
}

async fn run(options: Arc<ReceiptOptions>, key: Option<Arc<str>>, mut queue: mpsc::Receiver<Receipt>) {
    let client = post::client().no_proxy().timeout(Duration::from_secs(30)).build();
    let client = match client {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "no client for receipts"),
    };
    let (in_hand, at_once) = (Arc::new(Semaphore::new(IN_HAND)), Arc::new(Semaphore::new(AT_ONCE)));
    loop {
        let mut receipts = Vec::new();
        if queue.recv_many(&mut receipts, GATHERED).await == 0 {
            return;
        }
        let until = Instant::now() + GATHERING;
        while receipts.len() < GATHERED {
            tokio::select! {
                more = queue.recv() => match more {
                    Some(receipt) => receipts.push(receipt),
                    None => break,
                },
                () = sleep_until(until) => break,
            }
        }
        let Ok(place) = in_hand.clone().acquire_owned().await else { return };
        let (options, key, client, at_once) = (options.clone(), key.clone(), client.clone(), at_once.clone());
        tokio::spawn(async move {
            let _place = place;
            sleep(options.delay).await;
            let _turn = at_once.acquire().await;
            post_until_taken(&client, &options.url, key.as_deref(), &receipts).await;
        });
    }
}

async fn post_until_taken(client: &reqwest::Client, url: &str, key: Option<&str>, receipts: &[Receipt]) {
    let Ok(body) = serde_json::to_vec(receipts) else { return };
    for tried in 0..TRIES {
        let (timestamp, nonce) = (Clock::System.now() / 1000, post::nonce());
        let signature = key.map_or_else(String::new, |key| signature::sign(key, &timestamp.to_string(), &nonce));
        let request = client
            .post(message::request_url(url, timestamp, &nonce))
            .header("content-type", "application/json")
            .header(signature::HEADER, signature)
            .body(body.clone());
        let told = match request.send().await {
            Ok(answer) if answer.status().is_success() => return,
            // A refusal of our receipts does not change by repeating it.
            Ok(answer) if answer.status().is_client_error() => {
                return tracing::warn!(status = %answer.status(), "receipts were refused");
            }
            Ok(answer) => answer.status().to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(told, "receipts were not taken; trying again");
        sleep(Duration::from_millis(250) * 2u32.pow(tried)).await;
    }
}
