//! What moves on a task's page: progress, funnel, results over time.

use super::{
    super::model::{Held, TaskDetail, TaskLive},
    unknown,
};
use crate::{
    access::{
        model::{Area, Permission},
        reader_may,
    },
    delivery::model::{Progress as Counters, STOPPED, SendState},
    tasks::list::decided,
    ui::{
        Donut, Funnel, FunnelStep, LineChart, Note, Panel, Progress, Series, Slice, Tile, Tiles, Tone,
        format::{about_ms, count, counted, duration_ms, percent, rate},
    },
    webhooks::health::health,
};
use leptos::prelude::*;

/// What may be done about a task that missed its time.
const MISSED: &str = " Send it now, give it another time, stop it or delete it.";
/// Points of the line chart at the most.
const POINTS: i64 = 120;

/// The bar and the counters.
#[component]
pub fn Live(live: RwSignal<TaskLive>, detail: TaskDetail) -> impl IntoView {
    let counters = Memo::new(move |_| live.read().progress.clone());
    let parts = Signal::derive(move || decided(&counters.read()));
    let total = Signal::derive(move || counters.read().total());
    let sending = move || counters.read().state == SendState::Sending;
    let caption = Signal::derive(move || {
        let now = counters.get();
        let decided = now.accepted + now.failed + now.skipped;
        format!("{} of {} decided", count(decided), count(total.get()))
    });
    let pace = Signal::derive(move || {
        if sending() && live.read().held.is_none() { rate(live.read().rate, "users") } else { String::new() }
    });
    let left = Signal::derive(move || {
        let live = live.read();
        let left =
            live.progress.left(live.rate).filter(|_| live.progress.state == SendState::Sending && live.held.is_none());
        left.map_or_else(String::new, |ms| format!("{} left", about_ms(ms)))
    });
    let receipts = detail.receipts_enabled;
    let tiles = Signal::derive(move || tiles(&counters.read(), live.read().now, receipts));
    let error = move || {
        let now = counters.read();
        let missed = now.state == SendState::Missed;
        let (tone, way_on) = if missed { (Tone::Warn, MISSED) } else { (Tone::Bad, "") };
        now.error.clone().map(|text| view! { <Note tone><p>{text} {way_on}</p></Note> })
    };
    let unknown = move || unknown::note(&counters.read());
    let held = Memo::new(move |_| live.read().held.clone());
    let webhook = format!("/webhooks/{}", detail.webhook_id);
    let held = move || held.get().map(|held| waits(held, webhook.clone()));
    view! {
        <Panel>
            {error}
            {held}
            {unknown}
            <Progress parts total label="Users decided" caption rate=pace left />
            <Tiles items=tiles />
        </Panel>
    }
    .into_any()
}

/// Why nothing moves.
fn waits(held: Held, href: String) -> AnyView {
    let webhook = |text: &'static str| view! { <a href=href>{text}</a> };
    match held {
        Held::Disabled => view! {
            <Note tone=Tone::Warn>
                <p>{webhook("The webhook")} " is disabled: nothing is sent until somebody enables it."</p>
            </Note>
        }
        .into_any(),
        Held::Ill(standing) => view! {
            <Note tone=Tone::Warn>
                <p>"Nothing is sent to " {webhook("the webhook")} " at present: " {health(standing)}</p>
            </Note>
        }
        .into_any(),
    }
}

fn tiles(now: &Counters, at: i64, receipts: bool) -> Vec<Tile> {
    let sent = now.accepted + now.failed + now.unknown;
    let tone = |users: i64, tone: Tone| if users > 0 { tone } else { Tone::Neutral };
    let mut tiles = vec![
        Tile::new("Sent", count(sent)),
        Tile::new("Accepted", count(now.accepted)).note(percent(now.accepted, sent)),
        Tile::new("Failed", count(now.failed)).tone(tone(now.failed, Tone::Bad)),
        Tile::new("Skipped", count(now.skipped)),
        Tile::new("Unknown", count(now.unknown)).tone(tone(now.unknown, Tone::Odd)),
        Tile::new("Waiting", count(now.waiting())),
    ];
    // Known when the task has begun.
    if let Some(until) = now.receipts_until.filter(|_| receipts && now.started_at.is_some()) {
        let left = if until > at { duration_ms(until - at) } else { "closed".into() };
        tiles.push(Tile::new("Receipts still for", left));
    }
    tiles
}

/// The funnel, the receipts and the line.
#[component]
pub fn Results(live: RwSignal<TaskLive>, detail: TaskDetail) -> impl IntoView {
    let statuses = StoredValue::new(detail.statuses.clone());
    let steps = Signal::derive(move || statuses.with_value(|statuses| steps(&live.read(), statuses)));
    let receipts_enabled = detail.receipts_enabled;
    let webhook = StoredValue::new(detail.webhook_id.clone());
    let line = move || {
        let series = live.read().series.clone();
        let (accepted, failed) = coalesce(&series);
        view! {
            <LineChart
                id="over-time"
                label="Users per second"
                series=vec![Series::new("accepted", Tone::Run, accepted), Series::new("failed", Tone::Bad, failed)]
                empty="Nothing has been sent yet."
            />
        }
    };
    let receipts = move || {
        receipts_enabled.then(|| {
            let slices = statuses.with_value(|statuses| slices(&live.read(), statuses));
            let refused = not_taken(live.read().not_taken, &webhook.read_value());
            view! {
                <Panel title="Receipts">
                    <div class="grid">
                        <Donut label="Receipts" slices />
                        {refused}
                    </div>
                </Panel>
            }
        })
    };
    view! {
        <div class="grid">
            <Panel title="From audience to receipt"><Funnel steps /></Panel>
            <Panel title="Users per second">{line}</Panel>
            {receipts}
        </div>
    }
    .into_any()
}

/// That some receipts are missing above, and where they stand.
fn not_taken(receipts: i64, webhook: &str) -> Option<AnyView> {
    let text = format!("{} of this task could not be taken.", counted(receipts, "receipt"));
    let href = format!("/webhooks/{webhook}");
    let link = reader_may(Permission::View(Area::WebhookManagement))
        .then(|| view! { <a href=href>"See “Receipts that were not taken” on the webhook's page"</a> });
    (receipts > 0).then(|| view! { <Note tone=Tone::Warn><p>{text} " " {link}</p></Note> }.into_any())
}

fn named(code: &str, statuses: &[(String, String)]) -> String {
    statuses.iter().find(|(known, _)| known == code).map_or_else(|| code.to_string(), |(_, value)| value.clone())
}

fn because(live: &TaskLive, outcome: &str) -> String {
    let reasons = live.reasons.iter().filter(|reason| reason.outcome == outcome && reason.reason != STOPPED);
    reasons.map(|reason| format!("{} {}", count(reason.users), reason.reason)).collect::<Vec<_>>().join(", ")
}

fn steps(live: &TaskLive, statuses: &[(String, String)]) -> Vec<FunnelStep> {
    let now = &live.progress;
    let sent = now.accepted + now.failed + now.unknown;
    // Those whom a stop left out were eligible.
    let stopped =
        live.reasons.iter().filter(|reason| (reason.outcome.as_str(), reason.reason.as_str()) == ("skipped", STOPPED));
    let stopped: i64 = stopped.map(|reason| reason.users).sum();
    let eligible = now.planned - now.skipped + stopped;
    let lost = |users: i64, what: &str, why: String| match (users, why.is_empty()) {
        (0, _) => String::new(),
        (users, true) => format!("{} {what}", count(users)),
        (users, false) => format!("{} {what}: {why}", count(users)),
    };
    let audience = now.audience.max(now.planned);
    let of_nobody = |why: &str| vec![FunnelStep::new("Audience", audience, why)];
    match now.state {
        SendState::Scheduled | SendState::Missed if now.planned == 0 => {
            return of_nobody("who is eligible is counted when the task begins");
        }
        SendState::Stopped | SendState::Failed if now.batches == 0 => return of_nobody("nobody was looked at"),
        _ => {}
    }
    let left_out = if now.state == SendState::Failed { "left out" } else { "stopped" };
    let not_sent = [lost(now.waiting(), "waiting", String::new()), lost(stopped, left_out, String::new())];
    let not_sent = not_sent.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
    let mut steps = vec![
        FunnelStep::new("Audience", audience, ""),
        FunnelStep::new("Eligible", eligible, lost(now.skipped - stopped, "skipped", because(live, "skipped"))),
        FunnelStep::new("Sent", sent, not_sent),
        FunnelStep::new("Accepted", now.accepted, lost(now.failed, "failed", because(live, "failed"))),
    ];
    for (code, users) in &live.receipts {
        steps.push(FunnelStep::new(format!("Receipt: {}", named(code, statuses)), *users, ""));
    }
    steps
}

fn slices(live: &TaskLive, statuses: &[(String, String)]) -> Vec<Slice> {
    const TONES: [Tone; 5] = [Tone::Ok, Tone::Bad, Tone::Run, Tone::Warn, Tone::Odd];
    let known: i64 = live.receipts.iter().map(|(_, users)| users).sum();
    let place = |code: &str| statuses.iter().position(|(known, _)| known == code).unwrap_or(TONES.len() - 1);
    let mut slices: Vec<Slice> = live
        .receipts
        .iter()
        .map(|(code, users)| Slice::new(named(code, statuses), *users, TONES[place(code).min(TONES.len() - 1)]))
        .collect();
    let over = live.progress.receipts_until.is_some_and(|until| until <= live.now);
    slices.push(Slice::new(
        if over { "None" } else { "None yet" },
        (live.progress.accepted - known).max(0),
        Tone::Neutral,
    ));
    slices
}

/// A line of users per second (unix ms, value).
type Line = Vec<(i64, f64)>;

/// Accepted and failed users per second, seconds put together so that at most [`POINTS`] remain; seconds in which
/// nothing happened are zeros.
fn coalesce(series: &[crate::delivery::model::SeriesPoint]) -> (Line, Line) {
    let (Some(first), Some(last)) = (series.first(), series.last()) else { return (vec![], vec![]) };
    let width = (last.second - first.second) / POINTS + 1;
    let buckets = (last.second - first.second) / width + 1;
    let mut sums = vec![(0_i64, 0_i64); buckets as usize];
    for point in series {
        let place = ((point.second - first.second) / width) as usize;
        if let Some(sum) = sums.get_mut(place) {
            *sum = (sum.0 + point.accepted, sum.1 + point.failed);
        }
    }
    let at = |place: usize| (first.second + place as i64 * width) * 1000;
    let line = |value: fn(&(i64, i64)) -> i64| {
        sums.iter().enumerate().map(|(place, sum)| (at(place), value(sum) as f64 / width as f64)).collect()
    };
    (line(|sum| sum.0), line(|sum| sum.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::model::{ReasonCount, SeriesPoint};

    #[test]
    fn seconds_are_put_together_without_losing_users() {
        let point = |second, accepted| SeriesPoint { second, accepted, failed: 1 };
        let (accepted, failed) = coalesce(&[point(100, 5), point(102, 7)]);
        assert_eq!(accepted, [(100_000, 5.0), (101_000, 0.0), (102_000, 7.0)]);
        assert_eq!(failed.len(), 3);
        let long: Vec<_> = (0..1_000).map(|second| point(second, 2)).collect();
        let (accepted, _) = coalesce(&long);
        assert!(accepted.len() as i64 <= POINTS);
        let width = (accepted[1].0 - accepted[0].0) as f64 / 1000.0;
        let users: f64 = accepted.iter().map(|(_, value)| value * width).sum();
        assert!((users - 2_000.0).abs() < 1e-6);
        assert_eq!(coalesce(&[]), (vec![], vec![]));
    }

    /// Of 100 users 90 are planned and 10 of them have no ID; 30 were accepted and 5 failed.
    fn live(state: SendState, batches: i64, stopped: i64) -> TaskLive {
        let reason =
            |outcome: &str, reason: &str, users| ReasonCount { outcome: outcome.into(), reason: reason.into(), users };
        let mut reasons = vec![reason("skipped", "no EMAIL", 10), reason("failed", "HTTP 400", 5)];
        if stopped > 0 {
            reasons.push(reason("skipped", STOPPED, stopped));
        }
        TaskLive {
            progress: Counters {
                state,
                audience: 100,
                planned: 90,
                planning_done: true,
                accepted: 30,
                failed: 5,
                skipped: 10 + stopped,
                unknown: 0,
                batches,
                error: None,
                due_at: 0,
                started_at: None,
                finished_at: None,
                receipts_until: None,
                emptied_at: None,
            },
            reasons,
            receipts: vec![],
            not_taken: 0,
            series: vec![],
            rate: 0.0,
            now: 0,
            held: None,
        }
    }

    fn told(live: &TaskLive) -> Vec<(String, i64, String)> {
        steps(live, &[]).into_iter().map(|step| (step.label, step.value, step.note)).collect()
    }

    fn step(label: &str, value: i64, note: &str) -> (String, i64, String) {
        (label.into(), value, note.into())
    }

    #[test]
    fn who_waits_and_who_was_stopped_is_eligible() {
        let eligible = step("Eligible", 80, "10 skipped: 10 no EMAIL");
        let accepted = step("Accepted", 30, "5 failed: 5 HTTP 400");
        for (state, stopped, note) in [
            (SendState::Sending, 0, "45 waiting"),
            (SendState::Stopped, 45, "45 stopped"),
            (SendState::Stopped, 40, "5 waiting, 40 stopped"),
            (SendState::Failed, 45, "45 left out"),
        ] {
            let wanted = [step("Audience", 100, ""), eligible.clone(), step("Sent", 35, note), accepted.clone()];
            assert_eq!(told(&live(state, 9, stopped)), wanted);
        }
    }

    #[test]
    fn of_whom_nobody_looked_at_nothing_is_said() {
        let mut begins = live(SendState::Scheduled, 0, 0);
        begins.progress.planned = 0;
        assert_eq!(told(&begins), [step("Audience", 100, "who is eligible is counted when the task begins")]);
        for state in [SendState::Stopped, SendState::Failed] {
            assert_eq!(told(&live(state, 0, 90)), [step("Audience", 100, "nobody was looked at")]);
        }
    }
}
