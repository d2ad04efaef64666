//! API Keys: the list, and the dialog that makes one.

use super::{
    api::{CreateApiKey, RevokeApiKey, list_api_keys},
    model::{ApiKey, CreatedKey, KeyPage, KeyQuery, KeyState, NAME_MAX, ROWS, Scope},
};
use crate::{
    access::model::{Area, Permission, SessionInfo},
    ui::{
        Badge, Button, CodeBlock, ConfirmAction, DateTimeField, Dialog, EmptyState, Field, FilterSelect, Filters,
        FormErrors, ListParams, Loaded, MultiSelect, Note, PageHeader, Pager, Panel, RowMenu, SelectOption,
        SubmitButton, TableWrap, TextInput, Time, Tone, close_dialog, use_list_params,
    },
    webhooks::fields::in_argument,
};
use leptos::{form::ActionForm, html, prelude::*};

const CREATE: &str = "create-api-key";

/// What the reader may do with keys.
#[derive(Clone, Copy)]
struct Reader {
    revokes: bool,
    /// Has something to give to a key, too.
    creates: bool,
}

pub fn api_keys_page() -> AnyView {
    let params = use_list_params(&["state"]);
    let create = ServerAction::<CreateApiKey>::new();
    let revoke = ServerAction::<RevokeApiKey>::new();
    let page = Resource::new(
        move || (params.get(), create.version().get(), revoke.version().get()),
        |(params, ..)| list_api_keys(query(&params)),
    );
    let session = use_context::<SessionInfo>().unwrap_or_default();
    let scopes = Scope::given_by(session.permissions);
    let revokes = session.may(Permission::Manage(Area::ApiKeys));
    let reader = Reader { revokes, creates: revokes && !scopes.is_empty() };
    let states = KeyState::ALL.iter().map(|state| SelectOption::new(state.code(), state.label())).collect();
    view! {
        <PageHeader
            title="API Keys"
            crumbs=vec![("Workspace Management", "")]
            intro="What your own programs show instead of a sign-in, to import customers or to read what tasks did."
        >
            {reader.creates.then(|| view! { <Button label="Create API Key" primary=true opens=CREATE /> })}
        </PageHeader>
        <FormErrors error=Signal::derive(move || revoke.value().get().and_then(Result::err)) />
        <div class="news" role="status">
            {move || create.value().get().and_then(Result::ok).map(|created| created_note(created).into_any())}
        </div>
        <Panel padded=false>
            <Filters
                action="/api-keys"
                params
                placeholder="Search name or end of the key"
                selects=vec![FilterSelect::new("state", "All states", states)]
            />
            <Loaded what=page show=move |page| content(page, params, reader, revoke) />
        </Panel>
        {reader.creates.then(|| view! { <CreateDialog action=create scopes zone=session.time_zone /> })}
    }
    .into_any()
}

fn query(params: &ListParams) -> KeyQuery {
    KeyQuery { search: params.q.clone(), state: params.filter("state").to_string(), offset: params.offset(ROWS) }
}

/// The only time that a key is shown.
fn created_note(created: CreatedKey) -> impl IntoView {
    view! {
        <Note tone=Tone::Ok>
            <p>"This is the key “" {created.name} "”. Copy it now: it is kept nowhere and not shown again."</p>
            <CodeBlock id="created-key" text=String::from(created.key) copy=true wrap=true label="API key" />
        </Note>
    }
}

fn content(page: KeyPage, params: Memo<ListParams>, reader: Reader, revoke: ServerAction<RevokeApiKey>) -> AnyView {
    let import = format!(
        "curl -X POST '{}/restapi/v1/customers/imports?name=today.csv' \\\n  -H \"Authorization: Bearer $KEY\" \
         -H 'Content-Type: text/csv' --data-binary @today.csv",
        page.address
    );
    let table = table(page, params, reader, revoke);
    view! {
        {table}
        <div class="body fields">
            <p class="quiet">"A program shows its key with each request, for example to import customers:"</p>
            <CodeBlock id="api-example" text=import copy=true label="example" />
        </div>
    }
    .into_any()
}

fn table(page: KeyPage, params: Memo<ListParams>, reader: Reader, revoke: ServerAction<RevokeApiKey>) -> AnyView {
    if page.rows.is_empty() && page.total == 0 {
        return empty(params.get_untracked().is_filtered(), reader);
    }
    let now = page.now;
    let rows = page.rows.into_iter().map(|key| row(key, now, reader, revoke)).collect_view();
    view! {
        <TableWrap label="API keys">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Scopes"</th>
                        <th scope="col">"Created"</th>
                        <th scope="col">"Expires"</th>
                        <th scope="col">"Last used"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableWrap>
        <Pager params total=page.total page_size=ROWS noun="API keys" />
    }
    .into_any()
}

fn empty(filtered: bool, reader: Reader) -> AnyView {
    if filtered {
        return view! { <EmptyState title="No match" text="No API key fits the search and the filter." /> }.into_any();
    }
    view! {
        <EmptyState
            title="No API keys yet"
            text="A key lets a program of yours import customers or read the users of a task, and nothing else. It is shown once."
        >
            {reader.creates.then(|| view! { <Button label="Create API Key" primary=true opens=CREATE /> })}
        </EmptyState>
    }
    .into_any()
}

fn row(key: ApiKey, now: i64, reader: Reader, revoke: ServerAction<RevokeApiKey>) -> AnyView {
    let state = key.state(now);
    let tone = match state {
        KeyState::Active => Tone::Ok,
        KeyState::Expired => Tone::Warn,
        KeyState::Revoked => Tone::Neutral,
    };
    let scopes = key.scopes.iter().map(|scope| scope.label()).collect::<Vec<_>>().join(", ");
    let expires = match key.expires_at {
        Some(ms) => view! { <Time ms seconds=false /> }.into_any(),
        None => "Never".into_any(),
    };
    let used = match key.last_used_at {
        Some(ms) => {
            let from = key.last_used_from.clone();
            view! {
                <span>
                    <Time ms now />
                    <span class="under mono">{from}</span>
                </span>
            }
            .into_any()
        }
        None => "Never".into_any(),
    };
    let menu = (reader.revokes && state != KeyState::Revoked).then(|| revoke_menu(&key, revoke));
    view! {
        <tr>
            <td>
                <span class="title">{key.name}</span>
                <span class="under mono">{format!("…{}", key.hint)}</span>
            </td>
            <td data-label="Scopes">{scopes}</td>
            <td data-label="Created">
                <span>
                    <Time ms=key.created_at seconds=false />
                    <span class="under">{key.created_by}</span>
                </span>
            </td>
            <td data-label="Expires">{expires}</td>
            <td data-label="Last used">{used}</td>
            <td data-label="State">
                <Badge tone text=state.label() />
            </td>
            <td class="num fit">{menu}</td>
        </tr>
    }
    .into_any()
}

/// The menu, and the dialog that asks.
fn revoke_menu(key: &ApiKey, revoke: ServerAction<RevokeApiKey>) -> AnyView {
    let dialog = format!("revoke-{}", key.id);
    let opens = dialog.clone();
    let (id, name) = (key.id.clone(), key.name.clone());
    view! {
        <RowMenu id=format!("menu-{id}") label=format!("More actions for {name}")>
            <button type="button" class="danger" command="show-modal" commandfor=opens.clone() data-dialog-open=opens>
                "Revoke"
            </button>
        </RowMenu>
        <ConfirmAction
            id=dialog
            title="Revoke API key"
            text=format!("“{name}” (…{}) is refused from now on, wherever it is used. This can't be undone.", key.hint)
            label="Revoke"
            danger=true
            action=revoke
            fields=vec![("id", id)]
        />
    }
    .into_any()
}

#[component]
fn CreateDialog(action: ServerAction<CreateApiKey>, scopes: Vec<Scope>, zone: String) -> impl IntoView {
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let errors = in_argument("new", error);
    let form = NodeRef::<html::Form>::new();
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(_))) {
            close_dialog(CREATE);
            if let Some(form) = form.get_untracked() {
                // The next one begins empty.
                form.reset();
            }
        }
    });
    let scopes = scopes.iter().map(|scope| SelectOption::new(scope.code(), scope.label())).collect::<Vec<_>>();
    view! {
        <Dialog id=CREATE title="Create API Key">
            <ActionForm action node_ref=form>
                <div class="fields">
                    <FormErrors error />
                    <Field label="Name" name="new[name]" required=true help="What the key is for." errors>
                        <TextInput name="new[name]" maxlength=NAME_MAX as u32 autocomplete="off" />
                    </Field>
                    <Field label="Scopes" name="new[scopes]" required=true help="What the key may do." errors>
                        <MultiSelect name="new[scopes]" options=scopes />
                    </Field>
                    <Field label="Expires" name="new[expires]" help="Empty: never." errors>
                        <DateTimeField name="new[expires]" zone />
                    </Field>
                    <div class="dialog-foot">
                        <button type="button" class="btn" data-dialog-close="">"Cancel"</button>
                        <SubmitButton label="Create API Key" pending=action.pending() />
                    </div>
                </div>
            </ActionForm>
        </Dialog>
    }
}
