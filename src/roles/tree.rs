//! The permission tree: the navigation, with what a role allows of each entry.

use super::model::{Level, area_label};
use crate::{
    access::model::{Area, Permissions},
    error::FieldError,
    ui::{Badge, CellError, Choice, SelectOption, Tone},
};
use leptos::prelude::*;

/// The tree to choose in, or to look at.
fn tree(entry: &dyn Fn(Area) -> AnyView) -> AnyView {
    view! { <div class="tree">{branch(&Area::ALL, 0, entry)}</div> }.into_any()
}

/// The entries of one branch. Those below the same heading are a group of their own.
fn branch(areas: &[Area], depth: usize, entry: &dyn Fn(Area) -> AnyView) -> AnyView {
    let heading = |area: &Area| (area.path().len() > depth + 1).then(|| area.path()[depth]);
    let part = |areas: &[Area]| match areas.first().and_then(heading) {
        Some(heading) => view! {
            <fieldset>
                <legend>{heading}</legend>
                {branch(areas, depth + 1, entry)}
            </fieldset>
        }
        .into_any(),
        None => areas.iter().copied().map(entry).collect_view().into_any(),
    };
    areas.chunk_by(|one, next| heading(one) == heading(next)).map(part).collect_view().into_any()
}

/// An entry's name, and what has to be known of it.
fn name(area: Area) -> AnyView {
    let hint = match area {
        Area::ReachWebhook => {
            "View sees webhook tasks, Manage creates and submits them. To use one webhook, members who are no administrators also need a grant of it."
        }
        Area::WebhookManagement => "Manage includes granting webhooks.",
        Area::MemberGroups => "Who joins a group uses the webhooks that are granted to it.",
        _ => "",
    };
    let label = match area {
        // As the seeds call it, to be found.
        Area::ReachWebhook => area_label(area),
        other => other.path().last().copied().unwrap_or_default().to_string(),
    };
    view! {
        <div>
            <span class="name">{label}</span>
            {(!hint.is_empty()).then(|| view! { <small class="block">{hint}</small> })}
        </div>
    }
    .into_any()
}

/// What `permissions` hold, to read.
pub fn shown(permissions: Permissions) -> AnyView {
    tree(&move |area| {
        let level = Level::of(permissions, area);
        let tone = match level {
            Level::None => Tone::Neutral,
            Level::View => Tone::Run,
            Level::Manage => Tone::Ok,
        };
        view! { <div class="entry">{name(area)} <Badge tone text=level.label() /></div> }.into_any()
    })
}

/// The inputs `input[levels][…]`, which start from `start`. What the reader does not have is greyed; `on_change` is
/// told what was chosen.
pub fn inputs(
    start: Permissions,
    own: Permissions,
    errors: Signal<Vec<FieldError>>,
    on_change: Callback<(Area, Level)>,
) -> AnyView {
    tree(&move |area| {
        let field = format!("input[levels][{}]", area.code());
        let option =
            |level: Level| SelectOption::new(level.code(), level.label()).disabled(level > Level::of(own, area));
        let options = Level::of_area(area).into_iter().map(option).collect();
        let chosen = move |code: String| {
            if let Some(level) = Level::from_code(&code) {
                on_change.run((area, level));
            }
        };
        view! {
            <div class="entry">
                {name(area)}
                <div>
                    <Choice
                        name=field.clone()
                        options
                        selected=Level::of(start, area).code()
                        aria_label=area_label(area)
                        errors
                        on_input=Callback::new(chosen)
                    />
                    <CellError name=field errors />
                </div>
            </div>
        }
        .into_any()
    })
}
