//! How an endpoint is doing, as pages tell it.

use super::*;
use crate::{clock::SECOND, execute};

on_both_databases!(pages_tell_how_an_endpoint_is_doing_and_why_it_is_disabled, |db| async move {
    let desk = Desk::new(db.clone()).await;
    let id = desk.created(&[]).await;
    let own = format!("/webhooks/{id}");
    let both = async |wanted: &[&str]| {
        for path in ["/webhooks", own.as_str()] {
            let text = desk.page(path).await.text;
            for wanted in wanted {
                assert!(text.contains(wanted), "{path} lacks {wanted}");
            }
        }
    };
    both(&["Not known yet"]).await;
    let now = desk.server.state.clock.now();
    let failing = "insert into webhook_health (workspace_id, webhook_id, window_from, window_ok, window_failed, reason) \
                   values ($1, $2, $3, 30, 10, 'HTTP 502')";
    execute!(db, failing, &desk.workspace, &id, now).unwrap();
    both(&["Slow/failing", "10 of 40 requests (25", "HTTP 502"]).await;
    execute!(db, "update webhook_health set window_ok = 40, window_failed = 0").unwrap();
    both(&["Healthy"]).await;
    let slow = "update webhook_health set window_ok = 40, window_failed = 0, window_ms = 96000";
    execute!(db, slow).unwrap();
    both(&["Slow/failing", "A request takes 2.4 s on average"]).await;
    let open = "update webhook_health set state = 'open', open_until = $1, opened_at = $2, reason = 'HTTP 503'";
    execute!(db, open, now + 600 * SECOND, now).unwrap();
    both(&["Paused by the breaker", "HTTP 503"]).await;
    let because = "HTTP 410: the endpoint says that it is gone";
    let disable = "update webhooks set enabled = $1, disabled_because = $2";
    execute!(db, disable, false, because).unwrap();
    both(&[because]).await;
    assert!(desk.page(&own).await.text.contains("Reachwire disabled this webhook."));
    let overview = desk.page("/").await.text;
    assert!(overview.contains(because) && overview.contains(&format!("href=\"{own}\"")));
    let on = desk.server.submit::<SetWebhookEnabled>(&desk.cookie, &[("id", &id), ("enabled", "true")]).await;
    assert_eq!(on.status, StatusCode::FOUND, "{}", on.text);
    both(&["Not known yet"]).await;
    assert!(!desk.page("/").await.text.contains(because));
});
