//! Charts with much, with little and with nothing.

use leptos::prelude::*;

use super::NOW;
use crate::ui::{Donut, Funnel, FunnelStep, LineChart, Panel, Series, Slice, StackedBar, Tone};

fn over_time(tone: Tone, name: &str, values: &[i64]) -> Series {
    let at = |(index, value): (i64, &i64)| (NOW + index * 20_000, *value as f64);
    Series::new(name, tone, (0..).zip(values).map(at).collect())
}

/// Every chart.
#[component]
pub fn ChartsSection() -> impl IntoView {
    let accepted = [0, 40, 120, 180, 210, 214, 209, 216, 212, 205, 211, 214, 190, 120, 60].map(|n| n * 1000);
    let failed = [0, 1, 3, 4, 5, 20, 44, 30, 8, 4, 3, 3, 2, 1, 0].map(|n| n * 1000);
    let series = vec![over_time(Tone::Run, "accepted", &accepted), over_time(Tone::Bad, "failed", &failed)];
    let steps = vec![
        FunnelStep::new("Audience", 23_570, ""),
        FunnelStep::new("Eligible", 23_412, "158 skipped: 120 no OPEN_ID, 38 empty ${city}"),
        FunnelStep::new("Sent", 18_200, "5,212 waiting"),
        FunnelStep::new("Accepted", 18_104, "96 refused: 60 BUDGET_EMPTY, 36 timed out"),
        FunnelStep::new("Receipt: Success", 15_877, "2,131 not yet, 96 Failed"),
    ];
    let outcomes = vec![
        Slice::new("Accepted", 18_104, Tone::Ok),
        Slice::new("Waiting", 5_212, Tone::Warn),
        Slice::new("Failed", 96, Tone::Bad),
        Slice::new("Skipped", 158, Tone::Neutral),
        Slice::new("Unknown", 0, Tone::Odd),
    ];
    view! {
        <Panel title="Users per second">
            <LineChart id="gallery-line" label="Users per second" series/>
        </Panel>
        <div class="grid halves">
            <Panel title="From audience to receipt"><Funnel steps/></Panel>
            <Panel title="Outcomes">
                <div class="grid">
                    <Donut label="Outcomes" slices=outcomes.clone()/>
                    <StackedBar label="Outcomes in one bar" slices=outcomes/>
                </div>
            </Panel>
        </div>
        <div class="grid halves">
            <Panel title="One moment">
                <LineChart id="gallery-dot" label="One moment" series=vec![over_time(Tone::Run, "sent", &[7])]/>
            </Panel>
            <Panel title="Nothing">
                <div class="grid">
                    <LineChart id="gallery-none" label="Nothing" series=Vec::new()/>
                    <LineChart id="gallery-zero" label="Zeros" series=vec![over_time(Tone::Run, "sent", &[0, 0, 0])]/>
                    <Donut label="No outcomes" slices=vec![Slice::new("Accepted", 0, Tone::Ok)]/>
                    <Funnel steps=vec![FunnelStep::new("Audience", 0, "")]/>
                </div>
            </Panel>
        </div>
    }
    .into_any()
}
