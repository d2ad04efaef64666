//! Something over time.

use std::collections::BTreeMap;

use leptos::prelude::*;

use super::scale::{moments, ticks};
use crate::ui::badge::Tone;
use crate::ui::format::{compact, count};
use crate::ui::table::TableWrap;
use crate::ui::time::{self, Form};

/// The plot's own width; its height is 100. The drawing is stretched, the lines and the text are not.
const WIDTH: f64 = 1000.0;

/// One line of a chart: moments (unix ms) and values, in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    pub name: String,
    pub tone: Tone,
    pub points: Vec<(i64, f64)>,
}

impl Series {
    pub fn new(name: impl Into<String>, tone: Tone, points: Vec<(i64, f64)>) -> Self {
        Self { name: name.into(), tone, points }
    }
}

/// Where moments and values lie in the plot.
#[derive(Clone, Copy)]
struct Frame {
    first: i64,
    last: i64,
    top: f64,
}

impl Frame {
    fn x(&self, ms: i64) -> f64 {
        match self.last - self.first {
            0 => WIDTH / 2.0,
            span => (ms - self.first) as f64 / span as f64 * WIDTH,
        }
    }

    fn y(&self, value: f64) -> f64 {
        100.0 - (value / self.top * 100.0).clamp(0.0, 100.0)
    }

    fn path(&self, points: &[(i64, f64)]) -> String {
        let at = |(ms, value): &(i64, f64)| format!("{:.1},{:.2}", self.x(*ms), self.y(*value));
        points.iter().map(at).collect::<Vec<_>>().join(" ")
    }

    fn line(&self, series: &Series, filled: bool) -> AnyView {
        let class = series.tone.chart_class();
        match series.points.as_slice() {
            [] => ().into_any(),
            // One moment has no line: a dot, which is a line without length and with round ends.
            [(ms, value)] => {
                let d = format!("M{:.1} {:.2}h0", self.x(*ms), self.y(*value));
                view! { <path class=format!("dot {class}") d=d vector-effect="non-scaling-stroke"></path> }.into_any()
            }
            points => {
                let path = self.path(points);
                let (start, end) = (points.first().map(|p| self.x(p.0)), points.last().map(|p| self.x(p.0)));
                let area = format!("{:.1},100 {path} {:.1},100", start.unwrap_or(0.0), end.unwrap_or(WIDTH));
                let area = filled.then(|| view! { <polygon class=format!("area {class}") points=area></polygon> });
                view! {
                    {area}
                    <polyline class=format!("line {class}") points=path vector-effect="non-scaling-stroke"></polyline>
                }
                .into_any()
            }
        }
    }
}

/// A value for reading: grouped when whole.
fn value_text(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 9e15 { count(value as i64) } else { format!("{value:.2}") }
}

/// The rows behind the lines: moment, and each series' value at it.
fn rows(series: &[Series]) -> BTreeMap<i64, Vec<String>> {
    let mut rows: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for (index, one) in series.iter().enumerate() {
        for (ms, value) in &one.points {
            let row = rows.entry(*ms).or_insert_with(|| vec!["–".to_string(); series.len()]);
            if let Some(cell) = row.get_mut(index) {
                *cell = value_text(*value);
            }
        }
    }
    rows
}

/// Lines over time with a table behind. `label` says what is drawn ("Users per second"); `empty` what to say while
/// there is nothing. The first series is filled.
#[component]
pub fn LineChart(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    series: Vec<Series>,
    #[prop(default = "Nothing to draw yet.".into(), into)] empty: String,
) -> impl IntoView {
    let rows = rows(&series);
    let (Some(first), Some(last)) = (rows.keys().next().copied(), rows.keys().next_back().copied()) else {
        return view! { <p class="quiet chart-empty">{empty}</p> }.into_any();
    };
    let zone = time::user_zone();
    let zone = zone.as_deref();
    let ticks = ticks(series.iter().flat_map(|one| &one.points).map(|point| point.1).fold(0.0, f64::max));
    let frame = Frame { first, last, top: ticks.last().copied().unwrap_or(1.0) };
    let grid = ticks.iter().map(|tick| {
        let y = format!("{:.2}%", frame.y(*tick));
        view! { <line x1="0" x2="100%" y1=y.clone() y2=y></line> }
    });
    let grid = grid.collect_view();
    let lines = series.iter().enumerate().map(|(index, one)| frame.line(one, index == 0)).collect_view();
    let moment = |ms: i64| time::text(ms, zone, Form::Full);
    let hits = hits(frame, &rows, &series, moment);
    let up = ticks.iter().rev().map(|tick| view! { <span>{compact(*tick)}</span> }).collect_view();
    let along = moments(first, last, zone).into_iter().map(|text| view! { <span>{text}</span> }).collect_view();
    let legend = series.iter().map(|one| {
        view! { <li><i class=format!("swatch {}", one.tone.chart_class())></i>{one.name.clone()}</li> }
    });
    let legend = legend.collect_view();
    let heads = series.iter().map(|one| view! { <th scope="col" class="num">{one.name.clone()}</th> }).collect_view();
    let body = rows.into_iter().map(|(ms, values)| {
        let cells = values.into_iter().map(|value| view! { <td class="num">{value}</td> }).collect_view();
        view! { <tr><th scope="row">{moment(ms)}</th>{cells}</tr> }
    });
    let body = body.collect_view();
    let table_label = format!("{label}, as table");
    view! {
        <figure class="chart" id=id>
            <ul class="legend">{legend}</ul>
            <div class="plot">
                <div class="up" aria-hidden="true">{up}</div>
                <svg class="canvas" role="img" aria-label=label>
                    <g class="grid-lines">{grid}</g>
                    <svg viewBox=format!("0 0 {WIDTH} 100") preserveAspectRatio="none" width="100%" height="100%">
                        {lines}
                        {hits}
                    </svg>
                </svg>
                <div class="along" aria-hidden="true">{along}</div>
            </div>
            <details class="as-table">
                <summary>"Show as table"</summary>
                <TableWrap label=table_label>
                    <table>
                        <thead>
                            <tr><th scope="col">"Time"</th>{heads}</tr>
                        </thead>
                        <tbody>{body}</tbody>
                    </table>
                </TableWrap>
            </details>
        </figure>
    }
    .into_any()
}

/// Columns to point at: each shows its moment and values on hover.
fn hits(frame: Frame, rows: &BTreeMap<i64, Vec<String>>, series: &[Series], moment: impl Fn(i64) -> String) -> AnyView {
    let at: Vec<f64> = rows.keys().map(|ms| frame.x(*ms)).collect();
    let edges = |index: usize| {
        let here = at.get(index).copied().unwrap_or_default();
        let left = index.checked_sub(1).and_then(|i| at.get(i)).map_or(0.0, |before| (before + here) / 2.0);
        let right = at.get(index + 1).map_or(WIDTH, |after| (after + here) / 2.0);
        (left, right - left)
    };
    let column = |(index, (ms, values)): (usize, (&i64, &Vec<String>))| {
        let (x, width) = edges(index);
        let named = series.iter().zip(values).map(|(one, value)| format!("{}: {value}", one.name));
        let text = format!("{}\n{}", moment(*ms), named.collect::<Vec<_>>().join("\n"));
        view! {
            <rect class="hit" x=format!("{x:.1}") width=format!("{width:.1}") height="100"><title>{text}</title></rect>
        }
    };
    rows.iter().enumerate().map(column).collect_view().into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_join_the_series_by_moment() {
        let series =
            [Series::new("a", Tone::Run, vec![(1, 1.0), (2, 2000.0)]), Series::new("b", Tone::Bad, vec![(2, 0.5)])];
        let rows = rows(&series);
        assert_eq!(rows[&1], ["1", "–"]);
        assert_eq!(rows[&2], ["2,000", "0.50"]);
    }

    #[test]
    fn one_moment_lies_in_the_middle_and_values_stay_inside() {
        let frame = Frame { first: 7, last: 7, top: 10.0 };
        assert_eq!(frame.x(7), 500.0);
        assert_eq!(frame.y(20.0), 0.0);
        assert_eq!(frame.y(-1.0), 100.0);
    }
}
