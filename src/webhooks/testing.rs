//! Test sends: one message to one ID, and the log of what happened (seed 002, "Test sending").

use super::{
    model::{TestInput, TestOutcome, TestResult, Webhook},
    store,
    value::on_the_wire,
};
use crate::{
    access::{self, Ctx},
    clock::Millis,
    delivery::{TestSend, model::Exchange},
    error::{AppError, AppResult},
    wire::environment::Environment,
};
use std::fmt::Write;

/// Sends the test, waits for the answer and keeps the log. A refusal by the receiver is a result, not an error.
pub async fn run(ctx: &Ctx, input: TestInput) -> AppResult<TestOutcome> {
    let db = &ctx.state.db;
    let input = input.tidy();
    let webhook = store::get(db, ctx.workspace(), &input.webhook_id).await?;
    AppError::check(input.check(&webhook))?;
    let key = store::key(db, &ctx.state.master_key, ctx.workspace(), &webhook.id).await?;
    let tls = store::tls(db, &ctx.state.master_key, ctx.workspace(), &webhook.id).await?;
    let zone = &ctx.info().time_zone;
    let params = webhook.input.parameters.iter().map(|parameter| {
        let value = on_the_wire(parameter, input.value(&parameter.name), zone);
        Ok((parameter.name.clone(), value.map_err(AppError::conflict)?))
    });
    let params = params.collect::<AppResult<_>>()?;
    let environment = if webhook.input.pass_environment {
        Some(Environment {
            organization_id: access::store::organization_id(db).await?,
            workspace_id: ctx.workspace().into(),
            source: "test".into(),
            source_id: webhook.id.clone(),
        })
    } else {
        None
    };
    let exchange = ctx
        .state
        .engine
        .test_send(TestSend {
            url: webhook.input.url.clone(),
            key,
            tls,
            environment,
            webhook_id: webhook.id.clone(),
            target_type: input.id_type.clone(),
            target_id: input.encryption.apply(input.test_id.trim()).into_owned(),
            params,
        })
        .await?;
    let at = ctx.now();
    let log = log(&webhook, &exchange, at);
    let result = TestResult { ok: exchange.ok, reason: exchange.reason, at };
    let id = store::record_test(db, ctx.workspace(), &webhook.id, &ctx.by(), &result, &log).await?;
    Ok(TestOutcome { id, result, log })
}

/// The exchange as text, as one would see it on the wire. The engine has hidden the signatures.
fn log(webhook: &Webhook, exchange: &Exchange, at: Millis) -> String {
    let mut text = String::new();
    let verdict = if exchange.ok { "successful" } else { "failed" };
    let time = jiff::Timestamp::from_millisecond(at).map(|time| time.to_string()).unwrap_or_default();
    let head = exchange.head_ms.map_or("never".to_string(), |ms| format!("after {ms} ms"));
    // Writing to a String can't fail.
    let _ = writeln!(
        text,
        "Test of webhook {} ({})\nEnded: {time}\nResult: {verdict}: {}\nAnswer began: {head}; in all: {} ms\n\n> POST {}",
        webhook.input.name, webhook.id, exchange.reason, exchange.total_ms, exchange.url
    );
    for (name, value) in &exchange.request_headers {
        let _ = writeln!(text, "> {name}: {value}");
    }
    let _ = writeln!(text, "\n{}\n", exchange.request_body);
    match exchange.status {
        None => text.push_str("No answer.\n"),
        Some(status) => {
            let _ = writeln!(text, "< HTTP {status}");
            for (name, value) in &exchange.response_headers {
                let _ = writeln!(text, "< {name}: {value}");
            }
            let _ = writeln!(text, "\n{}", exchange.response_body);
        }
    }
    text.replace('\0', "\u{fffd}")
}
