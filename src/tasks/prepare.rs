//! From what was typed to what can be sent: everything that the server checks before a dry run, a test or a submit.

use super::model::{PassedCall, TaskInput, WebhookChoice, field, value_field};
use crate::{
    access::Ctx,
    audiences::{self, model::Audience},
    campaigns,
    clock::Millis,
    customers,
    error::{AppError, AppResult, FieldError},
    grants::{self, model::Standing},
    parameters::{self, load},
    webhooks::{
        self,
        model::{Parameter, ParameterType, Webhook},
    },
    wire::text::Template,
};
use jiff::{civil::DateTime, tz::TimeZone};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

/// For all interfaces of a task together, when it is submitted.
const ASKING: Duration = Duration::from_secs(45);
const TOO_SLOW: &str = "The interfaces that give the values took too long, so nothing was submitted. Try again.";

/// Checked input and what it refers to.
pub struct Prepared {
    pub webhook: Webhook,
    pub audience: Audience,
    pub template: Template,
    /// When to send; `None` at once.
    pub due_at: Option<Millis>,
    /// What was chosen for parameters that are called, and what was passed to get it.
    pub passed: Vec<PassedCall>,
}

impl Prepared {
    /// The input without what the webhook does not ask for.
    pub fn kept(&self, input: TaskInput) -> TaskInput {
        input.only(|name| self.webhook.input.parameters.iter().any(|parameter| parameter.name == name))
    }
}

/// Checks everything and gives all errors at once. `ask`: looks for the chosen values in what the interfaces say now;
/// a dry run, which is made after each change, does not.
pub async fn prepare(ctx: &Ctx, input: &TaskInput, ask: bool) -> AppResult<Prepared> {
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let webhook = found(webhooks::store::get(db, workspace, &input.webhook_id).await)?;
    let audience = found(audiences::store::get(db, workspace, &input.audience_id).await)?;
    let tags: Vec<String> = customers::store::tags(db, workspace).await?.into_iter().map(|tag| tag.name).collect();
    let (parameters, id_types) = match &webhook {
        Some(webhook) => (webhook.input.parameters.as_slice(), webhook.input.id_types.as_slice()),
        None => (&[][..], &[][..]),
    };
    let mut errors = input.check(parameters, id_types, &tags);
    let mut wrong = |name: &str, message: String| errors.push(FieldError::new(field(name), message));
    match &webhook {
        None if input.webhook_id.is_empty() => {}
        None => wrong("webhook_id", "This webhook is no longer there. Select another.".into()),
        Some(webhook) => {
            if let Some(reason) = unavailable(webhook) {
                wrong("webhook_id", reason);
            } else if let Some(reason) = not_granted(&standings(ctx).await?, &webhook.id, ctx) {
                wrong("webhook_id", format!("{}: {reason}. Ask an administrator for a grant.", webhook.input.name));
            }
        }
    }
    if id_types.contains(&input.id_type)
        && customers::store::enabled_id_types(db, workspace).await?.iter().all(|known| known.code != input.id_type)
    {
        wrong("id_type", format!("{} is disabled in ID Type Management.", input.id_type));
    }
    if audience.is_none() && !input.audience_id.is_empty() {
        wrong("audience_id", "This audience is no longer there. Select another.".into());
    }
    if let Some(audience) = &audience
        && id_types.contains(&input.id_type)
        && !audiences::store::has_id_type(db, workspace, audience, &input.id_type).await?
    {
        wrong("id_type", format!("Nobody in “{}” has a {}.", audience.name, input.id_type));
    }
    if !input.campaigns.is_empty() {
        let known = sub_campaigns(ctx).await?;
        if input.campaigns.iter().any(|id| !known.iter().any(|(known, _)| known == id)) {
            wrong("campaigns", "A sub-campaign is no longer there. Choose again.".into());
        }
    }
    if !input.time_zone.is_empty() && TimeZone::get(&input.time_zone).is_err() {
        wrong("time_zone", format!("“{}” is not a time zone.", input.time_zone.chars().take(40).collect::<String>()));
    }
    let due_at = match when(input, ctx.now()) {
        Ok(due_at) => due_at,
        Err(message) => {
            wrong("send_at", message);
            None
        }
    };
    let passed = match &webhook {
        Some(webhook) if ask && errors.is_empty() => {
            let all = tokio::time::timeout(ASKING, calls(ctx, webhook, input, &mut errors));
            all.await.map_err(|_| AppError::conflict(TOO_SLOW))??
        }
        _ => Vec::new(),
    };
    AppError::check(errors)?;
    let (Some(webhook), Some(audience)) = (webhook, audience) else { return Err(AppError::NotFound) };
    let template = input.template(&webhook.input.parameters).map_err(|problem| AppError::invalid("", problem))?;
    Ok(Prepared { webhook, audience, template, due_at, passed })
}

/// Whether what was chosen for parameters that are called is still among their values.
async fn calls(
    ctx: &Ctx,
    webhook: &Webhook,
    input: &TaskInput,
    errors: &mut Vec<FieldError>,
) -> AppResult<Vec<PassedCall>> {
    let called = |parameter: &&Parameter| parameter.kind == ParameterType::Call;
    let chosen = |parameter: &Parameter| (parameter.call.clone(), input.value_of(&parameter.name).trim().to_string());
    let given = webhook.input.parameters.iter().filter(called).map(chosen).collect();
    let mut passed = Vec::new();
    for (place, parameter) in webhook.input.parameters.iter().enumerate().filter(|(_, parameter)| called(parameter)) {
        let value = input.value_of(&parameter.name).trim();
        if value.is_empty() {
            continue;
        }
        let reason = match load::values_of_call(ctx, &parameter.call, &given, true).await {
            Ok(values) => match values.name_of(value) {
                Some(shown) => {
                    passed.push(PassedCall {
                        name: parameter.name.clone(),
                        parameter: parameter.call.clone(),
                        value: value.into(),
                        shown: shown.into(),
                        associated: values.associated,
                        system: values.system,
                        by: ctx.info().user_name.clone(),
                    });
                    continue;
                }
                None => format!("“{value}” is not one of its values any more. Choose again."),
            },
            Err(AppError::NotFound) => "This parameter is no longer there: the webhook must be edited.".into(),
            Err(AppError::Invalid(fields)) => fields.into_iter().next().map(|field| field.message).unwrap_or_default(),
            Err(AppError::Conflict(reason)) => reason,
            Err(other) => return Err(other),
        };
        errors.push(FieldError::new(value_field(place), reason));
    }
    Ok(passed)
}

fn found<T>(result: sqlx::Result<T>) -> AppResult<Option<T>> {
    match result {
        Ok(row) => Ok(Some(row)),
        Err(sqlx::Error::RowNotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The moment that was typed, in the zone that stood beside it. In a gap of daylight saving time it is the moment
/// after the gap, in a fold the first of the two.
fn when(input: &TaskInput, now: Millis) -> Result<Option<Millis>, String> {
    if !input.scheduled || input.send_at.is_empty() {
        return Ok(None);
    }
    let zone = TimeZone::get(&input.time_zone).map_err(|_| format!("“{}” is not a time zone.", input.time_zone))?;
    let civil: DateTime =
        input.send_at.parse().map_err(|_| format!("“{}” is not a date and a time.", input.send_at))?;
    let at = civil.to_zoned(zone).map_err(|error| error.to_string())?.timestamp().as_millisecond();
    if at <= now {
        return Err("This time has passed. Choose a later one, or turn Scheduled sending off.".into());
    }
    Ok(Some(at))
}

/// Why a webhook can't be chosen.
pub fn unavailable(webhook: &Webhook) -> Option<String> {
    (!webhook.enabled).then(|| format!("{} is disabled.", webhook.input.name))
}

/// What the one who asks has of each webhook by grants; `None` for administrators, who need none.
async fn standings(ctx: &Ctx) -> AppResult<Option<HashMap<String, Standing>>> {
    if ctx.info().administrator {
        return Ok(None);
    }
    Ok(Some(grants::store::standings(&ctx.state.db, ctx.workspace(), ctx.user(), ctx.now()).await?))
}

/// Why the webhook can't be used by whoever has these.
fn not_granted(standings: &Option<HashMap<String, Standing>>, webhook: &str, ctx: &Ctx) -> Option<String> {
    standings.as_ref()?.get(webhook).copied().unwrap_or_default().refusal(&ctx.info().time_zone)
}

/// Sub-campaigns that a task can be associated with: id and "Main / Sub", standalone ones under "-" at the end.
pub async fn sub_campaigns(ctx: &Ctx) -> AppResult<Vec<(String, String)>> {
    let tree = campaigns::store::tree(&ctx.state.db, ctx.workspace()).await?;
    let named = tree.into_iter().flat_map(|node| {
        let main = node.campaign.map_or_else(|| "-".to_string(), |main| main.name);
        node.subs.into_iter().map(move |sub| (sub.id, format!("{main} / {}", sub.name)))
    });
    Ok(named.collect())
}

/// The webhooks of the form, those that can't be chosen with the reason.
pub async fn choices(ctx: &Ctx) -> AppResult<Vec<WebhookChoice>> {
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let enabled = customers::store::enabled_id_types(db, workspace).await?;
    let mut webhooks = webhooks::store::list(db, workspace).await?;
    for webhook in &mut webhooks {
        webhook.input.id_types.retain(|code| enabled.iter().any(|known| known.code == *code));
    }
    parameters::store::fill_calls(db, workspace, webhooks.iter_mut().map(|webhook| &mut webhook.input).collect())
        .await?;
    let standings = standings(ctx).await?;
    let choice = |webhook: Webhook| {
        let unavailable = unavailable(&webhook).or_else(|| not_granted(&standings, &webhook.id, ctx));
        WebhookChoice { unavailable, webhook }
    };
    Ok(webhooks.into_iter().map(choice).collect())
}

/// The ID types of the workspace's webhooks that somebody in the audience has.
pub async fn fitting(ctx: &Ctx, audience: &Audience) -> AppResult<Vec<String>> {
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let webhooks = webhooks::store::list(db, workspace).await?;
    let asked: BTreeSet<String> = webhooks.into_iter().flat_map(|webhook| webhook.input.id_types).collect();
    let mut fitting = Vec::new();
    for id_type in asked {
        if audiences::store::has_id_type(db, workspace, audience, &id_type).await? {
            fitting.push(id_type);
        }
    }
    Ok(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typed_time_is_in_its_zone() {
        let at = |send_at: &str, zone: &str, now| {
            let input =
                TaskInput { scheduled: true, send_at: send_at.into(), time_zone: zone.into(), ..Default::default() };
            when(&input, now)
        };
        assert_eq!(at("2026-11-22T10:00", "Asia/Shanghai", 0), Ok(Some(1_795_312_800_000)));
        assert_eq!(at("2026-11-22T02:00", "UTC", 0), Ok(Some(1_795_312_800_000)));
        assert!(at("2026-11-22T02:00", "UTC", 1_795_312_800_000).unwrap_err().contains("passed"));
        assert!(at("soon", "UTC", 0).unwrap_err().contains("soon"));
        assert!(at("2026-11-22T02:00", "Mars/Olympus", 0).unwrap_err().contains("Mars"));
        // 2026-03-29 02:30 does not exist in Berlin: the clocks go from 2 to 3.
        assert_eq!(at("2026-03-29T02:30", "Europe/Berlin", 0), at("2026-03-29T03:30", "Europe/Berlin", 0));
    }
}
