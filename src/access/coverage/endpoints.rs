//! Every address, what it is asked with, and what that takes. `{id}` is "thing".

use crate::{
    access::model::{
        Area,
        Permission::{self, Manage, View},
    },
    account::api as account,
    api_keys::api as api_keys,
    app::overview::{LoadOverview, nodes::LoadNodes, now::LoadNow},
    audiences::api as audiences,
    audit::api as audit,
    campaigns::api as campaigns,
    customers::api as customers,
    grants::api as grants,
    guide::api as guide,
    id_types::api as id_types,
    invitations::api as invitations,
    member_groups::api as member_groups,
    members::api as members,
    organization::api as organization,
    parameters::api as parameters,
    receipts::api as receipts,
    roles::api as roles,
    tasks::{api as tasks, detail::api as task},
    webhooks::api as webhooks,
};
use leptos::server_fn::ServerFn;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Anybody may ask, or the address decides in a way of its own.
    Nothing,
    SignedIn,
    /// In one's own workspace.
    Has(Permission),
    /// About the thing, which other workspaces do not have.
    Of(Permission),
    /// The use of the webhook "thing", by its task: a grant, too.
    SendingOf,
    /// As [`Needs::SendingOf`], told at the form's field.
    UseOfForm,
    Organization,
}
use Needs::{Has, Nothing, Of, Organization, SendingOf, SignedIn, UseOfForm};

pub struct Endpoint {
    pub method: &'static str,
    pub path: &'static str,
    /// The form's text, or the query.
    pub with: &'static str,
    pub needs: Needs,
    pub page: bool,
    /// A plain form: a refusal is a way to a page that says it.
    pub redirects: bool,
    /// What whoever may gets.
    pub done: &'static [u16],
    /// What a stranger may get of what needs nothing.
    pub open: &'static [u16],
}

impl Endpoint {
    pub fn address(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Instead of a form's text.
pub const MULTIPART: &str = "multipart";
const READ: &[u16] = &[200];
/// Done, led somewhere, or refused for what was typed or how things stand: not for who asks.
const DONE: &[u16] = &[200, 202, 302, 303, 409, 415, 422];

fn page(path: &'static str, needs: Needs) -> Endpoint {
    Endpoint { method: "GET", path, with: "", needs, page: true, redirects: false, done: DONE, open: READ }
}

fn file(path: &'static str, needs: Needs) -> Endpoint {
    Endpoint { page: false, ..page(path, needs) }
}

fn form(path: &'static str, with: &'static str, needs: Needs) -> Endpoint {
    Endpoint { method: "POST", with, open: &[303], ..file(path, needs) }
}

fn call<F: ServerFn>(with: &'static str, needs: Needs) -> Endpoint {
    form(F::PATH, with, needs)
}

const TASK: &str = "id=0123456789abcdef0123456789abcdef&new=true&task[name]=T&task[audience_id]=thing\
    &task[webhook_id]=thing&task[id_type]=ONEID&task[encryption]=none&task[time_zone]=UTC";
const WEBHOOK: &str = "id=thing&version=1&input[name]=Thing&input[url]=https://crm.example.com\
    &input[authentication]=None&input[id_types][0]=ONEID&input[batch_size]=100&input[concurrency]=4&input[retention_days]=7";

/// The whole list.
pub fn endpoints() -> Vec<Endpoint> {
    [outside(), everyday(), configuration(), management(), of_organization()].into_iter().flatten().collect()
}

fn outside() -> Vec<Endpoint> {
    vec![
        file("/healthz", Nothing),
        file("/readyz", Nothing),
        file("/metrics", Nothing),
        page("/sign-in", Nothing),
        // By the signature that the request bears.
        Endpoint { open: &[400, 401], ..form(crate::wire::receipt::PATH, "", Nothing) },
        form("/sign-in", "email=a@example.com&password=x", Nothing),
        form("/sign-out", "", Nothing),
        form("/switch-workspace", "workspace=thing", Nothing).with_open(&[401]),
        page("/sign-in/code", Nothing).with_open(&[200, 303]),
        form("/sign-in/code", "code=123456", Nothing),
        page("/invitation/{token}", Nothing).with_open(&[410]),
        form("/invitation/{token}", "name=T&password=x", Nothing),
        call::<invitations::GetInvitation>("token=thing", Nothing).with_open(&[200]),
        page("/account", SignedIn),
        page("/account/second-factor", SignedIn),
        call::<account::GetAccount>("", SignedIn),
        call::<account::GetSetup>("", SignedIn),
        form("/account/profile", "name=T&time_zone=&language=en&theme=", SignedIn).with_answers_by_redirect(),
        form("/account/password", "current_password=x&new_password=y&again=y", SignedIn).with_answers_by_redirect(),
        form("/account/second-factor/begin", "", SignedIn).with_answers_by_redirect(),
        form("/account/second-factor/on", "factor_password=x&factor_code=1", SignedIn).with_answers_by_redirect(),
        form("/account/second-factor/off", "factor_password=x&factor_code=1", SignedIn).with_answers_by_redirect(),
        form("/account/sessions/end", "session=x", SignedIn).with_answers_by_redirect(),
        form("/account/sessions/end-all", "", SignedIn).with_answers_by_redirect(),
        page("/guide", SignedIn),
        file("/guide/samples/{file}", SignedIn),
        call::<guide::GetGuide>("webhook=", SignedIn),
        call::<guide::GetSample>("language=Python", SignedIn),
        // A page of components: it shows errors that are none.
        page("/ui", Nothing).with_open(&[303]),
        page("/", SignedIn),
    ]
}

impl Endpoint {
    fn with_answers_by_redirect(self) -> Self {
        Self { redirects: true, ..self }
    }

    fn with_done(self, done: &'static [u16]) -> Self {
        Self { done, ..self }
    }

    fn with_open(self, open: &'static [u16]) -> Self {
        Self { open, ..self }
    }
}

fn everyday() -> Vec<Endpoint> {
    let (see, send) = (View(Area::ReachWebhook), Manage(Area::ReachWebhook));
    let (customer, import) = (View(Area::Customers), Manage(Area::Customers));
    let (audience, define) = (View(Area::Audiences), Manage(Area::Audiences));
    let (campaign, plan) = (View(Area::Campaigns), Manage(Area::Campaigns));
    vec![
        call::<LoadOverview>("", Has(View(Area::Overview))),
        call::<LoadNow>("", Has(View(Area::Overview))),
        page("/customers", Has(customer)),
        page("/customers/view/{id}", Of(customer)),
        page("/customers/import", Has(import)),
        page("/customers/imports/{id}", Of(import)),
        form("/customers/import/file", MULTIPART, Has(import)),
        file("/customers/imports/{id}/bad-rows.csv", Of(customer)),
        form("/restapi/v1/customers/imports", "a", Has(import)),
        file("/restapi/v1/customers/imports/{id}", Of(customer)),
        call::<customers::ListCustomers>("q=&after=", Has(customer)),
        call::<customers::GetCustomer>("id=thing", Of(customer)),
        call::<tasks::MessagesToCustomer>("customer_id=thing", Of(customer)),
        call::<customers::LatestImports>("", Has(customer)),
        call::<customers::GetImport>("id=thing", Of(customer)),
        call::<customers::StartImport>("id=thing&columns[0][header]=a&columns[0][target]=ignore", Of(import)),
        call::<customers::RunImportAgain>("id=thing", Of(import)),
        call::<customers::DiscardImport>("id=thing", Of(import)),
        page("/audiences", Has(audience)),
        page("/audiences/new", Has(define)),
        page("/audiences/{id}", Of(audience)),
        form("/audiences/upload", MULTIPART, Has(define)).with_answers_by_redirect(),
        file("/audiences/{id}/unmatched.csv", Of(audience)),
        call::<audiences::ListAudiences>("q=&after=", Has(audience)),
        call::<audiences::AudienceChoices>("", Has(audience)),
        call::<audiences::GetAudience>("id=thing", Of(audience)),
        call::<audiences::CountConditions>("", Has(audience)),
        call::<audiences::CreateAudience>("name=Thing&kind=all", Has(define)),
        call::<audiences::UpdateAudience>("id=thing&name=Thing", Of(define)),
        call::<audiences::DeleteAudience>("id=thing", Of(define)),
        page("/campaigns", Has(campaign)),
        page("/campaigns/{id}", Of(campaign)),
        call::<campaigns::ListCampaigns>("", Has(campaign)),
        call::<campaigns::GetCampaign>("id=thing", Of(campaign)),
        call::<campaigns::CreateCampaign>("new[name]=T", Has(plan)),
        call::<campaigns::UpdateCampaign>("id=thing&edit[name]=T", Of(plan)),
        call::<campaigns::DeleteCampaign>("id=thing", Of(plan)),
        page("/tasks", Has(see)),
        page("/tasks/new", Has(send)),
        page("/tasks/{id}", Of(see)),
        page("/tasks/{id}/edit", Of(send)),
        file("/tasks/{id}/users.csv", Of(see)),
        file("/tasks/dry-run/{id}/skipped.csv", Of(send)),
        call::<tasks::ListTasks>("search=&state=&webhook=&sort=&page=1", Has(see)),
        call::<tasks::LoadTaskForm>("id=", Has(send)),
        call::<tasks::FittingIdTypes>("audience_id=thing", Of(send)),
        call::<tasks::StartDryRun>(TASK, UseOfForm),
        call::<tasks::DryRunState>("id=thing", Of(send)),
        call::<tasks::SubmitTask>(TASK, UseOfForm),
        call::<tasks::DeleteTask>("id=thing", Of(send)),
        call::<task::LoadTask>("id=thing", Of(see)),
        call::<task::LoadTaskLive>("id=thing", Of(see)),
        call::<task::ListTaskUsers>("id=thing&search=&result=&receipt=&after=-1", Of(see)),
        call::<task::ListTaskBatches>("id=thing&after=-1", Of(see)),
        call::<task::LoadBatch>("id=thing&batch_no=0", Of(see)),
        call::<task::ControlTask>("id=thing&action=resume", SendingOf),
        call::<task::SendFailedAgain>("id=thing", SendingOf),
        call::<task::CountUnknown>("id=thing&count_as=sent&users=1", SendingOf),
    ]
}

fn configuration() -> Vec<Endpoint> {
    let (webhook, configure) = (View(Area::WebhookManagement), Manage(Area::WebhookManagement));
    let (parameter, set) = (View(Area::ParameterManagement), Manage(Area::ParameterManagement));
    let (id_type, enable) = (View(Area::IdTypes), Manage(Area::IdTypes));
    vec![
        page("/webhooks", Has(webhook)),
        page("/webhooks/new", Has(configure)),
        page("/webhooks/{id}", Of(webhook)),
        page("/webhooks/{id}/edit", Of(configure)),
        page("/webhooks/{id}/versions", Of(webhook)),
        page("/webhooks/{id}/grants", Of(webhook)),
        call::<grants::ListGrants>("webhook_id=thing&query[search]=", Of(webhook)),
        call::<grants::GetGrantHead>("webhook_id=thing", Of(webhook)),
        call::<grants::GrantWebhook>("webhook_id=thing&input[method]=member&input[members][0]=thing", Of(configure)),
        call::<grants::RemoveGrant>("webhook_id=thing&id=thing", Of(configure)),
        // The log of a test, for whoever may see one side of it or the other; see the test of webhooks.
        file("/files/test-sends/{id}", Of(webhook)),
        call::<webhooks::ListWebhooks>(
            "query[search]=&query[id_type]=&query[order]=Name&query[descending]=false&query[offset]=0",
            Has(webhook),
        ),
        call::<webhooks::GetWebhook>("id=thing", Of(webhook)),
        call::<webhooks::ListTests>("webhook_id=thing", Of(webhook)),
        call::<receipts::ReceiptProblems>("webhook_id=thing", Of(webhook)),
        call::<webhooks::ListVersions>("id=thing", Of(webhook)),
        call::<webhooks::GetWebhookForm>("copy=thing", Of(configure)),
        call::<webhooks::SaveWebhook>(WEBHOOK, Of(configure)),
        call::<webhooks::SetWebhookEnabled>("id=thing&enabled=true", Of(configure)),
        call::<webhooks::GenerateKey>("", Has(configure)),
        call::<webhooks::DeleteWebhook>("id=thing", Of(configure)),
        // Whoever configures webhooks may try them; see the test of grants for those who do not.
        call::<webhooks::TestWebhook>("test[webhook_id]=thing&test[id_type]=ONEID&test[test_id]=1", Of(configure)),
        page("/webhook-parameters", Has(parameter)),
        page("/webhook-parameters/new", Has(set)),
        page("/webhook-parameters/{id}", Of(parameter)),
        page("/webhook-parameters/{id}/edit", Of(set)),
        call::<parameters::ListParameters>(
            "query[search]=&query[order]=Name&query[descending]=false&query[offset]=0",
            Has(parameter),
        ),
        call::<parameters::GetParameter>("id=thing", Of(parameter)),
        call::<parameters::GetParameterForm>("id=thing", Of(set)),
        call::<parameters::SaveParameter>("id=thing&version=1&input[name]=T&input[kind]=constant", Of(set)),
        call::<parameters::DeleteParameter>("id=thing", Of(set)),
        call::<parameters::LoadCall>("parameter_id=thing", Of(set)),
        call::<parameters::LoadValues>("parameter_id=thing", Of(set)),
        page("/id-types", Has(id_type)),
        call::<id_types::ListIdTypes>("", Has(id_type)),
        call::<id_types::AddIdType>("new[name]=T&new[code]=T", Has(enable)),
        call::<id_types::SetIdTypeEnabled>("code=thing&enabled=true", Of(enable)),
    ]
}

fn management() -> Vec<Endpoint> {
    let (member, lead) = (View(Area::Members), Manage(Area::Members));
    let (group, gather) = (View(Area::MemberGroups), Manage(Area::MemberGroups));
    let (role, define) = (View(Area::Roles), Manage(Area::Roles));
    let (key, give) = (View(Area::ApiKeys), Manage(Area::ApiKeys));
    let log = View(Area::AuditLog);
    vec![
        page("/members", Has(member)),
        page("/members/new", Has(lead)),
        page("/members/import", Has(lead)),
        page("/members/links/{key}", Has(lead)),
        page("/members/{id}", Of(member)),
        call::<members::ListMembers>("query[search]=", Has(member)),
        call::<members::ListMemberRoles>("", Has(member)),
        call::<members::GetMember>("id=thing", Of(member)),
        call::<members::GetMemberChoices>("", Has(lead)),
        call::<members::AddMember>("new[email]=t&new[name]=&new[roles][0]=analyst&new[groups][0]=", Has(lead)),
        call::<members::AddMembers>("list=", Has(lead)),
        call::<members::TakeLinks>("key=thing", Has(lead)).with_done(&[404]),
        call::<members::SaveMember>("id=thing&input[roles][0]=analyst", Of(lead)),
        call::<members::SetMemberEnabled>("id=thing&enabled=true", Of(lead)),
        call::<members::RemoveMember>("id=thing", Of(lead)),
        call::<members::MakeMemberLink>("id=thing", Of(lead)),
        call::<members::TurnOffSecondFactor>("id=thing", Of(lead)),
        page("/member-groups", Has(group)),
        page("/member-groups/new", Has(gather)),
        page("/member-groups/{id}", Of(group)),
        page("/member-groups/{id}/edit", Of(gather)),
        call::<member_groups::ListMemberGroups>("query[search]=", Has(group)),
        call::<member_groups::GetMemberGroup>("id=thing", Of(group)),
        call::<member_groups::GetMemberGroupForm>("id=thing", Of(gather)),
        call::<member_groups::SaveMemberGroup>("id=thing&seen=1&input[name]=T", Of(gather)),
        call::<member_groups::DeleteMemberGroup>("id=thing", Of(gather)),
        page("/roles", Has(role)),
        page("/roles/new", Has(define)),
        page("/roles/{id}", Of(role)),
        page("/roles/{id}/edit", Of(define)),
        call::<roles::ListRoles>("query[search]=", Has(role)),
        call::<roles::GetRole>("id=thing", Of(role)),
        call::<roles::GetRoleForm>("id=thing", Of(define)),
        call::<roles::SaveRole>("id=thing&version=1&input[name]=T", Of(define)),
        call::<roles::DeleteRole>("id=thing", Of(define)),
        page("/api-keys", Has(key)),
        call::<api_keys::ListApiKeys>("query[search]=", Has(key)),
        call::<api_keys::CreateApiKey>("new[name]=T&new[scopes][0]=tasks.read&new[expires]=", Has(give)),
        call::<api_keys::RevokeApiKey>("id=thing", Of(give)),
        page("/audit-log", Has(log)),
        file("/audit-log.csv", Has(log)),
        call::<audit::ListAuditLog>("query[search]=", Has(log)),
        call::<audit::ListAuditPeople>("", Has(log)),
    ]
}

fn of_organization() -> Vec<Endpoint> {
    vec![
        page("/organization/workspaces", Organization),
        page("/organization/accounts", Organization),
        page("/organization/audit-log", Organization),
        file("/organization/audit-log.csv", Organization),
        call::<LoadNodes>("", Organization),
        call::<organization::ListWorkspaces>("query[search]=", Organization),
        call::<organization::ListZones>("", Organization),
        call::<organization::CreateWorkspace>("new[name]=T&new[time_zone]=UTC&new[administrator]=", Organization),
        call::<organization::EditWorkspace>("id=thing&edited[name]=T&edited[time_zone]=UTC", Organization)
            .with_done(&[404]),
        call::<organization::CountOlder>("id=thing&days=30", Organization),
        call::<organization::ListAccounts>("query[search]=", Organization),
        call::<organization::ChangeAccount>("id=thing&change=Enable", Organization),
    ]
}
