//! The demo's data, made once.

use super::{ADMINISTRATOR, KEY, MARKETER, PASSWORD, people};
use crate::{
    access::{
        Ctx, Means, Signed,
        model::{Preset, SessionInfo},
        password, store as access,
    },
    audiences::{
        self,
        model::{Audience, Kind},
        rules::{Condition, Op, Rules},
    },
    audit::By,
    campaigns::{
        self,
        model::{CampaignInput, CampaignKind},
    },
    clock::{DAY, new_id},
    customers::{
        self,
        import::{
            guess::guess,
            inspect::inspect,
            run::Run,
            store::{self, NewImport, Source},
        },
    },
    delivery::{model::SendState, report},
    error::{AppError, AppResult, internal},
    grants,
    grants::model::{GrantInput, Method},
    member_groups::{self, model::GroupInput},
    parameters::{
        self,
        model::{ConstantValue, Kind as ParameterKind, OtherSetting, ParameterInput, SystemSetting, SystemValue},
    },
    server::AppState,
    tasks::{
        self,
        model::{TaskInput, ValueInput, VariableInput},
    },
    webhooks::{
        self,
        model::{Authentication, Parameter, ParameterType, ReceiptStatus, WebhookInput},
        store::Saving,
    },
};
use std::time::Duration;

const WORKSPACE: &str = "Spring Store";
const ZONE: &str = "Asia/Shanghai";
const CUSTOMERS: usize = 10_000;

/// What the second half needs of the first.
pub struct First {
    ctx: Ctx,
    loyal: String,
    coupon: String,
    sub_campaign: String,
}

/// Who the audit log says made it up.
fn by(state: &AppState) -> By {
    By::command_line(state.clock.now())
}

/// Everything that needs no server. `None`: the data is there from an earlier start.
pub async fn before(state: &AppState, crm_url: &str) -> AppResult<Option<First>> {
    let (db, now) = (&state.db, state.clock.now());
    if access::user_by_email(db, ADMINISTRATOR).await?.is_some() {
        return Ok(None);
    }
    let workspace = access::put_workspace(db, WORKSPACE, ZONE, now).await?;
    let hash = password::hash(PASSWORD.into()).await.map_err(internal)?;
    let marketer = access::put_user(db, MARKETER, Some("Marketer"), &hash, now).await?;
    access::put_member(db, &workspace, &marketer, Preset::Marketer, now).await?;

    import(state, &workspace).await?;
    audience(state, &workspace, "All customers", Kind::All, vec![]).await?;
    let loyal =
        audience(state, &workspace, "Loyal buyers", Kind::Rules, vec![condition("spend", Op::Above, "300")]).await?;
    audience(state, &workspace, "Shanghai", Kind::Rules, vec![condition("city", Op::Is, "上海")]).await?;

    let saving = Saving::new(state, &workspace, by(state));
    let coupon = webhook(&saving, "Coupon service", &format!("{crm_url}/coupon"), &["OPEN_ID", "MOBILE"]).await?;
    let gateway = webhook(&saving, "短信网关", &format!("{crm_url}/sms"), &["MOBILE"]).await?;

    let called = parameters(state, &workspace, &format!("{crm_url}/interface/places")).await?;
    let invitation = invitation(&saving, &format!("{crm_url}/invitation"), called).await?;

    let main = campaign(state, &workspace, CampaignKind::Main, None, "Spring 2026").await?;
    let sub_campaign = campaign(state, &workspace, CampaignKind::Sub, Some(main), "Coupons").await?;
    campaign(state, &workspace, CampaignKind::Sub, None, "Newsletter").await?;

    // The administrator comes last: an interrupted start is seen and said, not half used.
    let administrator = access::put_user(db, ADMINISTRATOR, Some("Administrator"), &hash, now).await?;
    access::put_member(db, &workspace, &administrator, Preset::Administrator, now).await?;
    crate::execute!(db, "update users set organization_admin = $2 where id = $1", &administrator, true)?;
    let info = SessionInfo {
        user_id: administrator,
        user_name: "Administrator".into(),
        workspace_id: workspace,
        permissions: Preset::Administrator.permissions(),
        administrator: true,
        organization_administrator: true,
        time_zone: ZONE.into(),
        ..Default::default()
    };
    let signed = Signed { info, address: String::new(), means: Means::Session(String::new()) };
    let ctx = Ctx::trusted(state.clone(), signed);
    // Marketers use the webhooks that are granted to their group.
    let group = GroupInput { name: "Marketing".into(), members: vec![marketer] };
    let group = member_groups::store::create(&ctx, &group).await?;
    for webhook in [&coupon, &gateway, &invitation] {
        let to_group = GrantInput { method: Method::Group, groups: vec![group.clone()], ..Default::default() };
        grants::store::grant(&ctx, webhook, &to_group, (now, None)).await?;
    }
    Ok(Some(First { ctx, loyal, coupon, sub_campaign }))
}

/// A finished task with receipts, and one that waits for its time.
pub async fn after(state: &AppState, first: &First) -> AppResult<()> {
    let ctx = &first.ctx;
    let input = TaskInput {
        name: "Spring coupon, loyal buyers".into(),
        campaigns: vec![first.sub_campaign.clone()],
        audience_id: first.loyal.clone(),
        webhook_id: first.coupon.clone(),
        values: vec![
            value("coupon_id", "SPRING-26"),
            value("coupon_text", "Dear ${name}, 20 % off in ${city} until Sunday."),
        ],
        variables: vec![variable("name", "default", "Member"), variable("city", "skip", "")],
        id_type: "OPEN_ID".into(),
        encryption: "none".into(),
        time_zone: ZONE.into(),
        ..Default::default()
    };
    let id = new_id();
    tasks::api::submit(ctx, &id, true, input.clone()).await?;
    // Bounded: the demo starts without it rather than not at all.
    for _ in 0..600 {
        let progress = report::progress(&state.db, ctx.workspace(), &id).await?;
        if !matches!(progress.state, SendState::Scheduled | SendState::Sending) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let later = jiff::Timestamp::from_millisecond(state.clock.now() + 3 * DAY).map_err(internal)?;
    let later = later.in_tz(ZONE).map_err(internal)?.strftime("%Y-%m-%dT10:00").to_string();
    let scheduled = TaskInput { name: "Reminder".into(), scheduled: true, send_at: later, ..input };
    tasks::api::submit(ctx, &new_id(), true, scheduled).await?;
    Ok(())
}

fn value(name: &str, value: &str) -> ValueInput {
    ValueInput { name: name.into(), value: value.into(), ..Default::default() }
}

fn variable(tag: &str, when_empty: &str, default: &str) -> VariableInput {
    VariableInput {
        parameter: "coupon_text".into(),
        name: tag.into(),
        tag: tag.into(),
        when_empty: when_empty.into(),
        default: default.into(),
    }
}

fn condition(tag: &str, op: Op, value: &str) -> Condition {
    Condition { tag: tag.into(), op: op.code().into(), values: vec![value.into()] }
}

async fn audience(
    state: &AppState,
    workspace: &str,
    name: &str,
    kind: Kind,
    conditions: Vec<Condition>,
) -> AppResult<String> {
    let db = &state.db;
    let mut audience = Audience { name: name.into(), ..Audience::unsaved(kind, Rules::of(conditions)) };
    audience.size = audiences::store::size_of(db, workspace, &audience).await?;
    Ok(audiences::store::add(db, workspace, &audience, &by(state)).await?)
}

/// By the way that every import goes, from a file in the uploads.
async fn import(state: &AppState, workspace: &str) -> AppResult<()> {
    let (db, clock) = (&state.db, &state.clock);
    let csv = people::csv(CUSTOMERS);
    let path = state.config.uploads().join("demo.csv");
    std::fs::create_dir_all(state.config.uploads()).map_err(internal)?;
    std::fs::write(&path, &csv).map_err(internal)?;
    let inspected = inspect(&path).map_err(internal)?;
    let id_types = customers::store::enabled_id_types(db, workspace).await?;
    let mapping = guess(&inspected, &id_types, &[]);
    let new = NewImport { source: Source::Command, file_name: "demo.csv", bytes: csv.len() as i64, by: "demo" };
    let id = store::add(db, workspace, &new, clock.now()).await?;
    store::start(db, workspace, &id, &mapping, &by(state)).await?;
    Run { db, clock, workspace, id: &id }.to_end(&path, |_| ()).await.map_err(internal)?;
    std::fs::remove_file(&path).map_err(internal)
}

async fn webhook(saving: &Saving<'_>, name: &str, url: &str, id_types: &[&str]) -> AppResult<String> {
    let parameter = |name: &str, display_name: &str, kind| Parameter {
        name: name.into(),
        display_name: display_name.into(),
        kind,
        required: true,
        ..Default::default()
    };
    let input = WebhookInput {
        name: name.into(),
        authentication: Authentication::Key,
        key: KEY.into(),
        url: url.into(),
        id_types: id_types.iter().map(|code| (*code).into()).collect(),
        parameters: vec![
            parameter("coupon_id", "Coupon ID", ParameterType::String),
            parameter("coupon_text", "Coupon text", ParameterType::Text),
        ],
        receipts_enabled: true,
        statuses: vec![
            ReceiptStatus { code: "200".into(), value: "Success".into() },
            ReceiptStatus { code: "500".into(), value: "Failed".into() },
        ],
        ..Default::default()
    };
    webhooks::store::create(saving, &input, None).await.map_err(AppError::from)
}

/// Provinces, their cities, their shops, and three types of coupons; their ids.
async fn parameters(state: &AppState, workspace: &str, url: &str) -> AppResult<[String; 4]> {
    let own = |value: SystemValue, name: &str, display_name: &str| SystemSetting {
        name: name.into(),
        display_name: display_name.into(),
        value,
    };
    let system = vec![
        own(SystemValue::LogonUser, "user", "User"),
        own(SystemValue::RowPermissions, "permissions", "Row-level permissions"),
    ];
    let interface = |name: &str, description: &str| ParameterInput {
        name: name.into(),
        description: description.into(),
        url: url.into(),
        authentication: Authentication::Key,
        key: KEY.into(),
        ..Default::default()
    };
    let in_place = |input: ParameterInput, name: &str, display_name: &str, parameter: String| ParameterInput {
        with_others: true,
        others: vec![OtherSetting {
            name: name.into(),
            display_name: display_name.into(),
            parameter,
            ..Default::default()
        }],
        ..input
    };
    let province = ParameterInput {
        with_system: true,
        system,
        ..interface("Province", "The provinces with shops that the user may see.")
    };
    let province = parameter(state, workspace, province).await?;
    let city = in_place(interface("City", "The cities of a province."), "province", "Province", province.clone());
    let city = parameter(state, workspace, city).await?;
    let shop = in_place(interface("Shop", "The shops of a city."), "city", "City", city.clone());
    let shop = parameter(state, workspace, shop).await?;
    let value = |value: &str, display_name: &str| ConstantValue {
        value: value.into(),
        display_name: display_name.into(),
        ..Default::default()
    };
    let coupons = ParameterInput {
        name: "Coupon type".into(),
        kind: ParameterKind::Constant,
        description: "What the coupon takes off.".into(),
        constants: vec![
            value("PERCENT_20", "20 % off"),
            value("AMOUNT_50", "50 off from 200"),
            value("SHIPPING", "Free shipping"),
        ],
        ..Default::default()
    };
    let coupons = parameter(state, workspace, coupons).await?;
    Ok([province, city, shop, coupons])
}

async fn parameter(state: &AppState, workspace: &str, input: ParameterInput) -> AppResult<String> {
    AppError::check(input.check(false))?;
    parameters::store::create(&state.db, &state.master_key, workspace, &input, &by(state)).await.map_err(AppError::from)
}

/// A webhook whose values are chosen from what interfaces and constants say.
async fn invitation(saving: &Saving<'_>, url: &str, called: [String; 4]) -> AppResult<String> {
    let [province, city, shop, coupon] = called;
    let call = |name: &str, display_name: &str, call: String| Parameter {
        name: name.into(),
        display_name: display_name.into(),
        kind: ParameterType::Call,
        required: true,
        call,
        ..Default::default()
    };
    let date = Parameter {
        name: "starts".into(),
        display_name: "Starts".into(),
        kind: ParameterType::Date,
        required: true,
        ..Default::default()
    };
    let input = WebhookInput {
        name: "Shop invitation".into(),
        authentication: Authentication::Key,
        key: KEY.into(),
        url: url.into(),
        id_types: vec!["MOBILE".into(), "OPEN_ID".into()],
        parameters: vec![
            call("province", "Province", province),
            call("city", "City", city),
            call("shop", "Shop", shop),
            call("coupon", "Coupon type", coupon),
            date,
        ],
        pass_environment: true,
        receipts_enabled: true,
        ..Default::default()
    };
    webhooks::store::create(saving, &input, None).await.map_err(AppError::from)
}

async fn campaign(
    state: &AppState,
    workspace: &str,
    kind: CampaignKind,
    parent_id: Option<String>,
    name: &str,
) -> AppResult<String> {
    let input =
        CampaignInput { kind, parent_id: parent_id.unwrap_or_default(), name: name.into(), ..Default::default() };
    Ok(campaigns::store::create(&state.db, workspace, &input, &by(state)).await?)
}
