//! The room from outside: what the form submits, and what its pages and downloads then say.

mod audited;
mod bodies;
mod calls;
mod decided;
mod grants;
mod held;

use super::{
    api::{DryRunState, StartDryRun, SubmitTask},
    detail::api::{ControlTask, LoadTaskLive},
    dry_run,
    model::{DryRun, DryRunResult, TaskLive},
    store,
};
use crate::{
    access::model::Preset,
    audiences::{
        self,
        model::{Audience, Kind},
        rules::Rules,
    },
    audit::By,
    crm,
    customers::import::testing::import_text,
    db::Db,
    delivery::model::SendState,
    error::AppError,
    execute, fetch, on_both_databases,
    server::testing::{Answer, Harness, encoded},
    webhooks::{
        self,
        model::{Authentication, Parameter, ParameterType, WebhookInput},
    },
};
use std::time::Duration;

const ID: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "fedcba9876543210fedcba9876543210";
const CSV: &str = "customer_id,ONEID,city\n=c1,o1,Leeds\nc2,o2,\nc3,,York\n";

/// Three customers, a webhook with one text, and a marketer.
struct Desk {
    server: Harness,
    crm: crm::Simulator,
    workspace: String,
    cookie: String,
    audience: String,
    webhook: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        let allow = |config: &mut crate::config::Config| {
            config.engine.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        };
        let crm =
            crate::delivery::testing::simulator(crm::Options { key: Some("k".into()), ..Default::default() }).await;
        let server = Harness::with(db, allow).await;
        let workspace = server.member("max@example.com", "Shop", Preset::Marketer).await;
        let (db, now) = (&server.state.db, server.state.clock.now());
        let columns = [("customer_id", "customer_id"), ("ONEID", "id:ONEID"), ("city", "tag:text")];
        import_text(db, &workspace, CSV, &columns.map(|(name, code)| (name, code.to_string()))).await;
        let everybody = Audience { name: "All".into(), size: 3, ..Audience::unsaved(Kind::All, Rules::default()) };
        let audience = audiences::store::add(db, &workspace, &everybody, &By::command_line(now)).await.unwrap();
        let text = Parameter {
            name: "text".into(),
            display_name: "Text".into(),
            kind: ParameterType::Text,
            required: true,
            ..Default::default()
        };
        let input = WebhookInput {
            name: "Hook".into(),
            authentication: Authentication::Key,
            key: crate::delivery::testing::KEY.into(),
            url: crm.url(),
            id_types: vec!["ONEID".into()],
            parameters: vec![text],
            ..Default::default()
        };
        let saving = webhooks::store::Saving::new(&server.state, &workspace, By::command_line(0));
        let webhook = webhooks::store::create(&saving, &input, None).await.unwrap();
        server.grant(&workspace, &webhook, "max@example.com").await;
        let cookie = server.sign_in("max@example.com").await;
        Self { server, crm, workspace, cookie, audience, webhook }
    }

    async fn submit(&self, id: &str, changes: &[(&str, &str)]) -> Answer {
        self.submit_as(&self.cookie, id, changes).await
    }

    async fn submit_as(&self, cookie: &str, id: &str, changes: &[(&str, &str)]) -> Answer {
        let form = [[("id", id), ("new", "true")].as_slice(), changes].concat();
        self.server.call::<SubmitTask>(cookie, &encoded(&self.fields(&form))).await
    }

    /// Of the form of a task, as a browser sends them.
    fn fields<'a>(&'a self, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut fields = vec![
            ("task[name]", "Spring"),
            ("task[audience_id]", &self.audience),
            ("task[webhook_id]", &self.webhook),
            ("task[id_type]", "ONEID"),
            ("task[encryption]", "none"),
            ("task[time_zone]", "UTC"),
            ("task[values][0][name]", "text"),
            ("task[values][0][value]", "Dear ${city}"),
            ("task[variables][0][parameter]", "text"),
            ("task[variables][0][name]", "city"),
            ("task[variables][0][tag]", "city"),
            ("task[variables][0][when_empty]", "skip"),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields
    }

    async fn live(&self, id: &str) -> TaskLive {
        let answer = self.server.call::<LoadTaskLive>(&self.cookie, &format!("id={id}")).await;
        serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
    }

    async fn finished(&self, id: &str) -> TaskLive {
        for _ in 0..600 {
            let live = self.live(id).await;
            if live.progress.state == SendState::Finished {
                return live;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the task did not finish: {:?}", self.live(id).await.progress);
    }

    async fn tasks(&self) -> i64 {
        fetch!(self.server.state.db, one, (i64,), "select count(*) from tasks").unwrap().0
    }
}

fn wrong_fields(answer: &Answer) -> Vec<String> {
    let error: AppError = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text));
    error.fields().iter().map(|error| error.field.clone()).collect()
}

on_both_databases!(a_form_that_comes_twice_is_one_task, |db| async move {
    let desk = Desk::new(db).await;
    assert_eq!(desk.submit(ID, &[]).await.status, 200);
    assert_eq!(desk.submit(ID, &[]).await.status, 200, "the answer to the first was lost");
    let progress = desk.finished(ID).await.progress;
    assert_eq!((progress.accepted, progress.skipped, desk.tasks().await), (1, 2, 1));
    let other = desk.submit(ID, &[("task[name]", "Summer")]).await;
    assert_eq!(other.status, 409, "another task under the same form does not vanish: {}", other.text);
    let both = tokio::join!(desk.submit(OTHER, &[]), desk.submit(OTHER, &[]));
    assert_eq!((both.0.status.as_u16(), both.1.status.as_u16()), (200, 200), "{} {}", both.0.text, both.1.text);
    desk.finished(OTHER).await;
    assert_eq!(desk.tasks().await, 2);
    assert_eq!(desk.crm.rows().len(), 2);
    for id in ["", "../../etc", "0123456789ABCDEF0123456789ABCDEF"] {
        assert_eq!(desk.submit(id, &[]).await.status, 422, "{id}");
    }
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
});

on_both_databases!(what_cannot_be_sent_is_refused_at_its_field, |db| async move {
    let desk = Desk::new(db).await;
    for (field, value) in [
        ("task[name]", " "),
        ("task[audience_id]", OTHER),
        ("task[webhook_id]", OTHER),
        ("task[id_type]", "EMAIL"),
        ("task[encryption]", "rot13"),
        ("task[values][0][value]", "Dear ${nobody}"),
    ] {
        let answer = desk.submit(ID, &[(field, value)]).await;
        assert_eq!(answer.status, 422, "{field}={value}");
        assert!(wrong_fields(&answer).contains(&field.to_string()), "{field}={value}: {}", answer.text);
    }
    let past = desk.submit(ID, &[("task[scheduled]", "true"), ("task[send_at]", "2020-01-01T10:00")]).await;
    assert_eq!(wrong_fields(&past), ["task[send_at]"]);
    assert_eq!(desk.tasks().await, 0);
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
});

on_both_databases!(the_users_are_downloaded_and_no_cell_is_a_formula, |db| async move {
    let desk = Desk::new(db).await;
    desk.submit(ID, &[]).await;
    desk.finished(ID).await;
    let answer = desk.server.page(&format!("/tasks/{ID}/users.csv"), &desk.cookie).await;
    let lines: Vec<&str> = answer.text.lines().collect();
    assert_eq!(lines[0], "action_id,customer_id,id,result,reason,sent_at,receipt_status,receipt_at");
    assert!(lines[1].starts_with(&format!("{ID}-0,'=c1,o1,accepted,,")), "{}", lines[1]);
    assert_eq!(
        lines[2..],
        [format!("{ID}-1,c2,,skipped,empty ${{city}},,,"), format!("{ID}-2,c3,,skipped,no ONEID,,,")]
    );
    let stopped = desk.server.call::<ControlTask>(&desk.cookie, &format!("id={ID}&action=stop")).await;
    assert_eq!(stopped.status, 409, "it has ended");
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
});

on_both_databases!(a_dry_run_says_how_long_the_limit_makes_it_last, |db| async move {
    let desk = Desk::new(db).await;
    execute!(desk.server.state.db, "update webhooks set users_per_second = 4").unwrap();
    let started = desk.server.call::<StartDryRun>(&desk.cookie, &encoded(&desk.fields(&[]))).await;
    let id: String = serde_json::from_str(&started.text).unwrap_or_else(|error| panic!("{error}: {}", started.text));
    let result = loop {
        let answer = desk.server.call::<DryRunState>(&desk.cookie, &format!("id={id}")).await;
        let run: DryRun = serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text));
        assert_eq!(run.error, None);
        match run.result {
            Some(result) => break result,
            None => tokio::task::yield_now().await,
        }
    };
    assert_eq!((result.will_send, result.users_per_second, result.lasts_ms()), (1, 4, Some(250)));
    assert_eq!(DryRunResult { users_per_second: 0, ..result }.lasts_ms(), None);
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
});

on_both_databases!(a_dry_run_that_a_restart_cut_off_says_so, |db| async move {
    let desk = Desk::new(db).await;
    let db = &desk.server.state.db;
    let record = dry_run::store::DryRunRecord {
        id: ID.into(),
        input: "{}".into(),
        status: "running".into(),
        done: 0,
        total: 9,
        result: None,
    };
    let (user, workspace): (String, String) =
        fetch!(db, one, (String, String), "select user_id, workspace_id from members").unwrap();
    dry_run::store::add(db, &workspace, &user, &record, 0, 0).await.unwrap();
    dry_run::store::end_interrupted(db, crate::clock::Millis::MAX).await.unwrap();
    let answer = desk.server.call::<DryRunState>(&desk.cookie, &format!("id={ID}")).await;
    assert!(answer.text.contains("restarted in the meantime"), "{}", answer.text);
    assert!(!dry_run::store::progress(db, &workspace, ID, 5).await.unwrap(), "whoever renders it stops");
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
});

on_both_databases!(a_task_uses_the_version_that_it_was_submitted_with, |db| async move {
    let desk = Desk::new(db).await;
    let (state, workspace) = (&desk.server.state, desk.workspace.clone());
    let saving = webhooks::store::Saving::new(state, &workspace, By::command_line(0));
    let original = webhooks::store::get(&state.db, &workspace, &desk.webhook).await.unwrap();
    let later = [("task[scheduled]", "true"), ("task[send_at]", "2100-01-01T10:00")];
    assert_eq!(desk.submit(ID, &later).await.status, 200);
    // Another address, and environment parameters, from now on.
    webhooks::store::set_enabled(&state.db, &workspace, &desk.webhook, false, &By::command_line(0)).await.unwrap();
    let refused = desk.submit(OTHER, &[]).await;
    assert_eq!(refused.status, 422, "disabled: {}", refused.text);
    let input = WebhookInput { url: "http://127.0.0.1:1/".into(), pass_environment: true, ..original.input };
    webhooks::store::update(&saving, &desk.webhook, 1, &input, 0).await.unwrap();
    webhooks::store::set_enabled(&state.db, &workspace, &desk.webhook, true, &By::command_line(0)).await.unwrap();
    let versions = webhooks::store::versions(&state.db, &workspace, &desk.webhook).await.unwrap();
    let of = |place: usize| versions[place].tasks.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>();
    assert_eq!((of(0), of(1)), (vec![], vec![ID]));
    execute!(state.db, "update sends set due_at = 0").unwrap();
    state.engine.wake();
    assert_eq!(desk.finished(ID).await.progress.accepted, 1, "it went to the address of its version");
    let page = desk.server.page(&format!("/tasks/{ID}"), &desk.cookie).await.text;
    assert!(page.contains("version 1"), "{page}");
    desk.server.state.engine.stop(Duration::from_secs(5)).await;
});
