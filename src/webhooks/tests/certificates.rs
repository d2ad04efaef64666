//! A webhook's certificates: checked at their fields, used by what is sent, shown by name, and their key never.

use super::*;
use crate::{
    audit::testing::{last_change, text},
    delivery::testing::tls::{Authority, receiver},
    fetch,
};
use secrecy::ExposeSecret;

/// The middle of a PEM text: what would give it away.
fn gist(pem: &str) -> String {
    pem.lines().nth(1).unwrap()[10..40].to_string()
}

impl Desk {
    async fn tested(&self, webhook: &str) -> TestOutcome {
        let fields = [
            ("test[webhook_id]", webhook),
            ("test[encryption]", "None"),
            ("test[id_type]", "MOBILE"),
            ("test[test_id]", "13800000000"),
            ("test[values][0][name]", "coupon"),
            ("test[values][0][value]", "x"),
        ];
        let answer = self.server.call::<TestWebhook>(&self.cookie, &encoded(&fields)).await;
        serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{}", answer.text))
    }

    async fn client_key(&self, webhook: &str) -> Option<String> {
        let state = &self.server.state;
        let tls = store::tls(&state.db, &state.master_key, &self.workspace, webhook).await.unwrap();
        tls.client_key.map(|key| key.expose_secret().to_string())
    }
}

on_both_databases!(a_webhook_with_certificates_is_made_changed_copied_and_tested, |db| async move {
    let (own, clients) = (Authority::new("Receiver CA"), Authority::new("Clients CA"));
    let receiver = receiver(&own.server(&["127.0.0.1"]), Some(&clients)).await;
    let (url, us, renewed) = (receiver.url("https", "127.0.0.1"), clients.client("us"), clients.client("us, again"));
    let desk = Desk::new(db.clone()).await;
    let lines = |pem: &str| pem.replace('\n', "\r\n");
    let (ca, certificate, key) = (lines(&own.certificate), lines(&us.certificate), lines(&us.key));
    let with = [
        ("input[url]", url.as_str()),
        ("input[ca_certificate]", &ca),
        ("input[client_certificate]", &certificate),
        ("input[client_key]", &key),
    ];
    let id = desk.created(&with).await;
    let change = last_change(&db, &desk.workspace).await;
    assert!(change["after"]["CA certificate"].as_str().unwrap().starts_with("CN=Receiver CA, valid until 4096-01-01"));
    let outcome = desk.tested(&id).await;
    assert!(outcome.result.ok, "{}", outcome.log);

    desk.turn_off(&id).await;
    let edit = |version: &'static str, changes: &[(&'static str, &'static str)]| {
        let mut fields: Vec<(&str, String)> = vec![("id", id.clone()), ("version", version.into())];
        fields.extend(with[..3].iter().map(|(name, value)| (*name, value.to_string())));
        fields.push(("input[key]", String::new()));
        fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        fields.extend(changes.iter().map(|(name, value)| (*name, value.to_string())));
        fields
    };
    let save = async |fields: Vec<(&str, String)>| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        desk.created(&fields).await
    };
    save(edit("1", &[("input[batch_size]", "7")])).await;
    assert_eq!(desk.client_key(&id).await.as_deref(), Some(us.key.trim()), "an empty key keeps the one that is there");
    assert_eq!(
        last_change(&db, &desk.workspace).await,
        serde_json::json!({"before": {"Users per request": "50"}, "after": {"Users per request": "7"}})
    );
    // Another certificate needs its own key.
    let other = [
        ("id", id.as_str()),
        ("version", "2"),
        ("input[key]", ""),
        ("input[client_certificate]", &renewed.certificate),
    ];
    assert_eq!(wrong_fields(&desk.save(&other).await), ["client_key"]);

    let copied = [&with[..3], &[("copy", id.as_str()), ("input[name]", "Second"), ("input[key]", "")]].concat();
    let copy = desk.created(&copied).await;
    assert_eq!(desk.client_key(&copy).await, desk.client_key(&id).await);
    assert!(desk.tested(&copy).await.result.ok);

    let mut seen = text(&db).await;
    for path in [
        "/webhooks".to_string(),
        format!("/webhooks/{id}"),
        format!("/webhooks/{id}/edit"),
        format!("/webhooks/{id}/versions"),
        format!("/webhooks/new?copy={id}"),
        format!("/guide?webhook={id}"),
    ] {
        let page = desk.page(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(path != "/webhooks" || !page.text.contains(&gist(&own.certificate)), "lists go without");
        seen.push_str(&page.text);
    }
    let (kept,) =
        fetch!(db, one, (String,), "select input from webhook_versions where webhook_id = $1 and version = 1", &id)
            .unwrap();
    assert!(kept.contains(&gist(&us.certificate)), "a version has its certificates");
    seen.push_str(&kept);
    seen.push_str(&outcome.log);
    assert!(seen.contains("CN=us, valid until") && !seen.contains(&gist(&us.key)), "the key is told");
    assert!(!seen.contains("PRIVATE KEY"));

    save(edit("2", &[("input[client_certificate]", "")])).await;
    assert_eq!(desk.client_key(&id).await, None, "it goes with its certificate");
    assert_eq!(last_change(&db, &desk.workspace).await["before"]["Client key"], "Set");
    let refused = desk.tested(&id).await.result;
    assert_eq!((refused.ok, refused.reason.as_str()), (false, "TLS: the receiver demands a client certificate"));
});

on_both_databases!(what_is_wrong_with_certificates_is_told_at_its_field, |db| async move {
    let desk = Desk::new(db).await;
    let authority = Authority::new("CA");
    let (one, other) = (authority.client("one"), authority.client("other"));
    for (name, value, field) in [
        ("input[ca_certificate]", "nonsense", "ca_certificate"),
        ("input[ca_certificate]", one.key.as_str(), "ca_certificate"),
        ("input[client_certificate]", "nonsense", "client_certificate"),
        ("input[client_certificate]", &one.key, "client_certificate"),
        ("input[client_certificate]", &one.certificate, "client_key"),
        ("input[client_key]", &one.key, "client_certificate"),
    ] {
        let answer = desk.save(&[(name, value)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert_eq!(wrong_fields(&answer), [field], "{name}");
        assert!(!answer.text.contains(&gist(&one.key)));
    }
    let pair = [("input[client_certificate]", one.certificate.as_str()), ("input[client_key]", &other.key)];
    assert_eq!(wrong_fields(&desk.save(&pair).await), ["client_key"]);
});
