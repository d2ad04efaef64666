//! Parameters that are called: chosen from what an interface says, checked again when the task is submitted.

use super::*;
use crate::{
    access::store as access,
    parameters::{
        self,
        api::LoadCall,
        model::{Kind, OtherSetting, ParameterInput, SystemSetting, SystemValue, Values},
    },
};

/// The desk, and a webhook that asks for a province and one of its cities.
struct Places {
    desk: Desk,
    webhook: String,
    province: String,
    city: String,
}

impl Places {
    async fn new(db: Db) -> Self {
        let desk = Desk::new(db).await;
        let state = &desk.server.state;
        let interface = |name: &str| ParameterInput {
            name: name.into(),
            kind: Kind::Interface,
            url: desk.crm.interface_url(),
            authentication: Authentication::Key,
            key: crate::delivery::testing::KEY.into(),
            with_system: true,
            system: vec![SystemSetting {
                name: "permissions".into(),
                display_name: "Permissions".into(),
                value: SystemValue::RowPermissions,
            }],
            ..Default::default()
        };
        let save = async |input: &ParameterInput| {
            parameters::store::create(&state.db, &state.master_key, &desk.workspace, input, &By::command_line(0))
                .await
                .unwrap()
        };
        let province = save(&interface("Province")).await;
        let others = vec![OtherSetting {
            name: "province".into(),
            display_name: "Province".into(),
            parameter: province.clone(),
            ..Default::default()
        }];
        let city = save(&ParameterInput { with_others: true, others, ..interface("City") }).await;
        let call = |name: &str, id: &str| Parameter {
            name: name.into(),
            display_name: format!("The {name}"),
            kind: ParameterType::Call,
            required: true,
            call: id.into(),
            ..Default::default()
        };
        let input = WebhookInput {
            name: "Places".into(),
            authentication: Authentication::Key,
            key: crate::delivery::testing::KEY.into(),
            url: desk.crm.url(),
            id_types: vec!["ONEID".into()],
            parameters: vec![call("province", &province), call("city", &city)],
            ..Default::default()
        };
        let saving = webhooks::store::Saving::new(state, &desk.workspace, By::command_line(0));
        let webhook = webhooks::store::create(&saving, &input, None).await.unwrap();
        desk.server.grant(&desk.workspace, &webhook, "max@example.com").await;
        Self { desk, webhook, province, city }
    }

    async fn submit(&self, id: &str, province: &str, city: &str) -> Answer {
        let changes = [
            ("task[webhook_id]", self.webhook.as_str()),
            ("task[values][0][name]", "province"),
            ("task[values][0][value]", province),
            ("task[values][0][shown]", "what the page said"),
            ("task[values][1][name]", "city"),
            ("task[values][1][value]", city),
            ("task[variables][0][parameter]", ""),
        ];
        self.desk.submit(id, &changes).await
    }

    async fn stop(self) {
        self.desk.server.state.engine.stop(Duration::from_secs(5)).await;
    }
}

on_both_databases!(values_are_loaded_one_from_the_other, |db| async move {
    let places = Places::new(db).await;
    let load = async |id: &str, given: &[(&str, &str)]| {
        let mut fields = vec![("parameter_id".to_string(), id.to_string())];
        for (place, (name, value)) in given.iter().enumerate() {
            fields.push((format!("given[{place}][name]"), (*name).into()));
            fields.push((format!("given[{place}][value]"), (*value).into()));
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        places.desk.server.call::<LoadCall>(&places.desk.cookie, &encoded(&fields)).await
    };
    let names = |answer: &Answer| {
        let values: Values = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text));
        values.items.into_iter().map(|item| item.value).collect::<Vec<_>>()
    };
    assert_eq!(names(&load(&places.province, &[]).await).len(), 7, "all pages");
    assert_eq!(names(&load(&places.city, &[(&places.province, "shandong")]).await), ["jinan", "qingdao"]);
    let first = load(&places.city, &[]).await;
    assert!(first.status == 422 && first.text.contains("Choose a value of Province first."), "{}", first.text);
    // Row-level permissions are those of whoever asks.
    let db = &places.desk.server.state.db;
    let (user,) = fetch!(db, one, (String,), "select user_id from members").unwrap();
    let north = [("region".to_string(), vec!["North".to_string()])].into();
    let mut tx = db.begin().await.unwrap();
    access::put_attributes(&mut tx, &places.desk.workspace, &user, &north).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(names(&load(&places.province, &[]).await), ["beijing", "shandong"]);
    assert_eq!(places.desk.server.call::<LoadCall>("", "parameter_id=x").await.status, 401);
    assert_eq!(load("elsewhere", &[]).await.status, 404);
    places.stop().await;
});

on_both_databases!(what_was_chosen_is_checked_again_and_kept_with_what_was_passed, |db| async move {
    let places = Places::new(db).await;
    let wrong = places.submit(ID, "shandong", "hangzhou").await;
    assert_eq!(wrong_fields(&wrong), ["task[values][1][value]"], "{}", wrong.text);
    assert!(wrong.text.contains("“hangzhou” is not one of its values any more"), "{}", wrong.text);
    assert_eq!(wrong_fields(&places.submit(ID, "", "jinan").await), ["task[values][0][value]"], "nobody is asked");
    let right = places.submit(ID, "shandong", "jinan").await;
    assert_eq!(right.status, 200, "{}", right.text);
    assert_eq!(places.submit(ID, "shandong", "jinan").await.status, 200, "the answer to the first was lost");
    places.desk.finished(ID).await;
    let task = store::get(&places.desk.server.state.db, &places.desk.workspace, ID).await.unwrap();
    let passed = task.passed().unwrap();
    let told: Vec<_> = passed.iter().map(|one| (one.value.as_str(), one.shown.as_str())).collect();
    assert_eq!(told, [("shandong", "Shandong 山东"), ("jinan", "Jinan 济南")]);
    assert_eq!(passed[1].associated["province"], "shandong");
    assert!(passed[0].system.contains_key("permissions"));
    let page = places.desk.server.page(&format!("/tasks/{ID}"), &places.desk.cookie).await.text;
    for text in ["Jinan 济南 (jinan)", "What was passed to the interfaces"] {
        assert!(page.contains(text), "{text}");
    }
    places.stop().await;
});

on_both_databases!(a_webhook_asks_for_what_its_calls_hang_on, |db| async move {
    let places = Places::new(db).await;
    let server = &places.desk.server;
    server.member("ada@example.com", "Shop", Preset::Administrator).await;
    let cookie = server.sign_in("ada@example.com").await;
    let save = async |calls: &[&str]| {
        let mut fields = vec![
            ("input[name]".to_string(), "Another".to_string()),
            ("input[authentication]".into(), "None".into()),
            ("input[url]".into(), "https://crm.example.com".into()),
            ("input[id_types][0]".into(), "ONEID".into()),
            ("input[batch_size]".into(), "1".into()),
            ("input[concurrency]".into(), "1".into()),
            ("input[retention_days]".into(), "7".into()),
        ];
        for (place, id) in calls.iter().enumerate() {
            let of = |field: &str| format!("input[parameters][{place}][{field}]");
            fields.push((of("name"), format!("p{place}")));
            fields.push((of("display_name"), "P".into()));
            fields.push((of("kind"), "Call".into()));
            fields.push((of("call"), (*id).into()));
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        server.call::<webhooks::api::SaveWebhook>(&cookie, &encoded(&fields)).await
    };
    let lonely = save(&[&places.city]).await;
    assert_eq!(wrong_fields(&lonely), ["parameters[0][call]"]);
    assert!(lonely.text.contains("“City” needs a value of “Province”"), "{}", lonely.text);
    assert_eq!(wrong_fields(&save(&["gone"]).await), ["parameters[0][call]"]);
    assert_eq!(wrong_fields(&save(&[""]).await), ["parameters[0][call]"]);
    let twice = save(&[&places.province, &places.city, &places.province]).await;
    assert_eq!(wrong_fields(&twice), ["parameters[2][call]"], "whose city would it be");
    assert_eq!(save(&[&places.city, &places.province]).await.status, 200);
    // The parameter now says who uses it, and stays.
    let users = parameters::store::users(&server.state.db, &places.desk.workspace, &places.city).await.unwrap();
    let names: Vec<_> = users.into_iter().map(|user| user.name).collect();
    assert_eq!(names, ["Another", "Places"]);
    places.stop().await;
});
