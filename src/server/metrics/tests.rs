use super::*;
use crate::{on_both_databases, server::testing::Harness};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The metrics that a text names; of a histogram's series, the histogram.
fn named(text: &str) -> BTreeSet<&str> {
    let is_part = |character: char| !(character.is_ascii_alphanumeric() || character == '_');
    let words = text.split(is_part).filter(|word| word.starts_with("reachwire_"));
    let of = |word| ["_bucket", "_sum", "_count"].iter().find_map(|end| known(str::strip_suffix(word, end)?));
    words
        .map(|word| of(word).filter(|metric| metric.kind == Kind::Histogram).map_or(word, |metric| metric.name))
        .collect()
}

fn known(name: &str) -> Option<&'static Metric> {
    ALL.iter().find(|metric| metric.name == name)
}

/// The names that the code gives to the macros: in quotes.
fn used(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("server/metrics") {
            used(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("server/metrics.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            // Tests name lines of the page, too, which hold more than a name.
            let is_name = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let names = text.split('"').filter(|word| word.starts_with("reachwire_") && is_name(word));
            found.extend(names.map(ToString::to_string));
        }
    }
}

#[test]
fn everything_that_is_counted_has_a_help_text_and_everything_that_has_one_is_counted() {
    let mut found = BTreeSet::from(["reachwire_build_info".to_string()]);
    used(&root().join("src"), &mut found);
    let described: BTreeSet<String> = ALL.iter().map(|metric| metric.name.to_string()).collect();
    assert_eq!(found, described);
    assert_eq!(described.len(), ALL.len(), "none twice");
    for metric in ALL {
        assert!(metric.help.ends_with('.') || metric.help.ends_with("program."), "{}: a sentence", metric.name);
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
        let seconds = metric.name.ends_with("_seconds");
        assert_eq!(seconds, metric.unit == Unit::Seconds, "{}: the unit is in the name", metric.name);
    }
}

/// What a metric may be followed by: its label, and a value.
fn labels(metric: &Metric, value: &str) -> Vec<Label> {
    metric.label.map(|(name, _)| Label::new(name, value.to_string())).into_iter().collect()
}

fn touch(metric: &'static Metric, value: &str) {
    let labels = labels(metric, value);
    match metric.kind {
        Kind::Counter => metrics::counter!(metric.name, labels).increment(3),
        Kind::Gauge => metrics::gauge!(metric.name, labels).set(2.5),
        Kind::Histogram => {
            for seconds in [0.001, 0.3, 60.0] {
                metrics::histogram!(metric.name, labels.clone()).record(seconds);
            }
        }
    }
}

/// A sample: name, labels as they stand, value.
fn sample(line: &str) -> (&str, &str, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').map_or((series, ""), |(name, labels)| {
        (name, labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}: no end of its labels")))
    });
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
    (name, labels, value.parse().unwrap_or_else(|_| panic!("{line}: no number")))
}

/// What Prometheus asks of a page: a help text and a type before each family, families in one piece, each series once,
/// and the buckets of a histogram growing up to its count.
fn check(page: &str) -> BTreeSet<&'static str> {
    let (mut families, mut series) = (BTreeSet::new(), BTreeSet::new());
    let mut buckets: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let (mut helped, mut family) = ("", None);
    for line in page.lines().filter(|line| !line.is_empty()) {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(!text.trim().is_empty(), "{line}");
            helped = name;
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            let metric = known(name).unwrap_or_else(|| panic!("{name} is not described"));
            assert_eq!((helped, kind), (name, format!("{:?}", metric.kind).to_lowercase().as_str()));
            assert!(families.insert(metric.name), "{name} comes twice");
            family = Some(metric);
        } else {
            let (name, labels, value) = sample(line);
            let metric = family.unwrap();
            assert!(series.insert(line.rsplit_once(' ').unwrap().0), "{line} comes twice");
            let of_family = match metric.kind {
                Kind::Histogram => ["_bucket", "_sum", "_count"].contains(&&name[metric.name.len()..]),
                _ => name == metric.name,
            };
            assert!(of_family, "{line} stands among {}", metric.name);
            let (others, _) = labels.split_once("le=").unwrap_or((labels, ""));
            let key = format!("{}{{{}", metric.name, others.trim_end_matches(','));
            match name.ends_with("_bucket") {
                true => buckets.entry(key).or_default().push(value),
                false if name.ends_with("_count") => {
                    let all = &buckets[&key];
                    assert_eq!(all.len(), SECONDS.len() + 1, "{line}");
                    assert!(all.is_sorted() && all.last() == Some(&value), "{line}: {all:?}");
                }
                false => {}
            }
        }
    }
    families
}

#[test]
fn the_page_is_as_prometheus_reads_it() {
    let recorder = builder().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        describe();
        for metric in ALL {
            touch(metric, "thing");
            touch(metric, "a \"quoted\" \\ value\nof two lines");
        }
    });
    let page = recorder.handle().render();
    let families = check(&page);
    assert_eq!(families, ALL.iter().map(|metric| metric.name).collect());
    assert!(page.contains("reachwire_post_seconds_bucket{webhook=\"thing\",le=\"0.5\"} 2"), "{page}");
    assert!(page.contains("reachwire_breaker_turns_total{turn=\"opened\"} 0"), "there before its first event: {page}");
}

on_both_databases!(a_server_shows_what_it_does, |db| async move {
    // Before the first look of the watcher, which sets its gauges.
    let _handle = handle();
    let app = Harness::new(db).await;
    assert_eq!(app.page("/healthz", "").await.status, 200);
    let shown = async || loop {
        let page = app.page("/metrics", "").await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/plain; version=0.0.4"));
        if page.text.contains("reachwire_watch_timestamp_seconds") {
            return page.text;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let page = tokio::time::timeout(Duration::from_secs(30), shown()).await.unwrap();
    let families = check(&page);
    for name in ["reachwire_due_age_seconds", "reachwire_stuck_seconds", "reachwire_loop_age_seconds"] {
        assert!(families.contains(name), "{name}");
    }
    assert!(page.contains("route=\"/healthz\""), "{page}");
    let refused = async || {
        let page = app.page("/metrics", "").await.text;
        let lines = page.lines().map(str::to_string).collect::<Vec<_>>();
        let line = lines.iter().find(|line| line.starts_with("reachwire_receipt_requests_total{status=\"401\"}"));
        sample(line.unwrap()).2
    };
    let before = refused().await;
    assert_eq!(app.post(crate::wire::receipt::PATH, "", "[]").await.status, 401);
    assert!(refused().await > before);
});

/// The expressions of a dashboard, wherever they stand in it.
fn expressions(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if name == "expr" || name == "definition" => found.push(text.into()),
                    _ => expressions(value, found),
                }
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_what_there_is() {
    let dashboard = std::fs::read_to_string(root().join("docs/grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    let ids: Vec<i64> =
        dashboard["panels"].as_array().unwrap().iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "each panel has an id of its own");
    let mut asked = Vec::new();
    expressions(&dashboard, &mut asked);
    let operations = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    for text in asked.iter().chain([&operations]) {
        for name in named(text) {
            assert!(known(name).is_some(), "{name} is not described: {text}");
        }
        assert!(!named(text).is_empty(), "{text}");
    }
    let shown: BTreeSet<&str> = asked.iter().flat_map(|text| named(text)).collect();
    let hidden: Vec<_> = ALL.iter().filter(|metric| !shown.contains(metric.name)).map(|metric| metric.name).collect();
    assert!(hidden.is_empty(), "whoever operates it sees them all: {hidden:?}");
}
