//! The pages as lazy routes. The browser loads a page's code when the page is opened, one split for each room: its
//! pages share most of theirs, and a split for each page would be cut into hundreds of shared pieces.

use crate::{
    access, audiences, campaigns, customers, grants, guide, id_types, member_groups, parameters, roles, tasks, webhooks,
};
use leptos::{lazy, prelude::*};
use leptos_router::LazyRoute;

/// `room!(split, its preload, an enum of its pages: Route => page, …)`; a page is a `fn() -> AnyView`.
macro_rules! room {
    ($split:ident, $preload:ident, $pages:ident: $($route:ident => $page:path),+ $(,)?) => {
        // The variants bear their routes' names.
        #[allow(clippy::enum_variant_names)]
        #[derive(Clone, Copy)]
        enum $pages {
            $($route),+
        }

        #[lazy]
        fn $split(page: $pages) -> AnyView {
            match page {
                $($pages::$route => $page()),+
            }
        }

        $(
            pub struct $route;

            impl LazyRoute for $route {
                // Pages make their resources in the view: what reads their data comes with the split.
                fn data() -> Self {
                    Self
                }

                async fn view(_: Self) -> AnyView {
                    $split($pages::$route).await
                }

                async fn preload() {
                    #[cfg(feature = "hydrate")]
                    $preload().await;
                }
            }
        )+
    };
}

room!(access_room, __preload_access_room, AccessPages: SignInPage => access::sign_in::sign_in_page);
room!(app_room, __preload_app_room, AppPages:
    OverviewPage => super::overview::overview_page,
    GalleryPage => super::gallery::gallery_page,
);
room!(customers_room, __preload_customers_room, CustomersPages:
    CustomersPage => customers::list::customers_page,
    CustomerPage => customers::detail::customer_page,
    UploadPage => customers::upload_page::upload_page,
    ImportPage => customers::import_page::import_page,
);
room!(audiences_room, __preload_audiences_room, AudiencesPages:
    AudiencesPage => audiences::list::audiences_page,
    NewAudiencePage => audiences::form::new_audience_page,
    AudiencePage => audiences::detail::audience_page,
);
room!(campaigns_room, __preload_campaigns_room, CampaignsPages:
    CampaignsPage => campaigns::list::campaigns_page,
    CampaignPage => campaigns::detail::campaign_page,
);
room!(tasks_room, __preload_tasks_room, TasksPages:
    TasksPage => tasks::list::tasks_page,
    TaskFormPage => tasks::form::task_form_page,
    TaskPage => tasks::detail::task_page,
);
room!(guide_room, __preload_guide_room, GuidePages: GuidePage => guide::page::guide_page);
room!(webhooks_room, __preload_webhooks_room, WebhooksPages:
    WebhooksPage => webhooks::list::webhooks_page,
    WebhookFormPage => webhooks::form::webhook_form_page,
    WebhookPage => webhooks::detail::webhook_page,
    WebhookVersionsPage => webhooks::versions::webhook_versions_page,
    IdTypesPage => id_types::list::id_types_page,
    WebhookGrantsPage => grants::page::grants_page,
);
room!(parameters_room, __preload_parameters_room, ParametersPages:
    ParametersPage => parameters::list::parameters_page,
    ParameterFormPage => parameters::form::parameter_form_page,
    ParameterPage => parameters::detail::parameter_page,
);
room!(member_groups_room, __preload_member_groups_room, MemberGroupsPages:
    MemberGroupsPage => member_groups::list::member_groups_page,
    MemberGroupFormPage => member_groups::form::member_group_form_page,
    MemberGroupPage => member_groups::detail::member_group_page,
);
room!(roles_room, __preload_roles_room, RolesPages:
    RolesPage => roles::list::roles_page,
    RoleFormPage => roles::form::role_form_page,
    RolePage => roles::detail::role_page,
);
