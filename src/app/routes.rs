//! The pages as lazy routes. The browser loads a page's code when the page is opened, one split for each room: its
//! pages share most of theirs, and a split for each page would be cut into hundreds of shared pieces.

use crate::{
    access::{
        self,
        model::{
            Area,
            Permission::{self, Manage, Organization, SignedIn, View},
        },
        reader_may,
    },
    account, api_keys, audiences, audit, campaigns, customers,
    error::AppError,
    grants, guide, id_types, invitations, member_groups, members, organization, parameters, roles, tasks,
    ui::{Button, EmptyState, ErrorNote, PageHeader, Panel},
    webhooks,
};
#[cfg(not(feature = "hydrate"))]
use leptos::prefetch_lazy_fn_on_server;
use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::LazyRoute;

/// The page for whoever may open it; for others, that they may not. What is in it the server decides once more.
fn permitted(needs: Permission, page: fn() -> AnyView) -> AnyView {
    let may = needs == Permission::SignedIn || reader_may(needs);
    if may { page() } else { view! { <ErrorNote error=AppError::Forbidden takes=takes(needs) /> }.into_any() }
}

/// As roles name it.
fn takes(needs: Permission) -> String {
    let of = |what: &str, area: Area| format!("It takes a role that may {what} “{}”.", area.path().join(" > "));
    match needs {
        View(area) => of("view", area),
        Manage(area) => of("manage", area),
        Organization => "It is for organization administrators.".into(),
        SignedIn => String::new(),
    }
}

/// A page's code did not come: the server was updated since, so that it is no longer there, or can't be reached.
struct NotLoaded;

#[cfg(feature = "hydrate")]
impl From<SplitLoaderError> for NotLoaded {
    fn from(_: SplitLoaderError) -> Self {
        Self
    }
}

/// The page, when its code has come, or what to do.
async fn page_or_why_not(page: impl Future<Output = Result<AnyView, NotLoaded>>) -> AnyView {
    page.await.unwrap_or_else(|NotLoaded| not_loaded())
}

/// Loads a page's code. What fails is tried again, and told, by the page's view; but for the page that the server sent it
/// is tried until it comes: meanwhile its links and forms do without scripts, and `theme.js` sees to it that nothing
/// takes a click from them.
#[cfg(feature = "hydrate")]
async fn preload<T, Loading>(load: impl Fn() -> Loading)
where
    Loading: Future<Output = Result<T, SplitLoaderError>>,
{
    // Said by `crate::hydrate`.
    let hydrated = || document().document_element().is_some_and(|root| root.has_attribute("data-hydrated"));
    while load().await.is_err() && !hydrated() {
        pause(AGAIN).await;
    }
}

/// Before the code of the first page is asked for again, in ms.
#[cfg(feature = "hydrate")]
const AGAIN: i32 = 3_000;

#[cfg(feature = "hydrate")]
async fn pause(ms: i32) {
    let mut begin = |resolve: js_sys::Function, _| {
        // Fails never: what is called is a function.
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
    };
    let _ = wasm_bindgen_futures::JsFuture::from(js_sys::Promise::new(&mut begin)).await;
}

fn not_loaded() -> AnyView {
    let reload = move |()| {
        // Fails only where there is no page to load.
        let _ = location().reload();
    };
    view! {
        <PageHeader title="This page could not be loaded" />
        <Panel>
            <EmptyState
                title="Its code did not come"
                text="The server cannot be reached, or Reachwire was updated since this tab was opened."
            >
                <Button label="Reload" primary=true on_click=reload />
            </EmptyState>
        </Panel>
    }
    .into_any()
}

/// `room!(split, its preload, an enum of its pages: Route(what it takes to open it) => page, …)`; a page is a
/// `fn() -> AnyView`.
macro_rules! room {
    ($split:ident, $preload:ident, $pages:ident: $($route:ident($needs:expr) => $page:path),+ $(,)?) => {
        // The variants bear their routes' names.
        #[allow(clippy::enum_variant_names)]
        #[derive(Clone, Copy)]
        enum $pages {
            $($route),+
        }

        // As `#[lazy]` makes it, but that one panics when the code does not come.
        #[cfg(feature = "hydrate")]
        #[wasm_split($split, wasm_split_path = ::leptos::wasm_split, preload($preload), fallible)]
        fn $split(page: $pages) -> Result<AnyView, NotLoaded> {
            Ok(match page {
                $($pages::$route => permitted($needs, $page)),+
            })
        }

        #[cfg(not(feature = "hydrate"))]
        async fn $split(page: $pages) -> Result<AnyView, NotLoaded> {
            prefetch_lazy_fn_on_server(stringify!($split));
            Ok(match page {
                $($pages::$route => permitted($needs, $page)),+
            })
        }

        $(
            pub struct $route;

            impl LazyRoute for $route {
                // Pages make their resources in the view: what reads their data comes with the split.
                fn data() -> Self {
                    Self
                }

                async fn view(_: Self) -> AnyView {
                    page_or_why_not($split($pages::$route)).await
                }

                async fn preload() {
                    #[cfg(feature = "hydrate")]
                    preload($preload).await;
                }
            }
        )+
    };
}

// What people see who are not signed in. The sign-in is alone, because it is what most people load first.
room!(access_room, __preload_access_room, AccessPages: SignInPage(SignedIn) => access::sign_in::sign_in_page);
room!(links_room, __preload_links_room, LinksPages:
    SignInCodePage(SignedIn) => access::sign_in::sign_in_code_page,
    InvitationPage(SignedIn) => invitations::page::invitation_page,
);
// What administrators see, and one's own account.
room!(management_room, __preload_management_room, ManagementPages:
    MembersPage(View(Area::Members)) => members::list::members_page,
    AddMemberPage(Manage(Area::Members)) => members::add::add_member_page,
    AddMembersPage(Manage(Area::Members)) => members::add_many::add_members_page,
    MemberLinksPage(Manage(Area::Members)) => members::links::member_links_page,
    MemberPage(View(Area::Members)) => members::detail::member_page,
    MemberGroupsPage(View(Area::MemberGroups)) => member_groups::list::member_groups_page,
    MemberGroupFormPage(Manage(Area::MemberGroups)) => member_groups::form::member_group_form_page,
    MemberGroupPage(View(Area::MemberGroups)) => member_groups::detail::member_group_page,
    RolesPage(View(Area::Roles)) => roles::list::roles_page,
    RoleFormPage(Manage(Area::Roles)) => roles::form::role_form_page,
    RolePage(View(Area::Roles)) => roles::detail::role_page,
    ApiKeysPage(View(Area::ApiKeys)) => api_keys::list::api_keys_page,
    AuditLogPage(View(Area::AuditLog)) => audit::list::audit_log_page,
    OrganizationAuditLogPage(Organization) => audit::list::organization_audit_log_page,
    AccountPage(SignedIn) => account::page::account_page,
    SetupPage(SignedIn) => account::setup::setup_page,
    WorkspacesPage(Organization) => organization::workspaces::workspaces_page,
    AccountsPage(Organization) => organization::accounts::accounts_page,
);
room!(app_room, __preload_app_room, AppPages:
    OverviewPage(SignedIn) => super::overview::overview_page,
    GalleryPage(SignedIn) => super::gallery::gallery_page,
);
room!(customers_room, __preload_customers_room, CustomersPages:
    CustomersPage(View(Area::Customers)) => customers::list::customers_page,
    CustomerPage(View(Area::Customers)) => customers::detail::customer_page,
    UploadPage(Manage(Area::Customers)) => customers::upload_page::upload_page,
    ImportPage(Manage(Area::Customers)) => customers::import_page::import_page,
);
room!(audiences_room, __preload_audiences_room, AudiencesPages:
    AudiencesPage(View(Area::Audiences)) => audiences::list::audiences_page,
    NewAudiencePage(Manage(Area::Audiences)) => audiences::form::new_audience_page,
    AudiencePage(View(Area::Audiences)) => audiences::detail::audience_page,
);
room!(campaigns_room, __preload_campaigns_room, CampaignsPages:
    CampaignsPage(View(Area::Campaigns)) => campaigns::list::campaigns_page,
    CampaignPage(View(Area::Campaigns)) => campaigns::detail::campaign_page,
);
room!(tasks_room, __preload_tasks_room, TasksPages:
    TasksPage(View(Area::ReachWebhook)) => tasks::list::tasks_page,
    TaskFormPage(Manage(Area::ReachWebhook)) => tasks::form::task_form_page,
    TaskPage(View(Area::ReachWebhook)) => tasks::detail::task_page,
);
room!(guide_room, __preload_guide_room, GuidePages: GuidePage(SignedIn) => guide::page::guide_page);
room!(webhooks_room, __preload_webhooks_room, WebhooksPages:
    WebhooksPage(View(Area::WebhookManagement)) => webhooks::list::webhooks_page,
    WebhookFormPage(Manage(Area::WebhookManagement)) => webhooks::form::webhook_form_page,
    WebhookPage(View(Area::WebhookManagement)) => webhooks::detail::webhook_page,
    WebhookVersionsPage(View(Area::WebhookManagement)) => webhooks::versions::webhook_versions_page,
    WebhookGrantsPage(View(Area::WebhookManagement)) => grants::page::grants_page,
    IdTypesPage(View(Area::IdTypes)) => id_types::list::id_types_page,
);
room!(parameters_room, __preload_parameters_room, ParametersPages:
    ParametersPage(View(Area::ParameterManagement)) => parameters::list::parameters_page,
    ParameterFormPage(Manage(Area::ParameterManagement)) => parameters::form::parameter_form_page,
    ParameterPage(View(Area::ParameterManagement)) => parameters::detail::parameter_page,
);
