//! Overview: what is going on in the workspace, and the way in when nothing is.

mod live;
pub mod nodes;
pub mod now;

use crate::{
    access::{
        model::{Area, Permission},
        reader_may,
    },
    error::AppError,
    tasks::{list::state_badge, model::TaskRow},
    ui::{
        EmptyState, ErrorNote, LinkButton, Note, PageHeader, Panel, Progress, Scope, Skeleton, TableWrap, Tile, Tiles,
        Time, Tone, format::count,
    },
};
use leptos::{prelude::*, server};
use live::Live;
use now::{Now, load_now};
use serde::{Deserialize, Serialize};

/// The workspace at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    pub customers: i64,
    pub audiences: i64,
    pub webhooks: i64,
    pub tasks: i64,
    /// The newest.
    pub recent: Vec<TaskRow>,
    /// Webhooks that the engine disabled.
    pub disabled: Vec<DisabledWebhook>,
}

/// A webhook that the engine disabled, and why and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisabledWebhook {
    pub id: String,
    pub name: String,
    pub because: String,
    pub at: Option<i64>,
}

#[server]
pub async fn load_overview() -> Result<Overview, AppError> {
    const RECENT: i64 = 8;
    const DISABLED: usize = 8;
    use crate::access::{Resource, caller, require};
    let ctx = require(&caller()?, Permission::View(Area::Overview), Resource::Workspace).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
    let query = crate::tasks::store::ListQuery { limit: RECENT, ..Default::default() };
    let recent = crate::tasks::store::rows(db, workspace, &query).await?;
    // How many there are is no secret, what they are called is.
    let seen = ctx.info().may(Permission::View(Area::ReachWebhook));
    let webhooks = crate::webhooks::store::list(db, workspace).await?;
    let known = seen || ctx.info().may(Permission::View(Area::WebhookManagement));
    let disabled = webhooks.iter().filter(|webhook| known && !webhook.disabled_because.is_empty());
    let disabled = disabled.map(|webhook| DisabledWebhook {
        id: webhook.id.clone(),
        name: webhook.input.name.clone(),
        because: webhook.disabled_because.clone(),
        at: webhook.health.opened_at,
    });
    Ok(Overview {
        customers: crate::customers::store::total(db, workspace).await?,
        audiences: crate::audiences::store::count(db, workspace).await?,
        webhooks: webhooks.len() as i64,
        disabled: disabled.take(DISABLED).collect(),
        tasks: crate::tasks::store::count(db, workspace).await?,
        recent: if seen { recent } else { Vec::new() },
    })
}

pub fn overview_page() -> AnyView {
    let scope = Scope::here();
    if !reader_may(Permission::View(Area::Overview)) {
        return view! {
            <PageHeader title="Welcome" />
            <Panel>
                <EmptyState
                    title="Signed in"
                    text="What your roles open stands in the navigation. If nothing does, ask an administrator of the workspace for a role."
                />
            </Panel>
        }
        .into_any();
    }
    let overview = Resource::new(|| (), |()| load_overview());
    let now = Resource::new(|| (), |()| load_now());
    let administers = reader_may(Permission::Organization);
    let nodes =
        Resource::new(|| (), move |()| async move { if administers { nodes::load_nodes().await } else { Ok(None) } });
    let may_send = reader_may(Permission::Manage(Area::ReachWebhook));
    view! {
        <PageHeader title="Overview" intro="What your webhooks are doing.">
            {may_send.then(|| view! { <LinkButton href="/tasks/new" label="Create Sending Task" primary=true /> })}
        </PageHeader>
        <Suspense fallback=|| view! { <Skeleton /> }>
            {move || Suspend::new(async move {
                let (loaded, nodes) = ((overview.await, now.await), nodes.await);
                scope.show(move || match loaded {
                    (Ok(overview), Ok(now)) => content(overview, now, nodes::panel(nodes)),
                    (Err(error), _) | (_, Err(error)) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Suspense>
    }
    .into_any()
}

fn content(overview: Overview, now: Now, nodes: AnyView) -> AnyView {
    let steps = first_steps(&overview);
    let disabled = overview.disabled.iter().cloned().map(disabled).collect_view();
    let tiles = vec![
        Tile::new("Customers", count(overview.customers)),
        Tile::new("Audiences", count(overview.audiences)),
        Tile::new("Webhooks", count(overview.webhooks)),
        Tile::new("Sending tasks", count(overview.tasks)),
    ];
    let recent = if !reader_may(Permission::View(Area::ReachWebhook)) {
        view! { <EmptyState title="Not yours to see" text="Your roles do not open sending tasks." /> }.into_any()
    } else if overview.recent.is_empty() {
        view! { <EmptyState title="Nothing has been sent yet" text="Sending tasks and their progress appear here." /> }
            .into_any()
    } else {
        table(overview.recent)
    };
    view! {
        <div class="grid">
            {disabled}
            {steps}
            <Panel padded=false><Tiles items=tiles /></Panel>
            <Live first=now />
            <Panel title="Recent sending tasks" padded=false>{recent}</Panel>
            {nodes}
        </div>
    }
    .into_any()
}

/// One that the engine disabled: it goes when somebody enables it.
fn disabled(webhook: DisabledWebhook) -> AnyView {
    let name = if reader_may(Permission::View(Area::WebhookManagement)) {
        view! { <a href=format!("/webhooks/{}", webhook.id)>{webhook.name}</a> }.into_any()
    } else {
        webhook.name.into_any()
    };
    let at = webhook.at.map(|ms| view! { " since " <Time ms /> });
    view! {
        <Note tone=Tone::Warn>
            <p>
                "The webhook " {name} " is disabled" {at} ": " {webhook.because}
                ". Its tasks wait until somebody enables it."
            </p>
        </Note>
    }
    .into_any()
}

/// What is still missing before the first message can go out, in order.
fn first_steps(overview: &Overview) -> Option<AnyView> {
    let steps = [
        (overview.customers, "Import Customers", "/customers/import", "from a CSV file", Area::Customers),
        (overview.audiences, "Create Audience", "/audiences/new", "to say who receives a message", Area::Audiences),
        (
            overview.webhooks,
            "Create Webhook",
            "/webhooks/new",
            "to say which of your systems sends it",
            Area::WebhookManagement,
        ),
        (overview.tasks, "Create Sending Task", "/tasks/new", "to send it", Area::ReachWebhook),
    ];
    if steps.iter().all(|(there, ..)| *there > 0) {
        return None;
    }
    let items = steps.map(|(there, label, href, why, area)| {
        let done = there > 0;
        // What somebody else has to do is said without the way there.
        let mine = reader_may(Permission::Manage(area));
        view! {
            <li class:done=done>
                {match (done, mine) {
                    (true, _) => view! { <s>{label}</s> }.into_any(),
                    (false, true) => view! { <a href=href>{label}</a> }.into_any(),
                    (false, false) => label.into_any(),
                }}
                " " <span class="quiet">{why}</span>
            </li>
        }
    });
    Some(view! { <Panel title="First steps"><ol class="first-steps">{items.collect_view()}</ol></Panel> }.into_any())
}

fn table(recent: Vec<TaskRow>) -> AnyView {
    let rows = recent.into_iter().map(|task| {
        let progress = task.progress;
        let parts = vec![
            (Tone::Run, progress.accepted),
            (Tone::Bad, progress.failed),
            (Tone::Odd, progress.unknown),
            (Tone::Neutral, progress.skipped),
        ];
        let total = progress.audience.max(progress.planned);
        view! {
            <tr>
                <td><a class="title" href=format!("/tasks/{}", task.id)>{task.name.clone()}</a></td>
                <td data-label="Audience">{task.audience}</td>
                <td data-label="Webhook">{task.webhook}</td>
                <td data-label="Users decided"><Progress parts total label=format!("Progress of {}", task.name) /></td>
                <td data-label="Send time"><Time ms=progress.due_at seconds=false /></td>
                <td data-label="Status">{state_badge(progress.state)}</td>
            </tr>
        }
    });
    view! {
        <TableWrap label="Recent sending tasks">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Task name"</th>
                        <th scope="col">"Audience"</th>
                        <th scope="col">"Webhook"</th>
                        <th scope="col">"Users decided"</th>
                        <th scope="col">"Send time"</th>
                        <th scope="col">"Status"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </TableWrap>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests;
