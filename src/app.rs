//! The application: which page stands at which address.

pub mod gallery;
pub mod not_found;
pub mod overview;
pub mod routes;
pub mod shell;

use crate::{access::session_info, ui::Toasts};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    Lazy, SsrMode,
    components::{Outlet, ParentRoute, Route, Router, Routes},
    path,
};
use not_found::NotFoundPage;
use routes::*;
use shell::{OpenFrame, Shell};

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|title: String| if title.is_empty() { "Reachwire".into() } else { format!("{title} · Reachwire") } />
        <Router>
            <Toasts>
                <Routes fallback=|| view! { <NotFoundPage /> }>
                    <Route path=path!("/sign-in") view={Lazy::<SignInPage>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/invitation/:token") view={Lazy::<InvitationPage>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/sign-in/code") view={Lazy::<SignInCodePage>::new()} ssr=SsrMode::Async />
                    <ParentRoute path=path!("") view=Console ssr=SsrMode::Async>
                        <Route path=path!("") view={Lazy::<OverviewPage>::new()} />
                        <Route path=path!("customers") view={Lazy::<CustomersPage>::new()} />
                        <Route path=path!("customers/import") view={Lazy::<UploadPage>::new()} />
                        <Route path=path!("customers/imports/:id") view={Lazy::<ImportPage>::new()} />
                        <Route path=path!("customers/view/:id") view={Lazy::<CustomerPage>::new()} />
                        <Route path=path!("audiences") view={Lazy::<AudiencesPage>::new()} />
                        <Route path=path!("audiences/new") view={Lazy::<NewAudiencePage>::new()} />
                        <Route path=path!("audiences/:id") view={Lazy::<AudiencePage>::new()} />
                        <Route path=path!("campaigns") view={Lazy::<CampaignsPage>::new()} />
                        <Route path=path!("campaigns/:id") view={Lazy::<CampaignPage>::new()} />
                        <Route path=path!("tasks") view={Lazy::<TasksPage>::new()} />
                        <Route path=path!("tasks/new") view={Lazy::<TaskFormPage>::new()} />
                        <Route path=path!("tasks/:id") view={Lazy::<TaskPage>::new()} />
                        <Route path=path!("tasks/:id/edit") view={Lazy::<TaskFormPage>::new()} />
                        <Route path=path!("webhooks") view={Lazy::<WebhooksPage>::new()} />
                        <Route path=path!("webhooks/new") view={Lazy::<WebhookFormPage>::new()} />
                        <Route path=path!("webhooks/:id") view={Lazy::<WebhookPage>::new()} />
                        <Route path=path!("webhooks/:id/versions") view={Lazy::<WebhookVersionsPage>::new()} />
                        <Route path=path!("webhooks/:id/edit") view={Lazy::<WebhookFormPage>::new()} />
                        <Route path=path!("webhooks/:id/grants") view={Lazy::<WebhookGrantsPage>::new()} />
                        <Route path=path!("id-types") view={Lazy::<IdTypesPage>::new()} />
                        <Route path=path!("webhook-parameters") view={Lazy::<ParametersPage>::new()} />
                        <Route path=path!("webhook-parameters/new") view={Lazy::<ParameterFormPage>::new()} />
                        <Route path=path!("webhook-parameters/:id") view={Lazy::<ParameterPage>::new()} />
                        <Route path=path!("webhook-parameters/:id/edit") view={Lazy::<ParameterFormPage>::new()} />
                        <Route path=path!("members") view={Lazy::<MembersPage>::new()} />
                        <Route path=path!("members/new") view={Lazy::<AddMemberPage>::new()} />
                        <Route path=path!("members/import") view={Lazy::<AddMembersPage>::new()} />
                        <Route path=path!("members/links/:key") view={Lazy::<MemberLinksPage>::new()} />
                        <Route path=path!("members/:id") view={Lazy::<MemberPage>::new()} />
                        <Route path=path!("account") view={Lazy::<AccountPage>::new()} />
                        <Route path=path!("account/second-factor") view={Lazy::<SetupPage>::new()} />
                        <Route path=path!("organization/workspaces") view={Lazy::<WorkspacesPage>::new()} />
                        <Route path=path!("organization/accounts") view={Lazy::<AccountsPage>::new()} />
                        <Route path=path!("audit-log") view={Lazy::<AuditLogPage>::new()} />
                        <Route path=path!("organization/audit-log") view={Lazy::<OrganizationAuditLogPage>::new()} />
                        <Route path=path!("api-keys") view={Lazy::<ApiKeysPage>::new()} />
                        <Route path=path!("member-groups") view={Lazy::<MemberGroupsPage>::new()} />
                        <Route path=path!("member-groups/new") view={Lazy::<MemberGroupFormPage>::new()} />
                        <Route path=path!("member-groups/:id") view={Lazy::<MemberGroupPage>::new()} />
                        <Route path=path!("member-groups/:id/edit") view={Lazy::<MemberGroupFormPage>::new()} />
                        <Route path=path!("roles") view={Lazy::<RolesPage>::new()} />
                        <Route path=path!("roles/new") view={Lazy::<RoleFormPage>::new()} />
                        <Route path=path!("roles/:id") view={Lazy::<RolePage>::new()} />
                        <Route path=path!("roles/:id/edit") view={Lazy::<RoleFormPage>::new()} />
                        <Route path=path!("guide") view={Lazy::<GuidePage>::new()} />
                        <Route path=path!("ui") view={Lazy::<GalleryPage>::new()} />
                    </ParentRoute>
                </Routes>
            </Toasts>
        </Router>
    }
}

/// The signed-in part. The session layer has sent strangers to the sign-in before this renders, but from a page that is
/// public.
#[component]
fn Console() -> impl IntoView {
    // Made on the server, read by the browser from the page: no request, and the same on both sides.
    let session = SharedValue::new(session_info).into_inner();
    provide_context(session.clone().unwrap_or_default());
    match session {
        Some(session) => view! { <Shell session><Outlet /></Shell> }.into_any(),
        None => view! { <OpenFrame><Outlet /></OpenFrame> }.into_any(),
    }
}
