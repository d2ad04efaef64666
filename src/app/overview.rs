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
    ui::{
        EmptyState, ErrorNote, LinkButton, Note, PageHeader, Panel, Scope, Skeleton, Tile, Tiles, Time, Tone,
        format::count,
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
    const DISABLED: usize = 8;
    use crate::access::{Resource, caller, require};
    let ctx = require(&caller()?, Permission::View(Area::Overview), Resource::Workspace).await?;
    let (db, workspace) = (&ctx.state.db, ctx.workspace());
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
    view! {
        <div class="grid">
            {disabled}
            {steps}
            <Panel padded=false><Tiles items=tiles /></Panel>
            <Live first=now />
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

#[cfg(all(test, feature = "ssr"))]
mod tests;
