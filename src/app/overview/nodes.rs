//! "Nodes" on Overview: the processes that share the work, for whoever runs them.

use crate::{
    error::AppResult,
    ui::{
        Badge, ErrorNote, Panel, TableWrap, Time, Tone,
        format::{count, counted},
    },
};
use leptos::{prelude::*, server};
use serde::{Deserialize, Serialize};

/// The nodes of the last day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    /// Those that live first.
    pub rows: Vec<Node>,
    /// When this was so, in ms.
    pub now: i64,
}

/// Times are unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub name: String,
    /// "web, worker, intake".
    pub roles: String,
    pub version: String,
    pub started_at: i64,
    pub seen_at: i64,
    /// It was heard of a moment ago.
    pub lives: bool,
    /// The leases that it holds, and the POSTs that run.
    pub in_hand: i64,
    pub posts: i64,
}

/// The machine room's, and so the organization administrators'. Nothing when one node does everything.
#[server]
pub async fn load_nodes() -> AppResult<Option<Nodes>> {
    use crate::{
        access::{Resource, caller, model::Permission, require},
        config::Roles,
        delivery::nodes::{DEAD_AFTER, store},
    };
    const MOST: i64 = 100;
    let ctx = require(&caller()?, Permission::Organization, Resource::Workspace).await?;
    let now = ctx.now();
    let rows: Vec<Node> = store::list(&ctx.state.db, now, MOST)
        .await?
        .into_iter()
        .map(|row| Node {
            lives: row.seen_at > now - DEAD_AFTER,
            name: row.name,
            roles: row.roles,
            version: row.version,
            started_at: row.started_at,
            seen_at: row.seen_at,
            in_hand: row.in_hand,
            posts: row.posts,
        })
        .collect();
    let alone = rows.len() < 2 && rows.iter().all(|row| row.roles == Roles::ALL.text());
    Ok((!alone).then_some(Nodes { rows, now }))
}

pub fn panel(loaded: AppResult<Option<Nodes>>) -> AnyView {
    match loaded {
        Ok(None) => ().into_any(),
        Ok(Some(nodes)) => view! { <Panel title="Nodes" padded=false>{table(nodes)}</Panel> }.into_any(),
        Err(error) => view! { <Panel title="Nodes"><ErrorNote error /></Panel> }.into_any(),
    }
}

fn table(nodes: Nodes) -> AnyView {
    let now = nodes.now;
    let rows = nodes.rows.into_iter().map(move |node| {
        let (tone, state) = if node.lives { (Tone::Ok, "Running") } else { (Tone::Bad, "Not heard of") };
        // What a dead one held is taken over when its leases end.
        let in_hand = match node.lives {
            true => format!("{} ({} running)", count(node.in_hand), counted(node.posts, "POST")),
            false => format!("{} when last seen", count(node.in_hand)),
        };
        view! {
            <tr>
                <td><span class="title">{node.name}</span></td>
                <td data-label="Roles">{node.roles}</td>
                <td data-label="Version">{node.version}</td>
                <td data-label="Since"><Time ms=node.started_at seconds=false /></td>
                <td data-label="Last seen"><Time ms=node.seen_at now=now /></td>
                <td data-label="Batches in hand">{in_hand}</td>
                <td data-label="Status"><Badge tone text=state /></td>
            </tr>
        }
    });
    view! {
        <TableWrap label="Nodes">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Roles"</th>
                        <th scope="col">"Version"</th>
                        <th scope="col">"Since"</th>
                        <th scope="col">"Last seen"</th>
                        <th scope="col">"Batches in hand"</th>
                        <th scope="col">"Status"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </TableWrap>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::model::Preset,
        config::Roles,
        delivery::nodes::{Me, store},
        execute, on_both_databases,
        server::testing::Harness,
    };

    async fn asked(server: &Harness, cookie: &str) -> Option<Nodes> {
        let answer = server.call::<LoadNodes>(cookie, "").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    }

    on_both_databases!(organization_administrators_see_the_nodes_when_there_are_several, |db| async move {
        let server = Harness::new(db).await;
        server.member("ada@example.com", "Shop", Preset::Administrator).await;
        let cookie = server.sign_in("ada@example.com").await;
        assert_eq!(server.call::<LoadNodes>(&cookie, "").await.status, 403, "an administrator of a workspace");
        let (db, now) = (&server.state.db, server.state.clock.now());
        execute!(db, "update users set organization_admin = $1", true).unwrap();
        assert_eq!(asked(&server, &cookie).await, None);
        assert!(!server.page("/", &cookie).await.text.contains(">Nodes<"));
        let other = Me {
            id: "b".into(),
            name: "north:3000".into(),
            roles: Roles { web: false, ..Roles::ALL },
            started_at: now,
        };
        store::join(db, &other, now - 20_000).await.unwrap();
        // This server's own row may come a moment later.
        let nodes = asked(&server, &cookie).await.unwrap();
        let north = nodes.rows.iter().find(|node| node.name == "north:3000").unwrap();
        assert_eq!((north.roles.as_str(), north.lives, north.seen_at), ("worker, intake", false, now - 20_000));
        let page = server.page("/", &cookie).await.text;
        assert!(page.contains(">Nodes<") && page.contains("north:3000") && page.contains("Not heard of"));
        execute!(db, "update users set organization_admin = $1", false).unwrap();
        assert!(!server.page("/", &cookie).await.text.contains("north:3000"));
    });
}
