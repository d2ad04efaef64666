//! One audience: what it is made of, how many and who, editing and deleting it.

use super::{
    api::{AudienceView, DeleteAudience, Member, UpdateAudience, count_conditions, get_audience},
    conditions::{Conditions, from_query},
    form::NameField,
    model::Kind,
};
use crate::access::{
    model::{Area, Permission},
    reader_may,
};
use crate::{
    customers::{
        customer_href,
        list::{cell_class, short},
        model::{Tag, tag_text},
    },
    error::AppError,
    ui::{
        Button, Confirm, EmptyState, ErrorNote, Fact, Facts, FormErrors, LinkButton, Note, PageHeader, Panel, Scope,
        Skeleton, SubmitButton, TableWrap, Time, Tone, field_errors, format,
        query::{Query, use_query},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// Tags that have a column among the first customers.
const TAG_COLUMNS: usize = 6;

pub fn audience_page() -> AnyView {
    let scope = Scope::here();
    let (params, query) = (use_params_map(), use_query());
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let may = reader_may(Permission::Manage(Area::Audiences));
    let editing = Memo::new(move |_| may && query.with(|query| query.get("edit").is_some()));
    let asked = Memo::new(move |_| query.with(from_query));
    let update = ServerAction::<UpdateAudience>::new();
    let updated = Memo::new(move |_| matches!(update.value().get(), Some(Ok(()))).then(|| update.version().get()));
    let audience = Resource::new(
        move || (id.get(), asked.get(), updated.get()),
        |(id, asked, _)| async move {
            let counted = if asked.is_empty() { None } else { Some(count_conditions(asked).await) };
            get_audience(id).await.map(|view| (view, counted))
        },
    );
    let content = move || {
        let editing = editing.get();
        Suspend::new(async move {
            let loaded = audience.await;
            scope.show(move || match loaded {
                Ok((view, counted)) if editing => edit(view, update, query.get_untracked(), counted),
                Ok((view, _)) => page(view),
                Err(error) => view! {
                    <PageHeader title="Audience" crumbs=crumbs() />
                    <Panel><ErrorNote error /></Panel>
                }
                .into_any(),
            })
        })
    };
    view! { <Transition fallback=|| view! { <Skeleton rows=6 /> }>{content}</Transition> }.into_any()
}

fn crumbs() -> Vec<(&'static str, &'static str)> {
    vec![("Audiences", "/audiences")]
}

fn page(view: AudienceView) -> AnyView {
    let audience = view.audience.clone();
    let edit_at = format!("/audiences/{}?edit=1", audience.id);
    let definition = definition(&view);
    let unmatched = (audience.kind == Kind::List).then(|| {
        let download = (audience.unmatched > 0).then(|| {
            let href = format!("/audiences/{}/unmatched.csv", audience.id);
            view! { " " <a href=href rel="external">"Download"</a> }
        });
        view! { <Fact label="IDs that nobody has">{format::count(audience.unmatched)} {download}</Fact> }
    });
    let problem = view.problem.clone().map(|text| view! { <Note tone=Tone::Warn><p>{text}</p></Note> });
    let used_by =
        (!view.used_by.is_empty()).then(|| view! { <Fact label="Used by tasks">{view.used_by.join(", ")}</Fact> });
    let controls = reader_may(Permission::Manage(Area::Audiences)).then(|| {
        view! {
            <LinkButton href=edit_at label="Edit" />
            <Delete id=audience.id.clone() name=audience.name.clone() />
        }
    });
    view! {
        <PageHeader title=audience.name.clone() crumbs=crumbs()>
            {controls}
        </PageHeader>
        <div class="grid">
            {problem}
            <Panel title="Definition">
                <Facts>
                    <Fact label="Made of">{audience.kind.label()}</Fact>
                    {definition}
                    <Fact label="Size">{format::counted(audience.size, "customer")}</Fact>
                    {unmatched}
                    <Fact label="Updated"><Time ms=audience.updated_at now=view.now /></Fact>
                    {used_by}
                </Facts>
            </Panel>
            {members(view.members, view.tags, audience.size)}
        </div>
    }
    .into_any()
}

fn definition(view: &AudienceView) -> Option<AnyView> {
    let conditions: Vec<String> = view.audience.rules.conditions().map(ToString::to_string).collect();
    if conditions.is_empty() {
        return None;
    }
    let items = conditions.into_iter().map(|condition| view! { <li>{condition}</li> }).collect_view();
    Some(view! { <Fact label="Conditions, all of them"><ul>{items}</ul></Fact> }.into_any())
}

fn members(members: Vec<Member>, tags: Vec<Tag>, size: i64) -> AnyView {
    if members.is_empty() {
        return view! {
            <Panel title="Customers" padded=false>
                <EmptyState title="Nobody" text="No customer is in this audience now." />
            </Panel>
        }
        .into_any();
    }
    let tags: Vec<Tag> = tags.into_iter().take(TAG_COLUMNS).collect();
    let heads = tags
        .iter()
        .map(|tag| view! { <th scope="col" class=cell_class(tag.kind)>{tag.name.clone()}</th> })
        .collect_view();
    let title = format!("The first {} of {}", members.len(), format::counted(size, "customer"));
    let row = |member: Member| {
        let cell = |tag: &Tag| {
            let text = member.tags.get(&tag.name).and_then(tag_text).map_or("–".into(), |text| short(&text));
            view! { <td class=cell_class(tag.kind) data-label=tag.name.clone()>{text}</td> }
        };
        let cells = tags.iter().map(cell).collect_view();
        view! {
            <tr>
                <td><a class="title" href=customer_href(&member.customer_id)>{member.customer_id.clone()}</a></td>
                {cells}
            </tr>
        }
    };
    let rows = members.into_iter().map(row).collect_view();
    view! {
        <Panel title padded=false>
            <TableWrap label="Customers of the audience">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"Customer ID"</th>
                            {heads}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
    }
    .into_any()
}

#[component]
fn Delete(id: String, name: String) -> impl IntoView {
    let delete = ServerAction::<DeleteAudience>::new();
    let error = Signal::derive(move || delete.value().get().and_then(Result::err));
    view! {
        <Button label="Delete" danger=true opens="delete-audience" />
        <Confirm
            id="delete-audience"
            title="Delete audience"
            text=format!("“{name}” is deleted. Its customers stay, and finished tasks keep their results.")
            danger=true
        >
            <ActionForm action=delete>
                <FormErrors error />
                <input type="hidden" name="id" value=id />
                <SubmitButton label="Delete" danger=true pending=delete.pending() />
            </ActionForm>
        </Confirm>
    }
    .into_any()
}

/// The form with what was typed (after Count) or what is stored.
fn edit(
    view: AudienceView,
    update: ServerAction<UpdateAudience>,
    query: Query,
    counted: Option<Result<i64, AppError>>,
) -> AnyView {
    let AudienceView { audience, tags, .. } = view;
    let error = Signal::derive(move || update.value().get().and_then(Result::err));
    let errors = field_errors(error);
    let here = format!("/audiences/{}", audience.id);
    let name = query.get("name").unwrap_or(&audience.name).to_string();
    let conditions = (audience.kind == Kind::Rules).then(|| {
        let asked = from_query(&query);
        let (initial, counted) = if asked.is_empty() {
            (audience.rules.conditions().cloned().collect(), Some(Ok(audience.size)))
        } else {
            (asked, counted)
        };
        view! {
            <h2>"Customers that every condition holds for"</h2>
            <Conditions tags initial errors count_at=here.clone() counted />
        }
    });
    view! {
        <PageHeader title=format!("Edit {}", audience.name) crumbs=crumbs() />
        <Panel>
            <ActionForm action=update>
                <div class="fields">
                    <FormErrors error />
                    <input type="hidden" name="id" value=audience.id.clone() />
                    <input type="hidden" name="edit" value="1" />
                    <NameField value=name errors />
                </div>
                {conditions}
                <div class="actions">
                    <SubmitButton label="Save" pending=update.pending() />
                    <LinkButton href=here label="Cancel" bare=true />
                </div>
            </ActionForm>
        </Panel>
    }
    .into_any()
}
