//! Tasks as a sender: the users of a task's audience, each with the values of its variables or a reason to skip.

use super::{model::RENDERED_MAX, store};
use crate::{
    access,
    audiences::{model::Audience, store as audiences},
    audit::{
        Actor, By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::Millis,
    db::{Db, Tx},
    delivery::{
        Chunk, Recipient, Sender,
        sender::{ChunkFuture, MissedFuture, Planned, StartFuture},
    },
    error::AppError,
    fetch,
    wire::text::Template,
};

pub const SOURCE: &str = "task";

pub struct TaskSender;

impl Sender for TaskSender {
    fn source(&self) -> &'static str {
        SOURCE
    }

    /// A grant, a role or the person may have gone since the task was submitted.
    fn may_start<'a>(&'a self, db: &'a Db, workspace: &'a str, send: &'a str, now: Millis) -> StartFuture<'a> {
        Box::pin(async move {
            let task = match store::get(db, workspace, send).await {
                Err(sqlx::Error::RowNotFound) => return Ok(Err("The task no longer exists.".into())),
                task => task?,
            };
            let who = store::user_name(db, &task.submitted_by).await?;
            let may = access::store::may_use_webhook(db, workspace, &task.submitted_by, &task.webhook_id, now).await?;
            Ok(may.map_err(|reason| format!("{who}, who submitted this task, {reason}. Nothing was sent.")))
        })
    }

    fn missed<'a>(
        &'a self,
        tx: &'a mut Tx,
        workspace: &'a str,
        send: &'a str,
        reason: &'a str,
        now: Millis,
    ) -> MissedFuture<'a> {
        Box::pin(async move {
            let name = "select name from tasks where workspace_id = $1 and id = $2";
            let Some((name,)) = fetch!(tx, optional, (String,), name, workspace, send)? else { return Ok(()) };
            let change = Change::to(&serde_json::json!({"reason": reason}));
            let entry = Entry::new(Action::Missed, ObjectKind::Task, send, &name).with(change);
            By::new(Actor::engine(), now).record(tx, workspace, &entry).await
        })
    }

    fn chunk<'a>(
        &'a self,
        db: &'a Db,
        workspace: &'a str,
        send: &'a str,
        after: Option<&'a str>,
        limit: i64,
    ) -> ChunkFuture<'a> {
        Box::pin(async move {
            let task = store::get(db, workspace, send).await?;
            // The template of the submission, whatever has become of the webhook since.
            let template: Template = serde_json::from_str(&store::template(db, workspace, send).await?)?;
            let audience = audiences::get(db, workspace, &task.audience_id).await?;
            planned(db, workspace, &audience, &task.id_type, &template, after, limit).await
        })
    }
}

/// Customers of an audience strictly after one, each with what he gets, or why nothing. The dry run asks the same.
pub async fn planned(
    db: &Db,
    workspace: &str,
    audience: &Audience,
    id_type: &str,
    template: &Template,
    after: Option<&str>,
    limit: i64,
) -> Result<Chunk, AppError> {
    let tags = template.tags();
    let some = audiences::recipients(db, workspace, audience, id_type, &tags, after, limit).await?;
    let full = some.len() as i64 == limit;
    let next = some.last().filter(|_| full).map(|last| last.customer_id.clone());
    Ok(Chunk { recipients: some.into_iter().map(|one| plan(one, &tags, id_type, template)).collect(), next })
}

fn plan(customer: audiences::Recipient, tags: &[&str], id_type: &str, template: &Template) -> Recipient {
    let audiences::Recipient { customer_id, target, tags: texts } = customer;
    let text = |tag: &str| texts.get(tags.iter().position(|name| *name == tag)?)?.clone();
    let plan = match target {
        None => Err(format!("no {id_type}")),
        Some(target) => {
            template.values(text).map_err(|variable| format!("empty ${{{variable}}}")).and_then(
                |values| match too_long(template, &values) {
                    Some(parameter) => Err(format!("{parameter} longer than {RENDERED_MAX} characters")),
                    None => Ok(Planned { target, values }),
                },
            )
        }
    };
    Recipient { customer_id, plan }
}

fn too_long<'a>(template: &'a Template, values: &[String]) -> Option<&'a str> {
    if template.variables.is_empty() {
        return None;
    }
    template
        .params
        .iter()
        .find(|param| param.render(values).chars().nth(RENDERED_MAX).is_some())
        .map(|param| param.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::text::{Variable, WhenEmpty};

    #[test]
    fn each_user_gets_values_or_a_reason() {
        let mut template = Template::default();
        let variable = Variable { name: "n".into(), tag: "orders".into(), when_empty: WhenEmpty::SkipUser };
        template.push_text("text", "You have ${n}", &[variable]).unwrap();
        let plan = |target: Option<&str>, orders: Option<&str>| {
            let tags = vec![orders.map(String::from)];
            let customer = audiences::Recipient { customer_id: "c".into(), target: target.map(String::from), tags };
            plan(customer, &template.tags(), "MOBILE", &template).plan.map(|planned| planned.values)
        };
        assert_eq!(plan(Some("1"), Some("3")), Ok(vec!["3".into()]));
        assert_eq!(plan(None, Some("3")), Err("no MOBILE".into()));
        assert_eq!(plan(Some("1"), None), Err("empty ${n}".into()));
        assert_eq!(plan(Some("1"), Some("")), Err("empty ${n}".into()));
        let long = "x".repeat(RENDERED_MAX);
        assert_eq!(plan(Some("1"), Some(&long)), Err(format!("text longer than {RENDERED_MAX} characters")));
    }
}
