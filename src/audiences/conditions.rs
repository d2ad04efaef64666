//! The editor of conditions: a row for each, and the exact number of customers while one edits.
//!
//! Every row keeps its place, so that what the server says of `rules[2]` finds its row; rows that are left blank do
//! not count, which is also how a row is removed. Without the wasm there are a few rows, and Count loads the page again
//! with what was typed and the number.

use super::{
    api::count_conditions,
    rules::{Condition, Op, RULES_MAX},
};
use crate::{
    customers::model::{Tag, TagKind},
    error::{AppError, FieldError},
    ui::{Button, CellError, Glyph, Select, SelectOption, TextInput, form_rows, format, query::Query},
};
use leptos::prelude::*;
use std::time::Duration;

/// How long one has to stop typing before the customers are counted.
const PAUSE: Duration = Duration::from_millis(400);
/// Rows that are there to be filled in.
const ROWS: usize = 3;

/// A row as it is edited.
#[derive(Clone, Copy)]
struct Row {
    tag: RwSignal<String>,
    op: RwSignal<String>,
    values: [RwSignal<String>; 2],
}

impl Row {
    fn new(condition: Condition) -> Self {
        let mut values = condition.values.into_iter();
        let op = if condition.op.is_empty() { Op::Is.code().to_string() } else { condition.op };
        Self {
            tag: RwSignal::new(condition.tag),
            op: RwSignal::new(op),
            values: [0, 1].map(|_| RwSignal::new(values.next().unwrap_or_default())),
        }
    }

    fn condition(self) -> Condition {
        Condition { tag: self.tag.get(), op: self.op.get(), values: self.values.map(|value| value.get()).to_vec() }
    }

    fn clear(self) {
        self.tag.set(String::new());
        self.values.iter().for_each(|value| value.set(String::new()));
    }
}

/// The conditions that an address holds, as Count sends them.
pub fn from_query(query: &Query) -> Vec<Condition> {
    let read = |place: usize| {
        let text = |name: &str| query.text(&format!("rules[{place}]{name}"));
        Condition { tag: text("[tag]"), op: text("[op]"), values: vec![text("[values][0]"), text("[values][1]")] }
    };
    let mut all: Vec<Condition> = (0..RULES_MAX).map(read).collect();
    while all.last().is_some_and(|last| last.tag.is_empty()) {
        all.pop();
    }
    all
}

/// The rows and the number. `count_at` is the address that Count loads without the wasm; `counted` what it found.
#[component]
pub fn Conditions(
    tags: Vec<Tag>,
    initial: Vec<Condition>,
    errors: Signal<Vec<FieldError>>,
    #[prop(into)] count_at: String,
    counted: Option<Result<i64, AppError>>,
) -> impl IntoView {
    let mut first: Vec<Row> = initial.into_iter().map(Row::new).collect();
    first.resize_with(first.len().max(ROWS), || Row::new(Condition::default()));
    let rows = RwSignal::new(first);
    let tags = StoredValue::new(tags);
    let typed = Memo::new(move |_| rows.get().into_iter().map(Row::condition).collect::<Vec<Condition>>());
    let is_blank = move || typed.with(|typed| typed.iter().all(|condition| condition.tag.is_empty()));
    let count = Action::new(|typed: &Vec<Condition>| count_conditions(typed.clone()));
    let last = RwSignal::new(counted);
    // In the browser: after a pause in typing. What the page came with is counted already.
    Effect::new(move |before: Option<Vec<Condition>>| {
        let now = typed.get();
        let changed = before.is_some_and(|before| before != now);
        if changed && !is_blank() {
            let asked = now.clone();
            if let Ok(timer) = set_timeout_with_handle(move || drop(count.dispatch(asked)), PAUSE) {
                on_cleanup(move || timer.clear());
            }
        }
        now
    });
    let size = move || {
        if is_blank() {
            return "Everybody is left out until there is a condition.".to_string();
        }
        if count.pending().get() {
            return "Counting…".to_string();
        }
        match count.value().get().or_else(|| last.get()) {
            Some(Ok(size)) => format::counted(size, "customer"),
            Some(Err(AppError::Invalid(_))) => {
                "Complete the conditions to see how many customers they hold for.".into()
            }
            Some(Err(error)) => error.to_string(),
            None => String::new(),
        }
    };
    let add = move || rows.update(|rows| rows.push(Row::new(Condition::default())));
    let full = Signal::derive(move || rows.with(Vec::len) >= RULES_MAX);
    view! {
        <div role="group" aria-label="Conditions" class="fields">
            {form_rows(rows, move |row, place| view! { <ConditionRow place row tags errors /> }.into_any())}
            <CellError name="rules" errors />
            <div class="actions">
                <Button label="Add condition" icon=Glyph::Plus disabled=full on_click=move |()| add() />
                <button
                    type="submit"
                    class="btn"
                    formmethod="get"
                    formaction=count_at
                    formnovalidate=true
                    on:click=move |event| {
                        event.prevent_default();
                        last.set(None);
                        count.dispatch(typed.get_untracked());
                    }
                >
                    "Count"
                </button>
                <output class="quiet" aria-live="polite">{size}</output>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn ConditionRow(place: usize, row: Row, tags: StoredValue<Vec<Tag>>, errors: Signal<Vec<FieldError>>) -> impl IntoView {
    let name = move |part: &str| format!("rules[{place}]{part}");
    let number = place + 1;
    let kind = Memo::new(move |_| {
        row.tag.with(|tag| tags.with_value(|tags| tags.iter().find(|known| known.name == *tag).map(|known| known.kind)))
    });
    let options = tags.with_value(|tags| {
        tags.iter()
            .map(|tag| SelectOption::new(&tag.name, format!("{} ({})", tag.name, tag.kind.label())))
            .collect::<Vec<_>>()
    });
    let ops = Signal::derive(move || {
        let ops = kind.get().map_or(Op::ALL.as_slice(), Op::of);
        ops.iter().map(|op| SelectOption::new(op.code(), op.label())).collect::<Vec<_>>()
    });
    let takes = move || match kind.get() {
        None => 2,
        Some(_) => Op::from_code(&row.op.get()).map_or(1, Op::values),
    };
    let choose = move |tag: String| {
        row.tag.set(tag);
        let fits =
            kind.get_untracked().is_none_or(|kind| Op::of(kind).iter().any(|op| op.code() == row.op.get_untracked()));
        if !fits {
            row.op.set(Op::Is.code().into());
        }
    };
    let value = move |nth: usize| {
        let name = name(&format!("[values][{nth}]"));
        let label = format!("{} of condition {number}", if nth == 0 { "Value" } else { "Second value" });
        let hidden = move || takes() <= nth;
        view! {
            <div class="field" hidden=hidden>
                {move || value_input(kind.get(), name.clone(), label.clone(), row.values[nth], errors)}
                <CellError name=self::name_of(place, &format!("[values][{nth}]")) errors />
            </div>
        }
    };
    view! {
        <div class="row-fields">
            <div class="field">
                <Select
                    name=name("[tag]")
                    options
                    selected=row.tag
                    prompt="Choose a tag"
                    aria_label=format!("Tag of condition {number}")
                    errors
                    on_input=choose
                />
                <CellError name=name("[tag]") errors />
            </div>
            <div class="field">
                <Select
                    name=name("[op]")
                    options=ops
                    selected=row.op
                    aria_label=format!("Comparison of condition {number}")
                    errors
                    on_input=move |op| row.op.set(op)
                />
                <CellError name=name("[op]") errors />
            </div>
            {value(0)}
            {value(1)}
            <div>
                <button
                    type="button"
                    class="btn bare"
                    aria-label=format!("Clear condition {number}")
                    on:click=move |_| row.clear()
                >
                    "Clear"
                </button>
            </div>
        </div>
    }
    .into_any()
}

fn name_of(place: usize, part: &str) -> String {
    format!("rules[{place}]{part}")
}

/// An input that fits the kind of the tag.
fn value_input(
    kind: Option<TagKind>,
    name: String,
    label: String,
    value: RwSignal<String>,
    errors: Signal<Vec<FieldError>>,
) -> AnyView {
    let on_input = move |text: String| value.set(text);
    if kind == Some(TagKind::Boolean) {
        let options = vec![SelectOption::new("yes", "Yes"), SelectOption::new("no", "No")];
        return view! { <Select name options selected=value prompt="Yes or no" aria_label=label errors on_input /> }
            .into_any();
    }
    let (type_, inputmode) = match kind {
        Some(TagKind::Date) => ("date", ""),
        Some(TagKind::Number) => ("text", "decimal"),
        _ => ("text", ""),
    };
    view! { <TextInput name type_ inputmode value placeholder="Value" aria_label=label errors on_input /> }.into_any()
}
