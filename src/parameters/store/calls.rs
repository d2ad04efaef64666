//! What webhooks need to know of the parameters that they call.

use crate::{
    db::{Db, Tx},
    fetch,
    webhooks::model::{Called, ParameterType, WebhookInput},
};
use std::collections::HashMap;

/// Writes [`Called`] into the parameters of webhooks. One whose parameter is gone has none.
pub async fn fill_calls(db: &Db, workspace: &str, inputs: Vec<&mut WebhookInput>) -> sqlx::Result<()> {
    let mut known: HashMap<String, Option<Called>> = HashMap::new();
    for parameter in inputs.into_iter().flat_map(|input| &mut input.parameters) {
        if parameter.kind != ParameterType::Call {
            continue;
        }
        if !known.contains_key(&parameter.call) {
            let called = match super::get(db, workspace, &parameter.call).await {
                Ok(found) => {
                    let depends_on = found.dependencies().into_iter().map(|one| one.parameter).collect();
                    Some(Called { name: found.input.name, depends_on })
                }
                Err(sqlx::Error::RowNotFound) => None,
                Err(error) => return Err(error),
            };
            known.insert(parameter.call.clone(), called);
        }
        parameter.called = known[&parameter.call].clone();
    }
    Ok(())
}

/// Whether all parameters that a webhook calls are there; they stay until the transaction ends.
pub async fn hold_called(tx: &mut Tx, workspace: &str, input: &WebhookInput) -> sqlx::Result<bool> {
    let calls = input.parameters.iter().filter(|parameter| parameter.kind == ParameterType::Call);
    let calls: Vec<_> = calls.map(|parameter| &parameter.call).collect();
    if calls.is_empty() {
        return Ok(true);
    }
    super::hold(tx, workspace).await?;
    for id in calls {
        let sql = "select id from webhook_parameters where workspace_id = $1 and id = $2";
        if fetch!(tx, optional, (String,), sql, workspace, id)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
