//! A new audience: of everybody, of an uploaded list, or of conditions.

use super::{
    api::{Choices, CreateAudience, audience_choices, count_conditions},
    conditions::{Conditions, from_query},
    model::{Kind, NAME_MAX},
    rules::Condition,
};
use crate::access::{
    model::{Area, Permission},
    reader_may,
};
use crate::{
    error::{AppError, FieldError},
    ui::{
        EmptyState, ErrorNote, Field, FormErrors, LinkButton, Note, PageHeader, Panel, Scope, Select, SelectOption,
        Skeleton, SubmitButton, Tabs, TextInput, Tone, field_errors, format,
        query::{Query, use_query},
    },
};
use leptos::prelude::*;

pub const UPLOAD: &str = "/audiences/upload";

pub fn new_audience_page() -> AnyView {
    let scope = Scope::here();
    let query = use_query();
    let kind = Memo::new(move |_| query.with(kind_of));
    let asked = Memo::new(move |_| query.with(from_query));
    let choices = Resource::new(
        move || asked.get(),
        |asked| async move {
            let counted = if asked.is_empty() { None } else { Some(count_conditions(asked).await) };
            audience_choices().await.map(|choices| (choices, counted))
        },
    );
    let content = move || {
        let kind = kind.get();
        Suspend::new(async move {
            let loaded = choices.await;
            scope.show(move || match loaded {
                Ok((choices, counted)) => {
                    let query = query.get_untracked();
                    match kind {
                        Kind::All => view! { <Everybody choices query /> }.into_any(),
                        Kind::List => view! { <List choices query /> }.into_any(),
                        Kind::Rules => view! { <ByConditions choices query counted /> }.into_any(),
                    }
                }
                Err(error) => view! { <ErrorNote error /> }.into_any(),
            })
        })
    };
    let tabs = Kind::ALL.iter().map(|kind| (kind.label().to_string(), address(*kind))).collect();
    view! {
        <PageHeader title="Create Audience" crumbs=vec![("Audiences", "/audiences")] />
        <Panel padded=false>
            <Tabs items=tabs current=Signal::derive(move || address(kind.get())) label="What the audience is made of" />
            <div class="body">
                <Transition fallback=|| view! { <Skeleton rows=4 /> }>{content}</Transition>
            </div>
        </Panel>
    }
    .into_any()
}

fn kind_of(query: &Query) -> Kind {
    query.get("kind").and_then(Kind::from_code).unwrap_or_default()
}

fn address(kind: Kind) -> String {
    format!("/audiences/new?kind={}", kind.code())
}

#[component]
pub fn NameField(
    #[prop(optional, into)] value: String,
    #[prop(into)] errors: Signal<Vec<FieldError>>,
) -> impl IntoView {
    view! {
        <Field label="Audience Name" name="name" required=true errors>
            <TextInput name="name" value maxlength=NAME_MAX as u32 autocomplete="off" />
        </Field>
    }
}

#[component]
fn Everybody(choices: Choices, query: Query) -> impl IntoView {
    let create = ServerAction::<CreateAudience>::new();
    let error = Signal::derive(move || create.value().get().and_then(Result::err));
    view! {
        <ActionForm action=create>
            <div class="fields">
                <FormErrors error />
                <input type="hidden" name="kind" value=Kind::All.code() />
                <NameField value=query.text("name") errors=field_errors(error) />
                <p>{format!("Every customer of the workspace: {} now.", format::count(choices.customers))}</p>
                <div class="actions">
                    <SubmitButton label="Create Audience" pending=create.pending() />
                    <LinkButton href="/audiences" label="Cancel" bare=true />
                </div>
            </div>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn List(choices: Choices, query: Query) -> impl IntoView {
    let problem = query.text("problem");
    let error = (!problem.is_empty()).then(|| AppError::invalid(&query.text("field"), problem.clone()));
    let error = Signal::stored(error);
    let errors = field_errors(error);
    let mut id_types = vec![SelectOption::new("customer_id", "Customer ID")];
    id_types.extend(choices.id_types.into_iter().map(|id_type| {
        let label = format!("{} ({})", id_type.code, id_type.name);
        SelectOption::new(id_type.code, label)
    }));
    let chosen = Some(query.text("id_type")).filter(|code| !code.is_empty()).unwrap_or("customer_id".into());
    view! {
        <form class="fields" method="post" action=UPLOAD enctype="multipart/form-data">
            <FormErrors error />
            <NameField value=query.text("name") errors />
            <Field label="ID Type" name="id_type" required=true errors help="What the IDs in the file are.">
                <Select name="id_type" options=id_types selected=chosen />
            </Field>
            <Field
                label="ID list"
                name="file"
                required=true
                errors
                help="A CSV or text file in UTF-8 with one ID in each line; of a CSV file the first column is read."
            >
                <input class="input" type="file" id="file" name="file" accept=".csv,.txt,text/csv,text/plain" required />
            </Field>
            <div class="actions">
                <SubmitButton label="Create Audience" />
                <LinkButton href="/audiences" label="Cancel" bare=true />
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn ByConditions(choices: Choices, query: Query, counted: Option<Result<i64, AppError>>) -> impl IntoView {
    if choices.tags.is_empty() {
        return view! {
            <EmptyState
                title="No tags yet"
                text="Conditions look at tags, such as a city or the money spent. Import customers with tags first."
            >
                {reader_may(Permission::Manage(Area::Customers))
                    .then(|| view! { <LinkButton href="/customers/import" label="Import Customers" primary=true /> })}
            </EmptyState>
        }
        .into_any();
    }
    let create = ServerAction::<CreateAudience>::new();
    let error = Signal::derive(move || create.value().get().and_then(Result::err));
    let errors = field_errors(error);
    let initial: Vec<Condition> = from_query(&query);
    view! {
        <ActionForm action=create>
            <div class="fields">
                <FormErrors error />
                <input type="hidden" name="kind" value=Kind::Rules.code() />
                <NameField value=query.text("name") errors />
            </div>
            <h2>"Customers that every condition holds for"</h2>
            <Conditions tags=choices.tags initial errors count_at="/audiences/new" counted />
            <Note tone=Tone::Neutral>
                <p>"Upper and lower case differ. “Is not” also holds for customers without a value. Dates are compared by day."</p>
            </Note>
            <div class="actions">
                <SubmitButton label="Create Audience" pending=create.pending() />
                <LinkButton href="/audiences" label="Cancel" bare=true />
            </div>
        </ActionForm>
    }
    .into_any()
}
