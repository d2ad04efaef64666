//! Tasks as a sender: the users of a task's audience, each with the values of its variables or a reason to skip.

use super::{model::RENDERED_MAX, store};
use crate::{
    access,
    audiences::store::{self as audiences, AudienceMember},
    audit::{
        Actor, By, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::Millis,
    customers::model::tag_text,
    db::{Db, Tx},
    delivery::{
        Chunk, Recipient, Sender,
        sender::{ChunkFuture, MissedFuture, Planned, StartFuture},
    },
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
            let members = audiences::page_of(db, workspace, &audience, &task.id_type, after, limit).await?;
            let next =
                if (members.len() as i64) < limit { None } else { members.last() }.map(|last| last.customer_id.clone());
            let recipients = members.into_iter().map(|member| plan(member, &task.id_type, &template)).collect();
            Ok(Chunk { recipients, next })
        })
    }
}

/// What one user gets, or why nothing. The dry run asks the same.
pub fn plan(member: AudienceMember, id_type: &str, template: &Template) -> Recipient {
    let plan = match &member.target {
        None => Err(format!("no {id_type}")),
        Some(target) => template
            .values(|tag| member.tags.get(tag).and_then(tag_text))
            .map_err(|variable| format!("empty ${{{variable}}}"))
            .and_then(|values| match too_long(template, &values) {
                Some(parameter) => Err(format!("{parameter} longer than {RENDERED_MAX} characters")),
                None => Ok(Planned { target: target.clone(), values }),
            }),
    };
    Recipient { customer_id: member.customer_id, plan }
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
    use serde_json::json;

    fn member(target: Option<&str>, tags: serde_json::Value) -> AudienceMember {
        AudienceMember {
            customer_id: "c".into(),
            target: target.map(String::from),
            tags: tags.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn each_user_gets_values_or_a_reason() {
        let mut template = Template::default();
        let variable = Variable { name: "n".into(), tag: "orders".into(), when_empty: WhenEmpty::SkipUser };
        template.push_text("text", "You have ${n}", &[variable]).unwrap();
        let plan = |member| plan(member, "MOBILE", &template).plan.map(|planned| planned.values);
        assert_eq!(plan(member(Some("1"), json!({"orders": 3.0}))), Ok(vec!["3".into()]));
        assert_eq!(plan(member(None, json!({"orders": 3}))), Err("no MOBILE".into()));
        assert_eq!(plan(member(Some("1"), json!({}))), Err("empty ${n}".into()));
        assert_eq!(plan(member(Some("1"), json!({"orders": null}))), Err("empty ${n}".into()));
        let long = "x".repeat(RENDERED_MAX);
        assert_eq!(
            plan(member(Some("1"), json!({"orders": long}))),
            Err(format!("text longer than {RENDERED_MAX} characters"))
        );
    }
}
