//! The room from outside: forms and pages as a browser without wasm sends and gets them.

use super::{
    api::{DeleteParameter, GetParameter, GetParameterForm, ListParameters, LoadValues, SaveParameter},
    model::Values,
    store,
};
use crate::{
    access::{
        Ctx, Means, Signed,
        model::{Preset, SessionInfo},
        store as access,
    },
    crm,
    db::Db,
    error::AppError,
    on_both_databases,
    server::testing::{Answer, Harness, encoded},
};
use http::StatusCode;

mod values;

const KEY: &str = " a key & more ";

/// The server, the simulator, and somebody who is signed in.
struct Desk {
    server: Harness,
    crm: crm::Simulator,
    workspace: String,
    cookie: String,
}

impl Desk {
    async fn new(db: Db) -> Self {
        let allow = |config: &mut crate::config::Config| {
            config.engine.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        };
        let options = crm::Options { key: Some(KEY.into()), ..Default::default() };
        let crm = crm::Simulator::start(options).await.unwrap();
        let server = Harness::with(db, allow).await;
        let workspace = server.member("ada@example.com", "Spring Store", Preset::Administrator).await;
        let cookie = server.sign_in("ada@example.com").await;
        Self { server, crm, workspace, cookie }
    }

    async fn page(&self, path: &str) -> Answer {
        self.server.page(path, &self.cookie).await
    }

    async fn save(&self, fields: &[(&str, &str)]) -> Answer {
        self.server.call::<SaveParameter>(&self.cookie, &encoded(fields)).await
    }

    /// A parameter by a plain form; its id.
    async fn created(&self, fields: &[(&str, &str)]) -> String {
        let answer = self.server.submit::<SaveParameter>(&self.cookie, fields).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
        answer.header("location").rsplit('/').next().unwrap().to_string()
    }

    /// The simulator's parameter of this name, which depends on `on` by the setting of that name.
    async fn place(&self, name: &str, on: Option<(&str, &str)>) -> String {
        let url = self.crm.interface_url();
        let changes = [("input[name]", name), ("input[url]", url.as_str())];
        let associated = on.map(|(setting, parameter)| {
            [
                ("input[with_others]", "true"),
                ("input[others][0][name]", setting),
                ("input[others][0][display_name]", setting),
                ("input[others][0][parameter]", parameter),
            ]
        });
        let changes: Vec<_> = changes.into_iter().chain(associated.into_iter().flatten()).collect();
        self.created(&interface(&changes)).await
    }

    async fn load(&self, id: &str, associated: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("parameter_id".to_string(), id.to_string())];
        for (place, (name, value)) in associated.iter().enumerate() {
            fields.push((format!("associated[{place}][name]"), name.to_string()));
            fields.push((format!("associated[{place}][value]"), value.to_string()));
        }
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.server.call::<LoadValues>(&self.cookie, &encoded(&fields)).await
    }

    async fn ctx(&self, email: &str) -> Ctx {
        let user = access::user_by_email(&self.server.state.db, email).await.unwrap().unwrap();
        let info = SessionInfo {
            user_id: user.id,
            user_name: user.name,
            email: user.email,
            workspace_id: self.workspace.clone(),
            ..SessionInfo::default()
        };
        let signed = Signed { info, address: String::new(), means: Means::Session(String::new()) };
        Ctx::trusted(self.server.state.clone(), signed)
    }
}

fn error(answer: &Answer) -> AppError {
    serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
}

fn wrong_fields(answer: &Answer) -> Vec<String> {
    error(answer).fields().iter().map(|error| error.field.clone()).collect()
}

fn changed<'a>(mut fields: Vec<(&'a str, &'a str)>, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    fields.extend(changes);
    fields
}

/// What the page's form sends of an interface: the inputs that CSS hides, too.
fn interface<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fields = vec![
        ("id", ""),
        ("version", "0"),
        ("input[name]", "City"),
        ("input[kind]", "interface"),
        ("input[description]", "Cities with shops"),
        ("input[url]", "https://crm.example.com/values"),
        ("input[authentication]", "Key"),
        ("input[key]", KEY),
        ("input[with_system]", "false"),
        ("input[system][0][name]", ""),
        ("input[system][0][display_name]", ""),
        ("input[system][0][value]", "logon_user"),
        ("input[with_others]", "false"),
        ("input[others][0][name]", ""),
        ("input[others][0][display_name]", ""),
        ("input[others][0][source]", "associated"),
        ("input[others][0][parameter]", ""),
        ("input[others][0][text]", ""),
        ("input[with_associated]", "false"),
        ("input[associated]", ""),
        ("input[constants][0][when]", ""),
        ("input[constants][0][value]", ""),
        ("input[constants][0][display_name]", ""),
    ];
    changed(fields, changes)
}

fn constant<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fields = interface(&[
        ("input[name]", "Coupon type"),
        ("input[kind]", "constant"),
        ("input[url]", ""),
        ("input[key]", ""),
        ("input[constants][0][value]", " PERCENT_20 "),
        ("input[constants][0][display_name]", "八折"),
    ]);
    changed(fields, changes)
}

on_both_databases!(parameters_are_created_by_plain_forms_and_shown, |db| async move {
    let desk = Desk::new(db).await;
    let empty = desk.page("/webhook-parameters").await;
    assert_eq!(empty.status, StatusCode::OK);
    for text in ["No webhook parameters yet", "Create Webhook Parameter", "Webhook Parameter Management"] {
        assert!(empty.text.contains(text), "{text}");
    }
    let form = desk.page("/webhook-parameters/new").await.text;
    for label in [
        "Parameter Name",
        "Parameter Type",
        "Interface-based",
        "Constant-based",
        "Interface URL",
        "Parameter Description",
        "Authentication Method",
        "Associate with system parameters",
        "Current logon user information",
        "Current user&#x27;s row-level permissions",
        "Associate with other parameters",
        "Associated parameter selection",
        "Manual input",
        "Parameter value",
        "Display name",
    ] {
        assert!(form.contains(label) || form.contains(&label.replace("&#x27;", "'")), "{label}");
    }

    let coupons = desk.created(&constant(&[])).await;
    let changes = [
        ("input[with_system]", "true"),
        ("input[system][0][name]", "who"),
        ("input[system][0][display_name]", "Wer"),
        ("input[with_others]", "true"),
        ("input[others][0][name]", "coupon"),
        ("input[others][0][display_name]", "Coupon"),
        ("input[others][0][parameter]", coupons.as_str()),
        ("input[others][1][name]", "tags"),
        ("input[others][1][display_name]", "Tags"),
        ("input[others][1][source]", "manual"),
        ("input[others][1][text]", "a|b"),
    ];
    let city = desk.created(&interface(&changes)).await;
    let saved = store::get(&desk.server.state.db, &desk.workspace, &city).await.unwrap();
    assert_eq!((saved.input.system.len(), saved.input.others.len(), saved.has_key), (1, 2, true));

    let list = desk.page("/webhook-parameters?q=CITY&kind=interface&sort=-updated").await.text;
    assert!(list.contains("Cities with shops") && !list.contains("Coupon type"));
    assert!(desk.page("/webhook-parameters?q=nothing").await.text.contains("No match"));
    let detail = desk.page(&format!("/webhook-parameters/{city}")).await.text;
    for text in ["https://crm.example.com/values", "Try it", "Load values", "a|b", "Coupon type"] {
        assert!(detail.contains(text), "{text}");
    }
    let of_coupons = desk.page(&format!("/webhook-parameters/{coupons}")).await.text;
    for text in ["PERCENT_20", "八折", "Used by", &format!("/webhook-parameters/{city}")] {
        assert!(of_coupons.contains(text), "{text}");
    }
    assert!(!of_coupons.contains("Load values"));
    let edit = desk.page(&format!("/webhook-parameters/{city}/edit")).await.text;
    assert!(edit.contains("Leave it empty to keep the key") && edit.contains("a|b"));
    for page in [&list, &detail, &edit] {
        assert!(!page.contains("a key &"), "the key is never sent to a browser");
        assert!(!page.contains(" style="), "the content security policy forbids it");
    }
});

on_both_databases!(what_is_wrong_is_told_at_its_field, |db| async move {
    let desk = Desk::new(db).await;
    desk.created(&interface(&[])).await;
    for (name, value, field) in [
        ("input[name]", "City", "name"),
        ("input[url]", "http://10.0.0.1/values", "url"),
        ("input[url]", "http://localhost./values", ""),
        ("input[url]", "ftp://crm.example.com", "url"),
        ("input[key]", "", "key"),
        ("input[with_system]", "true", "system"),
        ("input[with_others]", "true", "others"),
    ] {
        let change = if name == "input[name]" { vec![] } else { vec![("input[name]", "Other")] };
        let mut fields = interface(&change);
        fields.retain(|(known, _)| *known != name || name == "input[name]");
        if name != "input[name]" {
            fields.push((name, value));
        }
        let answer = desk.save(&fields).await;
        if field.is_empty() {
            assert_eq!(answer.status, StatusCode::OK, "loopback is allowed here: {}", answer.text);
            continue;
        }
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}={value}");
        assert_eq!(wrong_fields(&answer), [field], "{name}={value}");
    }
    let foreign = constant(&[
        ("input[with_associated]", "true"),
        ("input[associated]", "nobody"),
        ("input[constants][0][when]", "x"),
    ]);
    assert_eq!(wrong_fields(&desk.save(&foreign).await), ["associated"]);
});

on_both_databases!(editing_and_deleting_by_form, |db| async move {
    let desk = Desk::new(db).await;
    let province = desk.place("Province", None).await;
    let city = desk.place("City", Some(("province", &province))).await;
    // Its own URL and an empty key: the key that is there stays.
    let edit = |version: &'static str| {
        let changes = vec![("id", province.clone()), ("version", version.into()), ("input[name]", "Provinz".into())];
        let mut fields: Vec<(&str, String)> = interface(&[("input[key]", "")])
            .into_iter()
            .filter(|(name, _)| !["id", "version", "input[name]"].contains(name))
            .map(|(name, value)| (name, value.to_string()))
            .collect();
        fields.extend(changes);
        fields
    };
    let send = async |fields: Vec<(&'static str, String)>| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        desk.save(&fields).await
    };
    let saved = send(edit("1")).await;
    assert_eq!((saved.status, saved.header("location")), (StatusCode::OK, &*format!("/webhook-parameters/{province}")));
    let late = send(edit("1")).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.text);
    for _ in 0..2 {
        assert_eq!(send(edit("2")).await.status, StatusCode::OK, "without a change the version stays");
    }
    let told = crate::audit::testing::told(&desk.server.state.db, &desk.workspace).await;
    assert_eq!(told.iter().filter(|one| one.contains("changed parameter")).count(), 1, "{told:?}");
    let mut closing = edit("2");
    closing.retain(|(name, _)| !name.starts_with("input[others]") && *name != "input[with_others]");
    for (name, value) in [
        ("input[with_others]", "true"),
        ("input[others][0][name]", "city"),
        ("input[others][0][display_name]", "City"),
        ("input[others][0][parameter]", city.as_str()),
    ] {
        closing.push((name, value.into()));
    }
    let closed = send(closing).await;
    assert_eq!(wrong_fields(&closed), ["others[0][parameter]"]);
    assert!(closed.text.contains("Provinz → City → Provinz"), "{}", closed.text);

    let delete = async |id: &str| desk.server.submit::<DeleteParameter>(&desk.cookie, &[("id", id)]).await;
    let refused = desk.server.call::<DeleteParameter>(&desk.cookie, &format!("id={province}")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(error(&refused).to_string().contains("parameter “City”"), "{}", refused.text);
    let deleted = delete(&city).await;
    assert_eq!((deleted.status, deleted.header("location")), (StatusCode::FOUND, "/webhook-parameters"));
    assert_eq!(delete(&province).await.status, StatusCode::FOUND);
    assert!(desk.page("/webhook-parameters").await.text.contains("No webhook parameters yet"));
});

on_both_databases!(only_those_who_may, |db| async move {
    let desk = Desk::new(db).await;
    let id = desk.place("Province", None).await;
    let by_id = format!("id={id}");
    let form = encoded(&interface(&[("input[name]", "Another")]));
    let mut edited = interface(&[]);
    edited.retain(|(name, _)| *name != "id");
    edited.push(("id", &id));
    let edited = encoded(&edited);
    let load = format!("parameter_id={id}");
    let server = &desk.server;

    let nobody = "";
    for answer in [
        server.call::<ListParameters>(nobody, "query[search]=").await,
        server.call::<GetParameter>(nobody, &by_id).await,
        server.call::<GetParameterForm>(nobody, &by_id).await,
        server.call::<SaveParameter>(nobody, &form).await,
        server.call::<DeleteParameter>(nobody, &by_id).await,
        server.call::<LoadValues>(nobody, &load).await,
    ] {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
    }

    server.member("bob@example.com", "Spring Store", Preset::Marketer).await;
    let marketer = server.sign_in("bob@example.com").await;
    for (path, button) in
        [("/webhook-parameters", "Create Webhook Parameter"), (&format!("/webhook-parameters/{id}"), "/edit\"")]
    {
        let page = server.page(path, &marketer).await;
        assert!(page.status == StatusCode::OK && !page.text.contains(button), "{button} on {path}");
    }
    for answer in [
        server.call::<GetParameterForm>(&marketer, &by_id).await,
        server.call::<SaveParameter>(&marketer, &form).await,
        server.call::<DeleteParameter>(&marketer, &by_id).await,
    ] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    }
    assert_eq!(server.call::<LoadValues>(&marketer, &load).await.status, StatusCode::OK);
    // The page offers what the server allows.
    for (email, code, loads) in [
        ("m@example.com", "parameter_management.manage", StatusCode::OK),
        ("v@example.com", "parameter_management.view", StatusCode::FORBIDDEN),
    ] {
        server.member_who_may(email, "Spring Store", &[code]).await;
        let cookie = server.sign_in(email).await;
        assert_eq!(server.call::<LoadValues>(&cookie, &load).await.status, loads, "{code}");
        let page = server.page(&format!("/webhook-parameters/{id}"), &cookie).await.text;
        assert_eq!(page.contains("Load values"), loads == StatusCode::OK, "{code}");
    }

    server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let stranger = server.sign_in("eve@example.com").await;
    assert!(!server.page("/webhook-parameters", &stranger).await.text.contains("Province"));
    for path in [format!("/webhook-parameters/{id}"), format!("/webhook-parameters/{id}/edit")] {
        assert_eq!(server.page(&path, &stranger).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for answer in [
        server.call::<GetParameter>(&stranger, &by_id).await,
        server.call::<GetParameterForm>(&stranger, &by_id).await,
        server.call::<SaveParameter>(&stranger, &edited).await,
        server.call::<DeleteParameter>(&stranger, &by_id).await,
        server.call::<LoadValues>(&stranger, &load).await,
    ] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
    }
});
