//! What can be used, and which clients are kept.

use super::*;
use crate::{
    delivery::{
        SendState,
        post::Poster,
        testing::{
            Crowd, config, ended, engine,
            hostile::prepared,
            master_key, put_send, put_webhook, reasons,
            tls::{Authority, receiver},
            until,
        },
        verdict::Problem,
    },
    execute, on_both_databases,
};
use std::time::Duration;

fn tls(ca: &str, certificate: &str, key: &str) -> Tls {
    Tls {
        ca_certificate: ca.into(),
        client_certificate: certificate.into(),
        client_key: (!key.is_empty()).then(|| key.into()),
    }
}

/// Which part is wrong, and why.
fn fault(tls: &Tls) -> (&'static str, String) {
    match tls.check().unwrap_err() {
        TlsError::Ca(why) => ("ca", why.into()),
        TlsError::Certificate(why) => ("certificate", why.into()),
        TlsError::Key(why) => ("key", why.into()),
        TlsError::Client(error) => ("client", error.to_string()),
    }
}

#[test]
fn each_part_says_what_is_wrong_with_it() {
    let authority = Authority::new("CA");
    let (one, other) = (authority.client("one"), authority.client("other"));
    assert!(Tls::default().check().is_ok());
    assert!(tls(&authority.certificate, &one.certificate, &one.key).check().is_ok());
    let chain = format!("{}{}", one.certificate, authority.certificate);
    assert!(tls("", &chain, &one.key).check().is_ok());
    let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (tls, part, told) in [
        (tls("x", "", ""), "ca", "no certificate in PEM form"),
        (tls(no_der, "", ""), "ca", "cannot be used"),
        (tls("", "x", &one.key), "certificate", "no certificate in PEM form"),
        (tls("", no_der, &one.key), "certificate", "cannot be used"),
        (tls("", "", &one.key), "certificate", "that the key belongs to"),
        (tls("", &one.certificate, ""), "key", "Enter the key"),
        (tls("", &one.certificate, "x"), "key", "no private key"),
        (tls("", &one.certificate, locked), "key", "passphrase"),
        (tls("", &one.certificate, &other.key), "key", "does not belong"),
    ] {
        let found = fault(&tls);
        assert_eq!(found.0, part, "{found:?}");
        assert!(found.1.contains(told), "{found:?}");
    }
}

#[test]
fn a_client_is_made_once_for_the_same_certificates_and_few_are_kept() {
    let clients = Clients::default();
    let made = std::cell::Cell::new(0);
    let get = |webhook: &str, tls: &Tls| {
        let make = || {
            made.set(made.get() + 1);
            Ok(crate::delivery::post::client().build().unwrap())
        };
        clients.get(webhook, tls, make).unwrap().is_some()
    };
    let (one, other) = (tls("a", "", ""), tls("b", "", ""));
    assert!(get("w", &one) && get("w", &one));
    assert_eq!(made.get(), 1);
    assert!(get("w", &other) && get("w", &one));
    assert_eq!(made.get(), 3, "what it had before was not kept");
    assert!(!get("w", &Tls::default()) && get("w", &one));
    assert_eq!(made.get(), 4, "nor was what it had before it had none");
    for number in 1..KEPT {
        get(&format!("w{number}"), &one);
    }
    get("w", &one);
    get("one more", &one);
    assert_eq!((clients.0.lock().unwrap().clients.len(), made.get()), (KEPT, KEPT + 4));
    get("w", &one);
    assert_eq!(made.get(), KEPT + 4, "it was asked for lately");
    get("w1", &one);
    assert_eq!(made.get(), KEPT + 5, "the oldest had gone");
}

#[test]
fn secrets_are_not_shown() {
    assert!(!format!("{:?}", tls("", "", "very secret")).contains("very secret"));
}

#[tokio::test]
async fn an_authority_of_one_s_own_is_trusted_and_no_other() {
    let (own, other) = (Authority::new("own"), Authority::new("other"));
    let receiver = receiver(&own.server(&["127.0.0.1"]), None).await;
    let url = receiver.url("https", "127.0.0.1");
    let poster = Poster::new(&config().engine).unwrap();
    let send = async |webhook: &str, tls: Tls| {
        let poster = poster.of_webhook(webhook, &tls).unwrap();
        poster.send(prepared(&url)).await.result
    };
    assert_eq!(send("w", tls(&own.certificate, "", "")).await.unwrap().status, 200);
    let untrusted = Problem::Tls("the certificate is not trusted".into());
    assert_eq!(send("w2", tls(&other.certificate, "", "")).await.unwrap_err(), untrusted);
    assert_eq!(send("w", Tls::default()).await.unwrap_err(), untrusted, "by its own old connection or another's");
    let both = format!("{}{}", other.certificate, own.certificate);
    assert_eq!(send("w", tls(&both, "", "")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_receiver_that_demands_a_certificate_gets_the_webhook_s() {
    let (own, clients) = (Authority::new("own"), Authority::new("clients"));
    let receiver = receiver(&own.server(&["127.0.0.1"]), Some(&clients)).await;
    let url = receiver.url("https", "127.0.0.1");
    let poster = Poster::new(&config().engine).unwrap();
    let send = async |tls: Tls| poster.of_webhook("w", &tls).unwrap().send(prepared(&url)).await.result;
    let (known, stranger) = (clients.client("us"), own.client("somebody"));
    assert_eq!(send(tls(&own.certificate, &known.certificate, &known.key)).await.unwrap().status, 200);
    let refused = send(tls(&own.certificate, "", "")).await.unwrap_err();
    assert_eq!(refused, Problem::Tls("the receiver demands a client certificate".into()));
    let refused = send(tls(&own.certificate, &stranger.certificate, &stranger.key)).await.unwrap_err();
    assert_eq!(refused, Problem::Tls("the receiver does not accept the client certificate".into()));
    assert_eq!(receiver.taken(), 1);
}

on_both_databases!(a_send_uses_the_certificates_that_its_webhook_has_now, |db| async move {
    let (own, clients) = (Authority::new("own"), Authority::new("clients"));
    let receiver = receiver(&own.server(&["127.0.0.1"]), Some(&clients)).await;
    let known = clients.client("us");
    put_webhook(&db, &receiver.url("https", "127.0.0.1"), 2).await;
    execute!(
        db,
        "update webhooks set ca_certificate = $1, client_certificate = $2, client_key_cipher = $3",
        &own.certificate,
        &known.certificate,
        master_key().seal(&known.key)
    )
    .unwrap();
    let engine = engine(&db, &config(), Crowd { users: 20, gaps: false });
    put_send(&db, "with", 20, 5, 0).await;
    engine.wake();
    let progress = until(&db, "with", ended).await;
    assert_eq!((progress.state, progress.accepted, receiver.taken()), (SendState::Finished, 20, 4));

    let without = "update webhooks set client_certificate = '', client_key_cipher = null, version = version + 1";
    execute!(db, without).unwrap();
    put_send(&db, "without", 20, 5, 0).await;
    engine.wake();
    let progress = until(&db, "without", ended).await;
    assert_eq!((progress.state, progress.failed, receiver.taken()), (SendState::Failed, 20, 4));
    let why = "TLS: the receiver demands a client certificate after 3 tries".to_string();
    assert_eq!(reasons(&db, "without").await, [("failed".to_string(), why, 20)]);

    let locked = "update webhooks set client_certificate = $1, client_key_cipher = 'x', version = version + 1";
    execute!(db, locked, &known.certificate).unwrap();
    put_send(&db, "locked", 20, 5, 0).await;
    engine.wake();
    let progress = until(&db, "locked", ended).await;
    assert_eq!(progress.error.as_deref(), Some("The webhook's client key can't be opened; enter it again."));
    engine.stop(Duration::from_secs(12)).await;
});
