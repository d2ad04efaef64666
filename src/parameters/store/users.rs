//! Who uses a parameter: webhooks that call it and parameters that are associated with it.

use super::Associations;
use crate::{
    db::{Db, Tx, from_json, like_pattern},
    fetch,
    parameters::model::{User, UserKind},
};
use std::collections::HashMap;

/// A parameter or a webhook, and the JSON that may refer to a parameter.
pub(super) type Reference = (String, String, String);

/// All parameters of `$1`.
pub(super) const PARAMETERS: &str =
    "select id, name, associations from webhook_parameters where workspace_id = $1 order by name_key, id";

/// The webhooks of `$1` whose parameters hold the pattern `$2`.
const WEBHOOKS: &str = "select id, name, parameters from webhooks
    where workspace_id = $1 and parameters like $2 escape '!' order by name_key, id";

/// The ids of the parameters that a webhook's column `parameters` calls: `"call"` in each element of the array, "" or
/// absent when it calls none.
fn calls(parameters: &str) -> sqlx::Result<Vec<String>> {
    let all: Vec<serde_json::Value> = from_json(parameters)?;
    let call = |parameter: &serde_json::Value| parameter.get("call").and_then(|call| call.as_str()).map(String::from);
    Ok(all.iter().filter_map(call).filter(|id| !id.is_empty()).collect())
}

/// The ids of the parameters that a parameter's column `associations` refers to.
pub(super) fn associated(associations: &str) -> sqlx::Result<Vec<String>> {
    let Associations { others, associated, .. } = from_json(associations)?;
    let ids = others.into_iter().map(|setting| setting.parameter).chain([associated]);
    Ok(ids.filter(|id| !id.is_empty()).collect())
}

fn found(id: &str, parameters: Vec<Reference>, webhooks: Vec<Reference>) -> sqlx::Result<Vec<User>> {
    let mut users = Vec::new();
    for (own, name, text) in webhooks {
        if calls(&text)?.iter().any(|call| call == id) {
            users.push(User { kind: UserKind::Webhook, id: own, name });
        }
    }
    for (own, name, text) in parameters {
        if associated(&text)?.iter().any(|other| other == id) {
            users.push(User { kind: UserKind::Parameter, id: own, name });
        }
    }
    Ok(users)
}

/// The webhooks and then the parameters that use a parameter, by name.
pub async fn users(db: &Db, workspace: &str, id: &str) -> sqlx::Result<Vec<User>> {
    let parameters = fetch!(db, all, Reference, PARAMETERS, workspace)?;
    let webhooks = fetch!(db, all, Reference, WEBHOOKS, workspace, like_pattern(id))?;
    found(id, parameters, webhooks)
}

/// The same within a transaction.
pub(super) async fn users_in(tx: &mut Tx, workspace: &str, id: &str) -> sqlx::Result<Vec<User>> {
    let parameters = fetch!(tx, all, Reference, PARAMETERS, workspace)?;
    let webhooks = fetch!(tx, all, Reference, WEBHOOKS, workspace, like_pattern(id))?;
    found(id, parameters, webhooks)
}

/// How many webhooks and parameters use each parameter of the workspace; those that nobody uses are absent.
pub(super) async fn counts(db: &Db, workspace: &str) -> sqlx::Result<HashMap<String, i64>> {
    let parameters = fetch!(db, all, Reference, PARAMETERS, workspace)?;
    let webhooks = fetch!(db, all, Reference, WEBHOOKS, workspace, like_pattern("\"call\""))?;
    let mut counts = HashMap::new();
    let used = parameters.iter().map(|(.., text)| associated(text));
    for ids in used.chain(webhooks.iter().map(|(.., text)| calls(text))) {
        let mut ids = ids?;
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().for_each(|id| *counts.entry(id).or_default() += 1);
    }
    Ok(counts)
}
