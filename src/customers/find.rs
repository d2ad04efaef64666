//! The customer list: walking it, and finding customers by an ID or its beginning. Both use the keys of the tables;
//! neither counts or skips rows.

use super::{
    model::{Customer, Identity},
    store::tags_of,
};
use crate::{clock::Millis, db::Db, fetch};
use std::collections::{BTreeSet, HashMap};

/// Identities shown for a page of customers.
const IDENTITIES_MAX: i64 = 2_000;

type Row = (String, String, Millis, Millis);

/// Customers by id, after an id ("" for the first).
pub async fn page(db: &Db, workspace: &str, after: &str, most: i64) -> sqlx::Result<Vec<Customer>> {
    let rows = fetch!(
        db,
        all,
        Row,
        "select customer_id, cast(tags as text), created_at, updated_at from customers
         where workspace_id = $1 and customer_id > $2 order by customer_id limit $3",
        workspace,
        after,
        most
    )?;
    with_identities(db, workspace, rows).await
}

/// Customers whose id or one of whose identities is the text or begins with it: exact matches first, then by id. At
/// most `most`; more may match.
pub async fn search(db: &Db, workspace: &str, text: &str, most: i64) -> sqlx::Result<Vec<Customer>> {
    // What was searched for itself: it must not be lost among the many that begin with it.
    let exact = fetch!(
        db,
        all,
        (String,),
        "select customer_id from customers where workspace_id = $1 and customer_id = $2
         union select i.customer_id from id_types t join identities i
         on i.workspace_id = t.workspace_id and i.id_type = t.code where t.workspace_id = $1 and i.value = $2",
        workspace,
        text
    )?;
    let by_id = fetch!(
        db,
        all,
        (String,),
        "select customer_id from customers
         where workspace_id = $1 and customer_id >= $2 and customer_id < $3 order by customer_id limit $4",
        workspace,
        text,
        end_of(text),
        most
    )?;
    let by_identity = fetch!(
        db,
        all,
        (String,),
        "select i.customer_id from id_types t join identities i
         on i.workspace_id = t.workspace_id and i.id_type = t.code
         where t.workspace_id = $1 and i.value >= $2 and i.value < $3 limit $4",
        workspace,
        text,
        end_of(text),
        most
    )?;
    let exact: BTreeSet<String> = exact.into_iter().map(|(id,)| id).collect();
    let others: BTreeSet<String> = by_id.into_iter().chain(by_identity).map(|(id,)| id).collect();
    let mut ids: Vec<String> = exact.iter().chain(others.difference(&exact)).cloned().collect();
    ids.truncate(most as usize);
    let mut customers = with_identities(db, workspace, by_ids(db, workspace, &ids).await?).await?;
    customers.sort_by_key(|customer| ids.iter().position(|id| *id == customer.customer_id));
    Ok(customers)
}

/// Behind every text that begins with this one: both databases compare these columns bytewise.
fn end_of(text: &str) -> String {
    format!("{text}\u{10ffff}")
}

async fn by_ids(db: &Db, workspace: &str, ids: &[String]) -> sqlx::Result<Vec<Row>> {
    let sql = match db {
        Db::Sqlite(_) => {
            "select customer_id, tags, created_at, updated_at from customers
             where workspace_id = $1 and customer_id in (select value from json_each($2))"
        }
        Db::Postgres(_) => {
            "select customer_id, cast(tags as text), created_at, updated_at from customers
             where workspace_id = $1 and customer_id in (select jsonb_array_elements_text($2::text::jsonb))"
        }
    };
    fetch!(db, all, Row, sql, workspace, serde_json::to_string(ids).unwrap_or_default())
}

async fn with_identities(db: &Db, workspace: &str, rows: Vec<Row>) -> sqlx::Result<Vec<Customer>> {
    let ids: Vec<&str> = rows.iter().map(|(id, ..)| id.as_str()).collect();
    let sql = match db {
        Db::Sqlite(_) => {
            "select customer_id, id_type, value from identities
             where workspace_id = $1 and customer_id in (select value from json_each($2))
             order by customer_id, id_type, value limit $3"
        }
        Db::Postgres(_) => {
            "select customer_id, id_type, value from identities
             where workspace_id = $1 and customer_id in (select jsonb_array_elements_text($2::text::jsonb))
             order by customer_id, id_type, value limit $3"
        }
    };
    let ids = serde_json::to_string(&ids).unwrap_or_default();
    let found = fetch!(db, all, (String, String, String), sql, workspace, ids, IDENTITIES_MAX)?;
    let mut identities: HashMap<String, Vec<Identity>> = HashMap::new();
    for (customer_id, id_type, value) in found {
        identities.entry(customer_id).or_default().push(Identity { id_type, value });
    }
    let customer = |(customer_id, tags, created_at, updated_at): Row| Customer {
        identities: identities.remove(&customer_id).unwrap_or_default(),
        tags: tags_of(&tags),
        customer_id,
        created_at,
        updated_at,
    };
    Ok(rows.into_iter().map(customer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        customers::import::testing::{import_text, workspace},
        on_both_databases,
    };

    fn ids(customers: &[Customer]) -> Vec<&str> {
        customers.iter().map(|customer| customer.customer_id.as_str()).collect()
    }

    on_both_databases!(customers_are_walked_and_found, |db| async move {
        let ws = workspace(&db).await;
        let text = "customer_id,ONEID,EMAIL\nb/1 ?,o1,ann@x\nB2,o12,b@x\na3,,\n文4,o1z,文@x\n";
        let columns = [
            ("customer_id", "customer_id".to_string()),
            ("ONEID", "id:ONEID".to_string()),
            ("EMAIL", "id:EMAIL".to_string()),
        ];
        import_text(&db, &ws, text, &columns).await;
        assert_eq!(ids(&page(&db, &ws, "", 2).await.unwrap()), ["B2", "a3"]);
        assert_eq!(ids(&page(&db, &ws, "a3", 9).await.unwrap()), ["b/1 ?", "文4"]);
        let found = search(&db, &ws, "o1", 9).await.unwrap();
        assert_eq!(ids(&found), ["b/1 ?", "B2", "文4"]);
        assert_eq!(found[0].identities.len(), 2);
        assert_eq!(ids(&search(&db, &ws, "文", 9).await.unwrap()), ["文4"]);
        assert_eq!(ids(&search(&db, &ws, "b/", 9).await.unwrap()), ["b/1 ?"]);
        assert_eq!(ids(&search(&db, &ws, "o1", 1).await.unwrap()).len(), 1);
        // Type by type, more begin with it than are shown before the one that it is.
        let many: String = (0..20).map(|n| format!("p{n:02},,t{n:02}\n")).collect();
        import_text(&db, &ws, &format!("customer_id,ONEID,EMAIL\n{many}z,t,\n"), &columns).await;
        assert_eq!(ids(&search(&db, &ws, "t", 5).await.unwrap()), ["z", "p00", "p01", "p02", "p03"]);
        assert!(search(&db, &ws, "%", 9).await.unwrap().is_empty());
        assert!(search(&db, "another", "o1", 9).await.unwrap().is_empty());
        assert!(page(&db, "another", "", 9).await.unwrap().is_empty());
    });
}
