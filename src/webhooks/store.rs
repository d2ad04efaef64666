//! Webhooks in the database. Reading is here, changing in [`save`], their history in [`versions`], test sends in
//! [`test_sends`].

mod save;
mod test_sends;
mod told;
mod versions;

pub use save::{SaveError, Saving, create, delete, lock, set_enabled, update};
pub use test_sends::{latest_tests, record_test, test_log};
pub use versions::{version, versions};

use super::model::{
    Authentication, PAGE_SIZE, TestResult, WEBHOOKS_MAX, Webhook, WebhookInput, WebhookOrder, WebhookQuery,
};
use crate::{
    clock::Millis,
    db::{Db, from_json, like_pattern, name_key},
    delivery::{breaker::round::HealthRow, health::Standing, tls::Tls},
    fetch,
    hidden::Hidden,
    secrets::MasterKey,
};
use secrecy::SecretString;
use sqlx::AssertSqlSafe;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    enabled: bool,
    url: String,
    authentication: String,
    has_key: bool,
    has_client_key: bool,
    ca_certificate: String,
    client_certificate: String,
    old_key_until: Option<Millis>,
    id_types: String,
    parameters: String,
    batch_size: i64,
    concurrency: i64,
    users_per_second: Option<i64>,
    pass_environment: bool,
    after_crash: String,
    receipts_enabled: bool,
    retention_days: i64,
    statuses: String,
    version: i64,
    tested_at: Option<Millis>,
    test_ok: Option<bool>,
    test_reason: Option<String>,
    updated_at: Millis,
    tasks: i64,
    disabled_because: String,
    #[sqlx(flatten)]
    health: HealthRow,
}

/// A webhook's row, how many tasks use it, how its endpoint is doing; `$1` is the workspace.
const SELECT: &str = "select w.id, w.name, w.enabled, w.url, w.authentication, w.key_cipher is not null as has_key,
        w.client_key_cipher is not null as has_client_key, w.ca_certificate, w.client_certificate,
        w.old_key_until, w.id_types, w.parameters, w.batch_size, w.concurrency, w.users_per_second,
        w.pass_environment, w.after_crash, w.receipts_enabled,
        w.retention_days, w.statuses, w.version, w.tested_at, w.test_ok, w.test_reason, w.updated_at,
        coalesce(used.tasks, 0) as tasks, w.disabled_because,
        coalesce(h.state, 'closed') as breaker, coalesce(h.window_from, 0) as window_from,
        coalesce(h.window_ok, 0) as window_ok, coalesce(h.window_failed, 0) as window_failed,
        coalesce(h.window_ms, 0) as window_ms, coalesce(h.failures_in_row, 0) as failures_in_row, coalesce(h.trips, 0) as trips, h.opened_at,
        coalesce(h.open_until, 0) as open_until, coalesce(h.reason, '') as health_reason
    from webhooks w
    left join webhook_health h on h.workspace_id = w.workspace_id and h.webhook_id = w.id
    left join (select webhook_id, count(*) as tasks from tasks where workspace_id = $1 group by webhook_id) used
        on used.webhook_id = w.id
    where w.workspace_id = $1";

/// The conditions of a [`WebhookQuery`]: `$2` a pattern in lower case or "", `$3` a pattern in `id_types` or "", `$4`
/// enabled or null.
const MATCHES: &str = " and ($2 = '' or w.name_key like $2 escape '!' or lower(w.url) like $2 escape '!')
    and ($3 = '' or w.id_types like $3 escape '!')
    and ($4 is null or w.enabled = $4)";

impl TryFrom<Row> for Webhook {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let input = WebhookInput {
            name: row.name,
            authentication: Authentication::from_code(&row.authentication)
                .ok_or_else(|| sqlx::Error::Decode(format!("authentication {:?}", row.authentication).into()))?,
            key: Hidden::default(),
            url: row.url,
            id_types: from_json(&row.id_types)?,
            parameters: from_json(&row.parameters)?,
            batch_size: row.batch_size,
            concurrency: row.concurrency,
            users_per_second: row.users_per_second.unwrap_or(0),
            pass_environment: row.pass_environment,
            after_crash: row.after_crash,
            receipts_enabled: row.receipts_enabled,
            retention_days: row.retention_days,
            statuses: from_json(&row.statuses)?,
            ca_certificate: row.ca_certificate,
            client_certificate: row.client_certificate,
            client_key: Hidden::default(),
        };
        let test = row.tested_at.map(|at| TestResult {
            ok: row.test_ok.unwrap_or(false),
            reason: row.test_reason.unwrap_or_default(),
            at,
        });
        Ok(Self {
            id: row.id,
            enabled: row.enabled,
            version: row.version,
            has_key: row.has_key,
            has_client_key: row.has_client_key,
            old_key_until: row.old_key_until,
            input,
            test,
            tasks: row.tasks,
            updated_at: row.updated_at,
            disabled_because: row.disabled_because,
            health: row.health.into(),
        })
    }
}

/// A webhook of a list, which nobody looks for certificates in: they are long.
fn listed(row: Row) -> sqlx::Result<Webhook> {
    Webhook::try_from(Row { ca_certificate: String::new(), client_certificate: String::new(), ..row })
}

/// All webhooks of the workspace by name, without certificates; there are at most [`WEBHOOKS_MAX`].
pub async fn list(db: &Db, workspace: &str) -> sqlx::Result<Vec<Webhook>> {
    let sql = format!("{SELECT} order by w.name_key, w.id limit {WEBHOOKS_MAX}");
    fetch!(db, all, Row, AssertSqlSafe(sql), workspace)?.into_iter().map(listed).collect()
}

#[derive(sqlx::FromRow)]
struct HealthOf {
    id: String,
    name: String,
    #[sqlx(flatten)]
    health: HealthRow,
}

/// At most `limit` webhooks with their ids and names that answer slowly, fail, or are not sent to because they did;
/// those that are not sent to come first. What the engine disabled is told otherwise.
pub async fn ill(db: &Db, workspace: &str, limit: usize, now: Millis) -> sqlx::Result<Vec<(String, String, Standing)>> {
    // A row for each webhook at the most.
    let rows = fetch!(
        db,
        all,
        HealthOf,
        "select w.id, w.name, h.state as breaker, h.window_from, h.window_ok, h.window_failed, h.window_ms,
             h.failures_in_row, h.trips, h.opened_at, h.open_until, h.reason as health_reason
         from webhook_health h join webhooks w on w.workspace_id = h.workspace_id and w.id = h.webhook_id
         where h.workspace_id = $1 and w.enabled and w.disabled_because = '' order by w.name_key, w.id",
        workspace
    )?;
    let standings = rows.into_iter().map(|row| (row.id, row.name, Standing::of(&row.health.into(), "", now)));
    let mut ill: Vec<_> = standings.filter(|(.., standing)| standing.is_ill()).collect();
    ill.sort_by_key(|(.., standing)| !standing.holds());
    ill.truncate(limit);
    Ok(ill)
}

/// A page of what matches, without certificates, and how many match in all.
pub async fn page(db: &Db, workspace: &str, query: &WebhookQuery) -> sqlx::Result<(Vec<Webhook>, i64)> {
    let search = like_pattern(&name_key(&query.search));
    // A code within the JSON array, its quotes included.
    let id_type =
        if query.id_type.is_empty() { String::new() } else { like_pattern(&format!("\"{}\"", query.id_type)) };
    let column = match query.order {
        WebhookOrder::Name => "w.name_key",
        WebhookOrder::LatestTest => "coalesce(w.tested_at, 0)",
        WebhookOrder::Tasks => "coalesce(used.tasks, 0)",
    };
    let direction = if query.descending { "desc" } else { "asc" };
    let sql = format!("{SELECT}{MATCHES} order by {column} {direction}, w.id {direction} limit {PAGE_SIZE} offset $5");
    let offset = query.offset.clamp(0, WEBHOOKS_MAX);
    let rows = fetch!(db, all, Row, AssertSqlSafe(sql), workspace, &search, &id_type, query.enabled, offset)?;
    let count = format!("select count(*) from webhooks w where w.workspace_id = $1{MATCHES}");
    let (total,) = fetch!(db, one, (i64,), AssertSqlSafe(count), workspace, &search, &id_type, query.enabled)?;
    let rows = rows.into_iter().map(listed).collect::<sqlx::Result<_>>()?;
    Ok((rows, total))
}

/// `RowNotFound` when the workspace has no such webhook.
pub async fn get(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Webhook> {
    fetch!(db, one, Row, AssertSqlSafe(format!("{SELECT} and w.id = $2")), workspace, id)?.try_into()
}

/// The key that signs the requests; `None` without authentication. `RowNotFound` when the workspace has no such
/// webhook, a decoding error when the key was sealed under another master key.
pub async fn key(db: &Db, master_key: &MasterKey, workspace: &str, id: &str) -> sqlx::Result<Option<SecretString>> {
    let (sealed,) = fetch!(
        db,
        one,
        (Option<String>,),
        "select key_cipher from webhooks where workspace_id = $1 and id = $2",
        workspace,
        id
    )?;
    opened(master_key, id, sealed)
}

fn opened(master_key: &MasterKey, id: &str, sealed: Option<String>) -> sqlx::Result<Option<SecretString>> {
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let opened = master_key.open(&sealed).ok_or_else(|| {
        sqlx::Error::Decode(format!("a key of webhook {id} does not open with this master key").into())
    })?;
    Ok(Some(opened.into()))
}

/// The certificates that connections are made with. Errors as of [`key`].
pub async fn tls(db: &Db, master_key: &MasterKey, workspace: &str, id: &str) -> sqlx::Result<Tls> {
    let (ca_certificate, client_certificate, sealed) = fetch!(
        db,
        one,
        (String, String, Option<String>),
        "select ca_certificate, client_certificate, client_key_cipher from webhooks where workspace_id = $1 and id = $2",
        workspace,
        id
    )?;
    Ok(Tls { ca_certificate, client_certificate, client_key: opened(master_key, id, sealed)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audit::By, execute, on_both_databases, webhooks::model::Parameter};
    use secrecy::ExposeSecret;

    pub(super) const NOW: Millis = 1_700_000_000_000;

    pub(super) fn master_key() -> MasterKey {
        MasterKey::from_text("a key of enough length").unwrap()
    }

    pub(super) fn input(name: &str) -> WebhookInput {
        WebhookInput {
            name: name.into(),
            key: " my secret ".into(),
            url: "https://crm.example.com/hook".into(),
            id_types: vec!["MOBILE".into()],
            parameters: vec![Parameter { name: "text".into(), display_name: "Text".into(), ..Default::default() }],
            ..Default::default()
        }
    }

    pub(super) async fn created(db: &Db, workspace: &str, input: &WebhookInput) -> String {
        create(&Saving { workspace, ..saving(db, &master_key()) }, input, None).await.unwrap()
    }

    pub(super) fn saving<'a>(db: &'a Db, master_key: &'a MasterKey) -> Saving<'a> {
        Saving { db, master_key, workspace: "w", by: By::command_line(NOW) }
    }

    pub(super) async fn add_task(db: &Db, workspace: &str, id: &str, webhook: &str) {
        execute!(
            db,
            "insert into tasks (workspace_id, id, name, audience_id, webhook_id, id_type, encryption, inputs,
                                time_zone, created_by, created_at, updated_at)
             values ($1, $2, 'Spring', 'a', $3, 'MOBILE', 'none', '[]', 'UTC', 'u', 0, 0)",
            workspace,
            id,
            webhook
        )
        .unwrap();
    }

    fn names(webhooks: &[Webhook]) -> Vec<&str> {
        webhooks.iter().map(|webhook| webhook.input.name.as_str()).collect()
    }

    on_both_databases!(what_was_created_is_read_without_its_key, |db| async move {
        let typed = input("优惠券");
        let id = created(&db, "w", &typed).await;
        let webhook = get(&db, "w", &id).await.unwrap();
        assert!(webhook.enabled && webhook.has_key);
        assert_eq!((webhook.version, webhook.tasks, webhook.test), (1, 0, None));
        // Statuses are kept from the day that receipts are enabled.
        assert_eq!(webhook.input, WebhookInput { key: Hidden::default(), statuses: vec![], ..typed });
        assert_eq!(key(&db, &master_key(), "w", &id).await.unwrap().unwrap().expose_secret(), " my secret ");
        let other_master = MasterKey::from_text("another key of enough length").unwrap();
        assert!(matches!(key(&db, &other_master, "w", &id).await, Err(sqlx::Error::Decode(_))));
    });

    on_both_databases!(another_workspace_has_no_such_webhook, |db| async move {
        let id = created(&db, "w", &input("Coupons")).await;
        assert!(matches!(get(&db, "other", &id).await, Err(sqlx::Error::RowNotFound)));
        assert!(matches!(key(&db, &master_key(), "other", &id).await, Err(sqlx::Error::RowNotFound)));
        assert_eq!(list(&db, "other").await.unwrap(), []);
        assert!(matches!(
            set_enabled(&db, "other", &id, false, &By::command_line(NOW)).await,
            Err(sqlx::Error::RowNotFound)
        ));
    });

    on_both_databases!(the_list_is_searched_filtered_and_ordered, |db| async move {
        let coupons = created(&db, "w", &input("Coupons 50%")).await;
        let sms = WebhookInput { id_types: vec!["OPEN_ID".into(), "EMAIL".into()], ..input("sms") };
        let sms = created(&db, "w", &sms).await;
        created(&db, "w", &WebhookInput { url: "https://points.example.com".into(), ..input("Loyalty") }).await;
        set_enabled(&db, "w", &sms, false, &By::command_line(NOW)).await.unwrap();
        add_task(&db, "w", "t1", &coupons).await;
        add_task(&db, "elsewhere", "t2", &sms).await;
        assert_eq!(names(&list(&db, "w").await.unwrap()), ["Coupons 50%", "Loyalty", "sms"]);

        let found = async |query: WebhookQuery| {
            let (rows, total) = page(&db, "w", &query).await.unwrap();
            assert_eq!(rows.len() as i64, total);
            names(&rows).join(", ")
        };
        let all = WebhookQuery::default;
        assert_eq!(found(WebhookQuery { search: "SMS".into(), ..all() }).await, "sms");
        assert_eq!(found(WebhookQuery { search: "loYAL".into(), ..all() }).await, "Loyalty");
        assert_eq!(found(WebhookQuery { search: "points.".into(), ..all() }).await, "Loyalty");
        assert_eq!(found(WebhookQuery { search: "50%".into(), ..all() }).await, "Coupons 50%");
        assert_eq!(found(WebhookQuery { search: "C%s".into(), ..all() }).await, "");
        assert_eq!(found(WebhookQuery { id_type: "OPEN_ID".into(), ..all() }).await, "sms");
        assert_eq!(found(WebhookQuery { id_type: "OPEN".into(), ..all() }).await, "");
        assert_eq!(found(WebhookQuery { enabled: Some(false), ..all() }).await, "sms");
        let by_tasks = WebhookQuery { order: WebhookOrder::Tasks, descending: true, ..all() };
        assert!(found(by_tasks).await.starts_with("Coupons 50%, "));
        let (rows, total) = page(&db, "w", &WebhookQuery { offset: 2, ..all() }).await.unwrap();
        assert_eq!((names(&rows), total), (vec!["sms"], 3));
    });

    on_both_databases!(names_are_found_in_any_script_and_case, |db| async move {
        let id = created(&db, "w", &input("Äpfel")).await;
        created(&db, "w", &input("Весна")).await;
        let found = async |search: &str| {
            let query = WebhookQuery { search: search.into(), ..Default::default() };
            names(&page(&db, "w", &query).await.unwrap().0).join(", ")
        };
        assert_eq!(found("Äpf").await, "Äpfel");
        assert_eq!(found("весна").await, "Весна");
        set_enabled(&db, "w", &id, false, &By::command_line(NOW)).await.unwrap();
        update(&saving(&db, &master_key()), &id, 1, &input("ÉTÉ"), 0).await.unwrap();
        assert_eq!((found("été").await.as_str(), found("Äpf").await.as_str()), ("ÉTÉ", ""));
    });
}
