//! Why nothing moves, when it is the webhook.

use super::*;
use crate::{delivery::health::Standing, tasks::model::Held};

on_both_databases!(a_task_says_why_nothing_goes_out, |db| async move {
    let desk = Desk::new(db.clone()).await;
    desk.submit(ID, &[]).await;
    desk.finished(ID).await;
    let said = async |held: Option<Held>, wanted: &str| {
        assert_eq!(desk.live(ID).await.held, held);
        let page = desk.server.page(&format!("/tasks/{ID}"), &desk.cookie).await.text;
        assert!(page.contains(wanted), "{wanted}");
    };
    execute!(db, "update webhooks set enabled = $1", false).unwrap();
    said(None, "Finished").await;
    // Nothing of it is due, so that it stays so.
    execute!(db, "update sends set state = 'sending'").unwrap();
    said(Some(Held::Disabled), "is disabled: nothing is sent until somebody enables it").await;
    execute!(db, "update webhooks set disabled_because = 'HTTP 410'").unwrap();
    said(Some(Held::Ill(Standing::Disabled { because: "HTTP 410".into(), at: None })), "HTTP 410").await;
    execute!(db, "update webhooks set enabled = $1, disabled_because = ''", true).unwrap();
    said(None, "Sending").await;
    let until = desk.live(ID).await.now + 600_000;
    let open = "insert into webhook_health (workspace_id, webhook_id, state, open_until, reason) \
                values ($1, $2, 'open', $3, 'HTTP 503') on conflict (workspace_id, webhook_id) do update set \
                state = excluded.state, open_until = excluded.open_until, reason = excluded.reason";
    execute!(db, open, &desk.workspace, &desk.webhook, until).unwrap();
    said(Some(Held::Ill(Standing::Paused { until, reason: "HTTP 503".into() })), "Paused by the breaker").await;
    execute!(db, "update webhooks set enabled = $1", false).unwrap();
    said(Some(Held::Disabled), "is disabled: nothing is sent until somebody enables it").await;
});
