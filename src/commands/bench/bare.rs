//! The least that any sender must do: POST the same bytes, signed, with the same concurrency.

use super::{
    KEY,
    engine::{Measured, template, user},
};
use crate::{
    clock::Clock,
    delivery::post::{self, Address, Prepared, Request},
    wire::message::{self, CallbackParams, Message, Params, ProcessInfo, UserProfile},
};
use bytes::Bytes;
use std::{
    sync::Arc,
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};

pub async fn run(url: &str, users: i64, batch_size: i64, concurrency: i64) -> Result<Measured, String> {
    let body = body(batch_size)?;
    let client = post::client().no_proxy().build().map_err(|error| error.to_string())?;
    let left = Arc::new(AtomicI64::new((users + batch_size - 1) / batch_size));
    let started = Instant::now();
    let loops: Vec<_> = (0..concurrency)
        .map(|_| tokio::spawn(post_all(client.clone(), Address::new(url), body.clone(), left.clone())))
        .collect();
    for one in loops {
        one.await.map_err(|error| error.to_string())??;
    }
    Ok(Measured { users, seconds: started.elapsed().as_secs_f64(), peak_kb: None })
}

async fn post_all(client: reqwest::Client, url: Address, body: Bytes, left: Arc<AtomicI64>) -> Result<(), String> {
    while left.fetch_sub(1, Ordering::Relaxed) > 0 {
        let (now, nonce) = (Clock::System.now(), post::nonce());
        let prepared = Prepared::new(Request {
            url: &url,
            key: Some(KEY),
            environment: None,
            id: "bare",
            body: body.clone(),
            now,
            nonce: &nonce,
        });
        let answer = prepared.on(&client).send().await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("the simulator answered {}", answer.status()));
        }
        answer.bytes().await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// A body as the engine makes it.
fn body(users: i64) -> Result<Bytes, String> {
    let template = template()?;
    let users: Vec<_> = (0..users).map(user).collect();
    let id = crate::clock::new_id();
    let messages: Vec<Message> = users
        .iter()
        .enumerate()
        .map(|(seq, (customer_id, target_id, values))| Message {
            user_profile: UserProfile { target_type: "EMAIL", target_id, customer_id },
            params: Params { template: &template, values },
            callback_params: CallbackParams {
                webhook_id: "hook".into(),
                send_time: Clock::System.now().to_string().into(),
                batch_id: format!("{id}-b0").into(),
                action_id: format!("{id}-{seq}").into(),
                customer_id: customer_id.as_str().into(),
                ..CallbackParams::default()
            },
            process_info: ProcessInfo::default(),
        })
        .collect();
    message::body(&messages).map(Bytes::from).map_err(|error| error.to_string())
}
