//! Who may read the guide, and what it says, as a browser without wasm gets it.

use super::{
    api::{GetGuide, GetSample},
    files,
    model::{Guide, Language, NONCE, Subject, TIMESTAMP},
};
use crate::{
    access::model::Preset,
    db::Db,
    delivery::post,
    on_both_databases,
    receipts::intake,
    server::testing::{Answer, Harness},
    ui::format::count,
    webhooks::{api::GetWebhook, model, model::WebhookInput, store},
    wire::signature,
};
use axum::body::Body;
use http::{Request, StatusCode, header};

const KEY: &str = "the key of the webhook";

async fn harness(db: Db, public_guide: bool) -> Harness {
    Harness::with(db, |config| config.public_guide = public_guide).await
}

/// A webhook of the workspace: its id.
async fn webhook(server: &Harness, workspace: &str) -> String {
    let parameter =
        model::Parameter { name: "coupon_text".into(), display_name: "优惠券".into(), ..Default::default() };
    let input = WebhookInput {
        name: "Coupon <service>".into(),
        key: KEY.into(),
        url: "https://coupons.example.com/take?shop=7".into(),
        id_types: vec!["MOBILE".into(), "LOYALTY_CARD".into()],
        parameters: vec![parameter],
        receipts_enabled: true,
        statuses: vec![model::ReceiptStatus { code: "4711".into(), value: "Read by the user".into() }],
        ..Default::default()
    };
    store::create(&store::Saving::new(&server.state, workspace, crate::audit::By::command_line(0)), &input, None)
        .await
        .unwrap()
}

async fn plain(server: &Harness, path: &str) -> Answer {
    let request = Request::get(path).header(header::ACCEPT, "text/plain").body(Body::empty()).unwrap();
    server.send(request).await
}

on_both_databases!(without_the_setting_the_guide_is_for_members, |db| async move {
    let server = harness(db, false).await;
    for path in ["/guide", "/guide?webhook=1&language=go", "/guide/samples/receiver.py"] {
        let answer = server.page(path, "").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(answer.header("location").starts_with("/sign-in?next=%2Fguide"), "{}", answer.header("location"));
    }
    assert_eq!(plain(&server, "/guide/samples/receiver.py").await.status, StatusCode::UNAUTHORIZED);
    assert!(!plain(&server, "/guide").await.text.contains("crm.example.com"));
    assert_eq!(server.call::<GetGuide>("", "webhook=").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.call::<GetSample>("", "language=Go").await.status, StatusCode::UNAUTHORIZED);
    server.member("max@example.com", "Spring Store", Preset::Marketer).await;
    let cookie = server.sign_in("max@example.com").await;
    let page = server.page("/guide", &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("https://crm.example.com/hook") && page.text.contains("id=\"navigation\""));
});

on_both_databases!(with_the_setting_everybody_reads_it_and_nothing_of_a_workspace, |db| async move {
    let server = harness(db, true).await;
    let workspace = server.member("ada@example.com", "Spring Store", Preset::Administrator).await;
    let id = webhook(&server, &workspace).await;
    for path in ["/guide", &format!("/guide?webhook={id}"), "/guide?webhook=nosuch"] {
        let page = server.page(path, "").await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for there in ["Webhook integration guide", "https://crm.example.com/hook", "X-QA-Source-Id", "Sign in"] {
            assert!(page.text.contains(there), "{there} on {path}");
        }
        for hidden in ["id=\"navigation\"", "Spring Store", "Coupon &lt;", "coupons.example.com", "4711", "/tasks"] {
            assert!(!page.text.contains(hidden), "{hidden} on {path}");
        }
        assert_eq!(page.text.contains("Members see those of the webhook"), path != "/guide", "{path}");
    }
    let unknown = server.page("/guide?webhook=nosuch", "").await.text.replace("nosuch", "ID");
    let known = server.page(&format!("/guide?webhook={id}"), "").await.text.replace(&id, "ID");
    let body = |page: &str| page.split_once("id=\"main\"").unwrap().1.split_once("<script").unwrap().0.to_string();
    for (known, unknown) in body(&known).split('<').zip(body(&unknown).split('<')) {
        assert_eq!(known, unknown, "whether there is such a webhook stays unknown");
    }
    let guide: Guide = serde_json::from_str(&server.call::<GetGuide>("", &format!("webhook={id}")).await.text).unwrap();
    assert_eq!(guide.subject, Subject::Stranger);

    for language in Language::ALL {
        let answer = plain(&server, &format!("/guide/samples/{}", language.file())).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, files::text(language)));
    }
    assert_eq!(plain(&server, "/guide/samples/Cargo.toml").await.status, StatusCode::NOT_FOUND);
    // Nothing else has opened.
    for path in ["/", "/webhooks", "/guides", &format!("/webhooks/{id}")] {
        assert_eq!(server.page(path, "").await.status, StatusCode::SEE_OTHER, "{path}");
    }
    assert_eq!(server.call::<GetWebhook>("", &format!("id={id}")).await.status, StatusCode::UNAUTHORIZED);
});

on_both_databases!(a_member_sees_the_webhooks_own_values, |db| async move {
    let server = harness(db, true).await;
    let workspace = server.member("ada@example.com", "Spring Store", Preset::Marketer).await;
    server.member("eve@example.com", "Elsewhere", Preset::Administrator).await;
    let id = webhook(&server, &workspace).await;
    let path = format!("/guide?webhook={id}");
    let page = server.page(&path, &server.sign_in("ada@example.com").await).await;
    assert_eq!(page.status, StatusCode::OK);
    for own in [
        "Coupon &lt;service&gt;",
        "https://coupons.example.com/take?shop=7&amp;timestamp=1631865523",
        "MOBILE, LOYALTY_CARD",
        "coupon_text",
        "优惠券",
        "/restapi/marketing2/webhook/receiveWebHookCallBack",
        "4711",
        "Read by the user",
        &id,
    ] {
        assert!(page.text.contains(own), "{own}");
    }
    assert!(!page.text.contains(KEY) && !page.text.contains("crm.example.com/hook"));

    let other = server.page(&path, &server.sign_in("eve@example.com").await).await;
    assert_eq!(other.status, StatusCode::OK);
    assert!(other.text.contains("There is no such webhook in this workspace"));
    for hidden in ["Coupon &lt;service", "coupons.example.com", "4711", "LOYALTY_CARD", "coupon_text"] {
        assert!(!other.text.contains(hidden), "{hidden}");
    }
});

on_both_databases!(the_calculators_key_can_go_nowhere, |db| async move {
    let server = harness(db, true).await;
    let page = server.page("/guide", "").await.text;
    for id in ["calculator-key", "calculator-timestamp", "calculator-nonce"] {
        let start = page.find(&format!("id=\"{id}\"")).unwrap();
        let from = page[..start].rfind('<').unwrap();
        let tag = &page[from..from + page[from..].find('>').unwrap()];
        assert!(tag.starts_with("<input") && tag.contains("autocomplete=\"off\""), "{tag}");
        assert!(!tag.contains(" name="), "{tag}");
    }
    assert!(!page.contains("<form"), "no form that it could stand in");
    assert!(page.contains(&signature::sign(crate::guide::model::KEY, &TIMESTAMP.to_string(), NONCE)));
    assert!(page.contains("16318655232e6eceb5737b473284c930c8ef79090e"), "what is signed");
});

on_both_databases!(the_page_is_whole_and_its_numbers_are_the_codes, |db| async move {
    let server = harness(db, true).await;
    let page = server.page("/guide", "").await.text;
    for anchor in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(page.contains(&format!("id=\"{anchor}\"")), "#{anchor} leads nowhere");
    }
    assert!(!page.contains(" style=") && !page.contains("&amp;lt;") && !page.contains("&amp;quot;"));
    assert_eq!(page.matches("<h1").count(), 1);
    let defaults = crate::config::Config::defaults();
    for number in [
        format!("within {} seconds", post::LIMIT.as_secs()),
        format!("{} KiB", post::ANSWER_MAX / 1024),
        format!("{} characters; http", count(model::URL_MAX as i64)),
        format!("{} characters for a Text", count(model::TEXT_MAX as i64)),
        format!("{} for the others", count(model::VALUE_MAX as i64)),
        format!("<td>{}</td>", model::PARAMETERS_MAX),
        format!("<td>{} characters</td>", model::KEY_MAX),
        format!("1 to {}, as", model::BATCH_MAX),
        format!("{} of at most {} webhooks", count(intake::RECEIPTS_MAX as i64), intake::WEBHOOKS_MAX),
        format!("{} MiB, arriving within {} seconds", intake::BODY_MAX >> 20, intake::READ_MOST.as_secs()),
        format!("msg_id is longer than {} characters", intake::MSG_ID_MAX),
    ] {
        assert!(page.contains(&number), "{number}");
    }
    let bare = page.replace("<!>", "").replace("<!---->", "");
    assert!(bare.contains(&format!("up to {} times", defaults.engine.tries)), "the tries of the settings");
    for language in Language::ALL {
        let page = server.page(&format!("/guide?language={}", language.code()), "").await.text;
        assert!(page.contains(&format!("/guide/samples/{}", language.file())), "{}", language.label());
    }
});
