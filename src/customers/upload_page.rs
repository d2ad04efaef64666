//! Choosing the file to import, and the imports so far. A plain multipart form; with the wasm it shows how far the
//! upload is.

use super::{api::latest_imports, import_page::status_badge, model::Import};
use crate::ui::{
    EmptyState, Field, Loaded, Note, PageHeader, Panel, Progress, Stepper, SubmitButton, TableWrap, Time, Tone, format,
    query::use_query,
};
use leptos::{ev, prelude::*};

pub const UPLOAD: &str = "/customers/import/file";
pub const TOO_LARGE: &str = "The file is larger than this server takes. Split it, or use the command line.";

pub fn upload_page() -> AnyView {
    let imports = Resource::new(|| (), |()| latest_imports());
    view! {
        <PageHeader
            title="Import Customers"
            crumbs=vec![("Customers", "/customers")]
            intro="From a CSV file: one row for each customer, with the customer ID, other IDs and tags."
        />
        <Stepper steps=steps() current=0_u32 />
        <div class="grid">
            <UploadForm />
            <Panel title="Latest imports" padded=false>
                <Loaded rows=3 what=imports show=move |(imports, now)| latest(imports, now) />
            </Panel>
        </div>
    }
    .into_any()
}

pub fn steps() -> Vec<String> {
    ["Upload", "Map columns", "Import"].map(String::from).to_vec()
}

/// How far the browser is with sending the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sending {
    pub sent: i64,
    pub total: i64,
}

#[component]
fn UploadForm() -> impl IntoView {
    let query = use_query();
    let problem = RwSignal::new(None::<String>);
    let sending = RwSignal::new(None::<Sending>);
    let shown = move || {
        problem.get().or_else(|| query.read().get("problem").map(String::from)).filter(|_| sending.get().is_none())
    };
    #[cfg(feature = "hydrate")]
    let send = super::upload_send::sender(sending, problem);
    let submit = move |event: ev::SubmitEvent| {
        #[cfg(feature = "hydrate")]
        send(event);
        #[cfg(not(feature = "hydrate"))]
        let _ = event;
    };
    let bar = move || {
        sending.get().map(|Sending { sent, total }| {
            let caption = if sent < total {
                format!("{} of {} uploaded", format::bytes(sent), format::bytes(total))
            } else {
                "Uploaded; looking at the file".to_string()
            };
            view! { <Progress label="Upload" parts=vec![(Tone::Run, sent)] total caption /> }
        })
    };
    view! {
        <Panel title="File">
            <form class="fields" method="post" action=UPLOAD enctype="multipart/form-data" on:submit=submit>
                <div role="alert">
                    {move || shown().map(|text| view! { <Note tone=Tone::Bad><p>{text}</p></Note> })}
                </div>
                <Field
                    label="CSV file"
                    name="file"
                    required=true
                    help="UTF-8, with the names of the columns in the first line. Commas, semicolons or tabs between the cells."
                >
                    <input class="input" type="file" id="file" name="file" accept=".csv,.txt,.tsv,text/csv" required />
                </Field>
                {bar}
                <div class="actions">
                    <SubmitButton label="Upload" pending=Signal::derive(move || sending.get().is_some()) />
                </div>
            </form>
        </Panel>
    }
    .into_any()
}

fn latest(imports: Vec<Import>, now: i64) -> AnyView {
    if imports.is_empty() {
        return view! { <EmptyState title="No imports yet" text="The imports of this workspace appear here, with every row that was left out." /> }
            .into_any();
    }
    let row = move |import: Import| {
        view! {
            <tr>
                <td>
                    <a class="title" href=format!("/customers/imports/{}", import.id)>{import.file_name.clone()}</a>
                    <span class="under">{format::bytes(import.bytes)}</span>
                </td>
                <td data-label="Status">{status_badge(import.status)}</td>
                <td class="num" data-label="Good rows">{format::count(import.rows_good)}</td>
                <td class="num" data-label="Bad rows">{format::count(import.rows_bad)}</td>
                <td data-label="Uploaded"><Time ms=import.created_at now /></td>
            </tr>
        }
    };
    view! {
        <TableWrap label="Latest imports">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"File"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col" class="num">"Good rows"</th>
                        <th scope="col" class="num">"Bad rows"</th>
                        <th scope="col">"Uploaded"</th>
                    </tr>
                </thead>
                <tbody>{imports.into_iter().map(row).collect_view()}</tbody>
            </table>
        </TableWrap>
    }
    .into_any()
}
