//! From a row of the log to what its reader sees.

use super::{
    model::{Action, ActorKind, FieldChange, LogEntry, LogQuery, ObjectKind},
    store::{Filter, Row},
};
use crate::{
    access::{
        Resource,
        model::{Area, Permission, SessionInfo},
    },
    clock::Millis,
    db::Db,
    error::{AppResult, FieldError},
    ui::time,
};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Map, Value};

/// Characters of a value on the page; the log keeps more, the download shows them.
const SHOWN: usize = 1_000;
/// Characters of a search.
const SEARCH_MAX: usize = 200;

/// The filter that a query asks for; days are those of the zone.
pub fn filter(query: &LogQuery, zone: &str) -> AppResult<Filter> {
    let of_kind = ActorKind::from_code(&query.person).is_some();
    let (actor_kind, actor_id) =
        if of_kind { (query.person.clone(), String::new()) } else { (String::new(), query.person.clone()) };
    Ok(Filter {
        search: query.search.chars().take(SEARCH_MAX).collect(),
        action: query.action.clone(),
        object_kind: query.kind.clone(),
        actor_id,
        actor_kind,
        from: day("from", &query.from, zone, 0)?,
        before: day("until", &query.until, zone, 1)?,
    })
}

/// When a day begins, some days later.
fn day(field: &str, text: &str, zone: &str, later: i32) -> AppResult<Option<Millis>> {
    if text.is_empty() {
        return Ok(None);
    }
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let begins = text.parse::<Date>().and_then(|day| day.checked_add(later.days())).and_then(|day| day.to_zoned(zone));
    match begins {
        Ok(begins) => Ok(Some(begins.timestamp().as_millisecond())),
        Err(_) => Err(crate::error::AppError::Invalid(vec![FieldError::new(field, "Choose a day.")])),
    }
}

/// The number that a page begins after; the newest entries for what is no number.
pub fn mark(after: &str) -> i64 {
    after.parse().unwrap_or(i64::MAX)
}

pub async fn entry(db: &Db, info: &SessionInfo, row: Row) -> sqlx::Result<LogEntry> {
    let who_kind = ActorKind::from_code(&row.actor_kind).filter(|kind| *kind != ActorKind::Person);
    let kind = ObjectKind::from_code(&row.object_kind);
    Ok(LogEntry {
        href: match kind {
            Some(kind) => href(db, info, kind, &row.object_id).await?,
            None => String::new(),
        },
        seq: row.seq,
        at: row.at,
        who: cut(&row.actor),
        who_kind: who_kind.map(|kind| kind.label().to_string()).unwrap_or_default(),
        action: Action::from_code(&row.action).map_or(row.action.clone(), |action| action.label().into()),
        kind: kind.map_or(row.object_kind.clone(), |kind| kind.label().into()),
        object: cut(&row.object),
        address: row.address,
        changes: changes(&row.change, &info.time_zone),
    })
}

/// The page of an object that is there and that the reader may see.
async fn href(db: &Db, info: &SessionInfo, kind: ObjectKind, id: &str) -> sqlx::Result<String> {
    let (area, resource, page) = match kind {
        ObjectKind::Webhook => (Area::WebhookManagement, Resource::Webhook(id), "/webhooks"),
        ObjectKind::Parameter => (Area::ParameterManagement, Resource::Parameter(id), "/webhook-parameters"),
        ObjectKind::Customers => (Area::Customers, Resource::Import(id), "/customers/imports"),
        ObjectKind::Audience => (Area::Audiences, Resource::Audience(id), "/audiences"),
        ObjectKind::Campaign => (Area::Campaigns, Resource::Campaign(id), "/campaigns"),
        ObjectKind::Task => (Area::ReachWebhook, Resource::Task(id), "/tasks"),
        ObjectKind::Member => (Area::Members, Resource::Member(id), "/members"),
        ObjectKind::Role => (Area::Roles, Resource::Role(id), "/roles"),
        ObjectKind::IdType => return Ok(list(info, Area::IdTypes, "/id-types")),
        ObjectKind::MemberGroup => return Ok(list(info, Area::MemberGroups, "/member-groups")),
        ObjectKind::ApiKey => return Ok(list(info, Area::ApiKeys, "/api-keys")),
        ObjectKind::Account | ObjectKind::Workspace => return Ok(String::new()),
    };
    if id.is_empty() || !info.may(Permission::View(area)) || !resource.is_in(db, &info.workspace_id).await? {
        return Ok(String::new());
    }
    Ok(format!("{page}/{id}"))
}

/// Where things have no page of their own.
fn list(info: &SessionInfo, area: Area, page: &str) -> String {
    if info.may(Permission::View(area)) { page.into() } else { String::new() }
}

/// What stood before and after, field by field.
fn changes(change: &str, zone: &str) -> Vec<FieldChange> {
    let read = serde_json::from_str::<Value>(change).unwrap_or_default();
    let side = |name: &str| read.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (side("before"), side("after"));
    let of = |fields: &Map<String, Value>, name: &str| fields.get(name).map(|value| shown(name, value, zone));
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let field = |name: &String| FieldChange {
        field: label(name),
        before: of(&before, name).unwrap_or_default(),
        after: of(&after, name).unwrap_or_default(),
    };
    names.into_iter().map(field).collect()
}

/// `starts_on` is shown as "Starts on".
fn label(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn shown(name: &str, value: &Value, zone: &str) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::Bool(is) => if *is { "Yes" } else { "No" }.to_string(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_i64().filter(|_| name.ends_with("_at")) {
            Some(at) => time::text(at, Some(zone).filter(|zone| !zone.is_empty()), time::Form::Full),
            None => number.to_string(),
        },
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    cut(&text)
}

fn cut(text: &str) -> String {
    let mut kept: String = text.chars().take(SHOWN).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_as_people_read_them() {
        let change = r#"{"before":{"starts_on":"2026-01-01","old":[1]},"after":{"starts_on":null,"is":true,
            "types":["A","B"],"due_at":1795338005120}}"#;
        let told: Vec<_> =
            changes(change, "Europe/Berlin").into_iter().map(|one| (one.field, one.before, one.after)).collect();
        let expected = [
            ("Due at", "", "2026-11-22 10:00:05"),
            ("Is", "", "Yes"),
            ("Old", "[\n  1\n]", ""),
            ("Starts on", "2026-01-01", ""),
            ("Types", "", "A, B"),
        ];
        assert_eq!(told, expected.map(|(field, before, after)| (field.into(), before.into(), after.into())));
        assert!(changes("broken", "UTC").is_empty());
        assert_eq!(cut(&"é".repeat(1_001)).chars().count(), 1_001);
    }

    #[test]
    fn days_are_the_reader_s_and_the_last_one_counts() {
        let query = LogQuery { from: "2026-11-22".into(), until: "2026-11-22".into(), ..LogQuery::default() };
        let filter = filter(&query, "Asia/Shanghai").unwrap();
        let text = |at: Option<i64>| time::iso(at.unwrap());
        assert_eq!(text(filter.from), "2026-11-21T16:00:00.000Z");
        assert_eq!(text(filter.before), "2026-11-22T16:00:00.000Z");
        for wrong in ["yesterday", "2026-02-30", "9999-12-31"] {
            let query = LogQuery { until: wrong.into(), ..LogQuery::default() };
            assert_eq!(super::filter(&query, "UTC").unwrap_err().fields()[0].field, "until", "{wrong}");
        }
        let person = |text: &str| {
            let filter = super::filter(&LogQuery { person: text.into(), ..LogQuery::default() }, "UTC").unwrap();
            (filter.actor_kind, filter.actor_id)
        };
        assert_eq!(person("stranger"), ("stranger".into(), String::new()));
        assert_eq!(person("u1"), (String::new(), "u1".into()));
    }
}
