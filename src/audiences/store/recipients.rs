//! The customers of an audience as senders read them, some thousand at a time and a million for one send: a page comes as
//! one text, because a row each costs more than all that is in it.

use super::{Members, members};
use crate::{
    audiences::{
        model::{Audience, Kind},
        rules_sql::tag_key,
    },
    customers::{self, model::tag_text},
    db::{Db, from_json},
    fetch,
};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use std::{
    collections::HashMap,
    fmt::{self, Formatter},
};

/// When at least one of so many customers is in an audience, the IDs of all that lie between two of its customers are
/// read in one go: to look for each of its own takes longer.
const CLOSE: i64 = 2;
/// But no more than so many for each of its own: an audience that is close as a whole may have wide gaps.
const IDS: i64 = 16;

/// A customer with what a message needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub customer_id: String,
    /// The customer's smallest value of the ID type that was asked for.
    pub target: Option<String>,
    /// The texts of the tags that were asked for, in their order.
    pub tags: Vec<Option<String>>,
}

/// Customers of the audience in the order of their ids, strictly after `after`, with some of their `tags`.
pub async fn recipients(
    db: &Db,
    workspace: &str,
    audience: &Audience,
    id_type: &str,
    tags: &[&str],
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<Recipient>> {
    let asked = Asked { db, workspace, audience, id_type, tags, after, limit };
    let close = audience.kind == Kind::All || audience.size >= customers::store::total(db, workspace).await? / CLOSE;
    let mut some = asked.page(close).await?;
    let Some((first, last)) = some.first().zip(some.last()).filter(|_| close) else { return Ok(some) };
    match asked.targets(&first.customer_id, &last.customer_id).await? {
        Some(mut targets) => some.iter_mut().for_each(|one| one.target = targets.remove(&one.customer_id)),
        None => some = asked.page(false).await?,
    }
    Ok(some)
}

/// A page that is asked for.
struct Asked<'a> {
    db: &'a Db,
    workspace: &'a str,
    audience: &'a Audience,
    id_type: &'a str,
    tags: &'a [&'a str],
    after: Option<&'a str>,
    limit: i64,
}

impl Asked<'_> {
    /// Without their IDs, when those are read apart.
    async fn page(&self, ids_apart: bool) -> sqlx::Result<Vec<Recipient>> {
        let Self { db, workspace, audience, id_type, tags, after, limit } = *self;
        let Members { from, walked, condition, bind } = members(db, workspace, audience, 4).await?;
        let target = if ids_apart {
            // $5 is named all the same.
            "cast(nullif($5, $5) as text)"
        } else {
            "(select min(i.value) from identities i where i.workspace_id = c.workspace_id \
             and i.customer_id = c.customer_id and i.id_type = $5)"
        };
        let keys: Value = tags.iter().map(|name| tag_key(name, db.is_sqlite())).collect();
        let places = 0..tags.len();
        // $6 is named even when there are no tags, so that the number of binds is always the same.
        let (line, joined): (String, _) = if db.is_sqlite() {
            let tag = |place| format!("',' || coalesce(c.tags -> json_extract($6, '$[{place}]'), 'null')");
            let ids = format!("'[' || json_quote(c.customer_id) || ',' || json_quote({target})");
            let tags = in_groups(places.map(tag));
            (format!("{ids}{tags} || substr(']', 1, $6 is not null)"), "group_concat(line, ',')")
        } else {
            let tag = |place| format!("',' || coalesce((c.tags -> ($6::text::jsonb ->> {place}))::text, 'null')");
            let ids =
                format!("'[' || to_json(c.customer_id)::text || ',' || coalesce(to_json({target})::text, 'null')");
            let tags = in_groups(places.map(tag));
            (format!("{ids}{tags} || left(']', length($6::text))"), "string_agg(line, ',')")
        };
        let sql = format!(
            "select coalesce({joined}, '') from (select {line} as line from {from} where {walked}.workspace_id = $1 \
             and {walked}.customer_id > $2 and {condition} order by {walked}.customer_id limit $3) as page"
        );
        let (after, keys) = (after.unwrap_or(""), keys.to_string());
        let (lines,) = fetch!(db, one, (String,), AssertSqlSafe(sql), workspace, after, limit, bind, id_type, keys)?;
        let mut recipients: Vec<Recipient> = from_json(&format!("[{lines}]"))?;
        // Neither database promises to join them as they were ordered; both do.
        if !recipients.is_sorted_by(|one, other| one.customer_id <= other.customer_id) {
            recipients.sort_by(|one, other| one.customer_id.cmp(&other.customer_id));
        }
        Ok(recipients)
    }

    /// The smallest value of the ID type of all customers from one to another; `None` when they have too many IDs of all
    /// types.
    async fn targets(&self, first: &str, last: &str) -> sqlx::Result<Option<HashMap<String, String>>> {
        let Self { db, workspace, id_type, .. } = *self;
        let most = self.limit * IDS;
        let lines = if db.is_sqlite() {
            "group_concat(case id_type when $4 then '[' || json_quote(customer_id) || ',' || json_quote(value) || ']' end, ',')"
        } else {
            "string_agg(case id_type when $4 then '[' || to_json(customer_id)::text || ',' || to_json(value)::text || ']' end, ',')"
        };
        let sql = format!(
            "select coalesce({lines}, ''), count(*) from (select id_type, customer_id, value from identities \
             where workspace_id = $1 and customer_id >= $2 and customer_id <= $3 \
             order by customer_id, id_type, value limit $5) as found"
        );
        let (lines, count) =
            fetch!(db, one, (String, i64), AssertSqlSafe(sql), workspace, first, last, id_type, most + 1)?;
        if count > most {
            return Ok(None);
        }
        let mut targets: HashMap<String, String> = HashMap::new();
        for (customer_id, value) in from_json::<Vec<(String, String)>>(&format!("[{lines}]"))? {
            let target = targets.entry(customer_id).or_insert_with(|| value.clone());
            if value < *target {
                *target = value;
            }
        }
        Ok(Some(targets))
    }
}

/// Joined on to what stands before. SQLite takes no expression that is deeper than 1,000, and a chain is as deep as long.
fn in_groups(tags: impl Iterator<Item = String>) -> String {
    let tags: Vec<String> = tags.collect();
    tags.chunks(100).map(|some| format!(" || ({})", some.join(" || "))).collect()
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Line)
    }
}

/// `[customer id, target or null, tag, tag, ...]`
struct Line;

impl<'de> de::Visitor<'de> for Line {
    type Value = Recipient;

    fn expecting(&self, to: &mut Formatter) -> fmt::Result {
        to.write_str("a customer")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut line: A) -> Result<Recipient, A::Error> {
        let short = || de::Error::invalid_length(2, &self);
        let customer_id = line.next_element()?.ok_or_else(short)?;
        let target = line.next_element()?.ok_or_else(short)?;
        let mut tags = Vec::with_capacity(4);
        while let Some(tag) = line.next_element()? {
            tags.push(match tag {
                Value::String(text) => Some(text),
                other => tag_text(&other),
            });
        }
        Ok(Recipient { customer_id, target, tags })
    }
}
