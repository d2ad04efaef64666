use super::{testing::Collector, *};
use crate::{
    config::Config,
    on_both_databases,
    server::testing::{Harness, Log},
};

const GRACE: Duration = Duration::from_secs(10);

fn span(name: &'static str) -> Span {
    let from = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    Span::new(name, from, from + Duration::from_millis(5))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_receives_a_span_and_its_children() {
    let collector = Collector::start().await;
    let traces = Traces::new(&collector.settings());
    assert!(traces.begin().is_some() && traces.samples("anything"));
    let mut root = span("root of the test").with("reachwire.number", 7);
    root.failed = Some("in a word");
    root.children.push(span("its child"));
    traces.tell(root);
    traces.stop(GRACE).await;
    for text in ["root of the test", "its child", "reachwire.number", "in a word", "service.name", "reachwire"] {
        assert!(collector.has(text), "{text}");
    }
    assert!(!collector.has("nobody said this"));
}

on_both_databases!(requests_are_traced_by_their_routes, |db| async move {
    let collector = Collector::start().await;
    let app = Harness::with(db, |config| config.otlp = collector.settings()).await;
    assert_eq!(app.page("/healthz", "").await.status, 200);
    let _refused = app.page("/invitation/a-secret-token?and=more", "").await;
    app.state.engine.stop(GRACE).await;
    app.state.engine.traces().stop(GRACE).await;
    for text in ["GET /healthz", "GET /invitation/{token}", "http.route", "http.response.status_code"] {
        assert!(collector.has(text), "{text}");
    }
    assert!(!collector.has("a-secret-token") && !collector.has("and=more"));
});

#[tokio::test]
async fn nothing_is_traced_unless_the_settings_say_where_to() {
    let traces = Traces::new(&Config::defaults().otlp);
    assert!(traces.begin().is_none() && !traces.samples("anything"));
    traces.tell(span("lost"));
    traces.stop(GRACE).await;
}

/// The log is of this thread, so the exporter's requests must run on it.
#[tokio::test]
async fn a_collector_that_refuses_is_told_once_and_no_secret_with_it() {
    let (log, _guard) = Log::of_this_thread();
    let collector = Collector::start().await;
    let settings = OtlpConfig { headers: "x-key=another secret".to_string().into(), ..collector.settings() };
    check(&settings).unwrap();
    let traces = Traces::new(&settings);
    for _ in 0..2 {
        traces.tell(span("refused"));
        let provider = traces.0.clone().unwrap().provider.clone();
        tokio::task::spawn_blocking(move || provider.force_flush().unwrap_err()).await.unwrap();
    }
    traces.stop(GRACE).await;
    assert!(!collector.has("refused"));
    let text = log.text();
    assert_eq!(text.matches("traces do not reach the collector").count(), 1, "{text}");
    assert!(text.contains("HTTP 401") && !text.contains("another secret"), "{text}");
}

#[tokio::test]
async fn a_collector_that_is_not_there_harms_nobody() {
    let collector = Collector::start().await;
    let settings = collector.settings();
    drop(collector);
    let traces = Traces::new(&settings);
    // More than the queue holds: none of them waits.
    for _ in 0..20_000 {
        traces.tell(span("lost"));
    }
    traces.stop(Duration::from_millis(100)).await;
}

#[test]
fn a_share_of_things_is_traced_and_always_the_same() {
    let sampled = |share| (0..10_000).filter(|number| is_sampled(("send", number), share)).count();
    assert_eq!((sampled(0.0), sampled(1.0)), (0, 10_000));
    assert!((900..1_100).contains(&sampled(0.1)), "{}", sampled(0.1));
    assert_eq!(sampled(0.1), sampled(0.1));
}

#[test]
fn settings_are_checked_and_secrets_not_shown() {
    let with = |endpoint: &str, headers: &str, sample_share| {
        check(&OtlpConfig { endpoint: endpoint.into(), headers: headers.to_string().into(), sample_share })
    };
    let good = "https://collector.example.com/v1/traces";
    for (endpoint, headers) in [("", ""), (good, ""), (good, "authorization=Bearer a=b, x-tenant = 7,")] {
        assert_eq!(with(endpoint, headers, 0.5), Ok(()), "{endpoint} {headers}");
    }
    for wrong in ["collector:4318", "ftp://collector", "/v1/traces", "http://"] {
        assert!(with(wrong, "", 0.5).unwrap_err().contains("otlp.endpoint"), "{wrong}");
    }
    let said = with("http://user:secret@collector", "", 0.5).unwrap_err();
    assert!(said.contains("otlp.headers") && !said.contains("secret"), "{said}");
    for wrong in ["secret", "bad name=secret", "name=secret\u{7f}"] {
        let said = with(good, wrong, 0.5).unwrap_err();
        assert!(said.contains("name=value") && !said.contains("secret"), "{said}");
    }
    for wrong in [-0.1, 1.1, f64::NAN] {
        assert!(with(good, "", wrong).unwrap_err().contains("sample_share"), "{wrong}");
    }
}
