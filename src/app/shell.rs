//! The frame around every page of somebody who is signed in: bar, navigation, main region.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::access::model::{Area, Permission, SessionInfo};
use crate::ui::{Glyph, Icon, UserZone};

/// One entry of the navigation, and what it takes to see it.
struct Entry {
    label: &'static str,
    href: &'static str,
    needs: Permission,
}

/// A heading of the navigation and what is below it. An entry under a `room` of its own stands one step in.
struct Group {
    heading: &'static str,
    entries: Vec<Entry>,
    room: Option<(&'static str, Vec<Entry>)>,
}

/// Where a page that roles open is.
fn entry(area: Area) -> Entry {
    let href = match area {
        Area::Overview => "/",
        Area::Customers => "/customers",
        Area::Audiences => "/audiences",
        Area::Campaigns => "/campaigns",
        Area::ReachWebhook => "/tasks",
        Area::WebhookManagement => "/webhooks",
        Area::ParameterManagement => "/webhook-parameters",
        Area::IdTypes => "/id-types",
        Area::Members => "/members",
        Area::MemberGroups => "/member-groups",
        Area::Roles => "/roles",
        Area::ApiKeys => "/api-keys",
        Area::AuditLog => "/audit-log",
    };
    let label = area.path().last().copied().unwrap_or_default();
    Entry { label, href, needs: Permission::View(area) }
}

fn entries(areas: &[Area]) -> Vec<Entry> {
    areas.iter().copied().map(entry).collect()
}

/// What there is to go to.
fn groups() -> Vec<Group> {
    let group = |heading, areas| Group { heading, entries: entries(areas), room: None };
    let of_organization = |label, href| Entry { label, href, needs: Permission::Organization };
    vec![
        group("", &[Area::Overview]),
        group("Customers", &[Area::Customers, Area::Audiences]),
        Group {
            room: Some(("Reach Marketing", entries(&[Area::ReachWebhook]))),
            ..group("User Marketing", &[Area::Campaigns])
        },
        Group {
            room: Some(("Marketing Configuration", entries(&[Area::WebhookManagement, Area::ParameterManagement]))),
            ..group("Configuration Management", &[])
        },
        group("", &[Area::IdTypes]),
        group("Workspace Management", &[Area::Members, Area::MemberGroups, Area::Roles, Area::ApiKeys, Area::AuditLog]),
        Group {
            heading: "Organization",
            entries: vec![
                of_organization("Workspaces", "/organization/workspaces"),
                of_organization("Accounts", "/organization/accounts"),
                of_organization("Organization Audit Log", "/organization/audit-log"),
            ],
            room: None,
        },
    ]
}

/// Without what the reader may not open, and headings that nothing is left below.
fn groups_of(session: &SessionInfo) -> Vec<Group> {
    let open = |mut entries: Vec<Entry>| {
        entries.retain(|entry| session.may(entry.needs));
        entries
    };
    let groups = groups().into_iter().map(|group| Group {
        heading: group.heading,
        entries: open(group.entries),
        room: group.room.map(|(label, entries)| (label, open(entries))).filter(|(_, entries)| !entries.is_empty()),
    });
    groups.filter(|group| !group.entries.is_empty() || group.room.is_some()).collect()
}

/// Does the page at `path` belong to the entry at `href`?
fn is_here(path: &str, href: &str) -> bool {
    match href {
        "/" => path == "/",
        href => path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

#[component]
fn Link(entry: Entry) -> impl IntoView {
    let path = use_location().pathname;
    let here = move || path.with(|path| is_here(path, entry.href)).then_some("page");
    view! { <li><a href=entry.href aria-current=here>{entry.label}</a></li> }
}

fn links(entries: Vec<Entry>) -> impl IntoView {
    entries.into_iter().map(|entry| view! { <Link entry/> }).collect_view()
}

fn navigation(session: &SessionInfo) -> AnyView {
    let groups = groups_of(session).into_iter().map(|group| {
        let heading = (!group.heading.is_empty()).then(|| view! { <span class="heading">{group.heading}</span> });
        let room = group.room.map(|(label, entries)| {
            view! { <li><span class="room">{label}</span><ul class="sub">{links(entries)}</ul></li> }
        });
        view! { <li>{heading}<ul>{links(group.entries)}{room}</ul></li> }
    });
    let groups = groups.collect_view();
    view! {
        <nav class="side" id="navigation" popover="auto" aria-label="Main">
            <ul>{groups}</ul>
        </nav>
    }
    .into_any()
}

/// The workspace, and the way to the others. Switching is a plain POST: another workspace is another world, and the
/// page begins anew.
fn workspace(session: &SessionInfo) -> AnyView {
    let name = session.workspace_name.clone();
    if session.workspaces.len() < 2 {
        return view! { <span class="workspace">{name}</span> }.into_any();
    }
    let choices = session.workspaces.iter().cloned().map(|(id, label)| {
        let here = (id == session.workspace_id).then_some("true");
        view! { <button type="submit" name="workspace" value=id aria-current=here>{label}</button> }
    });
    let choices = choices.collect_view();
    view! {
        <button type="button" class="btn bare workspace" popovertarget="workspace-menu">
            <span class="sr">"Workspace: "</span>
            <span class="cut">{name.clone()}</span>
            <Icon glyph=Glyph::ChevronDown/>
        </button>
        <div class="menu" id="workspace-menu" popover="auto">
            <p class="menu-head">"Switch workspace"</p>
            <form class="scrolls" method="post" action="/switch-workspace">{choices}</form>
        </div>
    }
    .into_any()
}

fn user_menu(session: &SessionInfo) -> AnyView {
    let development = session.development;
    view! {
        <button type="button" class="btn bare user" popovertarget="user-menu" aria-label=format!("Account: {}", session.user_name)>
            <span class="initial" aria-hidden="true">{session.user_name.chars().next().map(|c| c.to_uppercase().to_string())}</span>
            <span class="cut wide-only">{session.user_name.clone()}</span>
            <Icon glyph=Glyph::ChevronDown/>
        </button>
        <div class="menu" id="user-menu" popover="auto">
            <p class="menu-head">
                <b>{session.user_name.clone()}</b>
                <span>{session.email.clone()}</span>
                <span>{session.roles.join(", ")} " · " {session.time_zone.clone()}</span>
            </p>
            <a href="/account">"My account"</a>
            <a href="/guide">"Integration guide"</a>
            {development.then(|| view! { <a href="/ui">"Design system"</a> })}
            <form method="post" action="/sign-out">
                <button type="submit">"Sign out"</button>
            </form>
        </div>
    }
    .into_any()
}

/// `whole`: the link loads a whole page.
fn brand(whole: bool) -> impl IntoView {
    view! {
        <a class="brand" href="/" rel=whole.then_some("external")>
            <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true" focusable="false">
                <circle cx="5" cy="11" r="2.6"></circle>
                <path d="M8 11h5M13 11l4-5M13 11l4 5M13 11h6"></path>
            </svg>
            <span>"Reachwire"</span>
        </a>
    }
}

fn theme_switch() -> impl IntoView {
    view! {
        <button type="button" class="btn bare theme" data-theme-switch="" aria-label="Theme: light or dark">
            <Icon glyph=Glyph::Theme/>
            <span class="wide-only">"Theme"</span>
        </button>
    }
}

/// The frame. Provides the reader's time zone to all that is inside. Below 860 px the navigation opens from the bar; it
/// is the same element, as a popover, so it needs no script.
#[component]
pub fn Shell(session: SessionInfo, children: Children) -> impl IntoView {
    provide_context(UserZone(session.time_zone.clone()));
    view! {
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        <div class="app">
            <header class="topbar">
                <button type="button" class="btn bare icon-only narrow-only" popovertarget="navigation" aria-label="Menu">
                    <Icon glyph=Glyph::Menu/>
                </button>
                {brand(false)}
                {workspace(&session)}
                <span class="gap"></span>
                {theme_switch()}
                {user_menu(&session)}
            </header>
            {navigation(&session)}
            <main id="main" tabindex="-1">{children()}</main>
        </div>
    }
    .into_any()
}

/// The frame around a page that strangers may read: no navigation, nothing of a workspace. Its links load whole pages,
/// for who is signed in stands in the page that the server makes.
#[component]
pub fn OpenFrame(children: Children) -> impl IntoView {
    view! {
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        <div class="app open">
            <header class="topbar">
                {brand(true)}
                <span class="gap"></span>
                {theme_switch()}
                <a class="btn" href="/sign-in?next=%2Fguide" rel="external">"Sign in"</a>
            </header>
            <main id="main" tabindex="-1">{children()}</main>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::model::Preset;

    #[test]
    fn everybody_sees_what_their_roles_open() {
        let shown = |session: &SessionInfo| {
            let labels = |entries: &[Entry]| entries.iter().map(|entry| entry.label).collect::<Vec<_>>();
            let of = |group: Group| {
                let room = group.room.map(|(_, entries)| labels(&entries)).unwrap_or_default();
                [labels(&group.entries), room].concat()
            };
            groups_of(session).into_iter().flat_map(of).collect::<Vec<_>>()
        };
        let of = |preset: Preset| SessionInfo { permissions: preset.permissions(), ..SessionInfo::default() };
        assert!(shown(&SessionInfo::default()).is_empty());
        assert!(!shown(&of(Preset::Marketer)).contains(&"Members"));
        let administrator = shown(&of(Preset::Administrator));
        assert_eq!(administrator.len(), Area::ALL.len());
        assert!(!administrator.contains(&"Workspaces"));
        let organization = SessionInfo { organization_administrator: true, ..of(Preset::Administrator) };
        assert!(shown(&organization).contains(&"Workspaces"));
    }

    #[test]
    fn an_entry_is_current_for_its_page_and_the_pages_below() {
        assert!(is_here("/", "/"));
        assert!(!is_here("/tasks", "/"));
        assert!(is_here("/tasks", "/tasks"));
        assert!(is_here("/tasks/1/edit", "/tasks"));
        assert!(!is_here("/tasks-archive", "/tasks"));
    }
}
