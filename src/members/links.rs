//! What became of those who were added: links, shown once to whoever made them.

use super::api::take_links;
use crate::{
    error::AppError,
    invitations::model::{Made, MadeLink, MadeLinks, Mailing, Purpose},
    ui::{
        CodeBlock, EmptyState, ErrorNote, LinkButton, Note, PageHeader, Panel, Scope, Skeleton, TableWrap, Time, Tone,
        format::counted,
    },
};
use leptos::prelude::*;
use leptos_router::{hooks::use_params_map, location::Url};

pub fn member_links_page() -> AnyView {
    let scope = Scope::here();
    let params = use_params_map();
    let key = Memo::new(move |_| params.read().get("key").unwrap_or_default());
    let links = Resource::new(move || key.get(), take_links);
    view! {
        <PageHeader title="Links" crumbs=vec![("Workspace Management", ""), ("Members", "/members")]>
            <LinkButton href="/members" label="To the members" />
            <LinkButton href="/members/new" label="Add Member" primary=true />
        </PageHeader>
        <Suspense fallback=|| view! { <Panel><Skeleton /></Panel> }>
            {move || Suspend::new(async move {
                let loaded = links.await;
                scope.show(move || match loaded {
                    Ok(links) => shown(links),
                    Err(AppError::NotFound) => gone(),
                    Err(error) => view! { <ErrorNote error /> }.into_any(),
                })
            })}
        </Suspense>
    }
    .into_any()
}

fn gone() -> AnyView {
    view! {
        <Panel>
            <EmptyState
                title="Shown already"
                text="Links are shown once. If you did not keep one, open the member and make a new link: the old one ends then."
            >
                <LinkButton href="/members" label="To the members" />
            </EmptyState>
        </Panel>
    }
    .into_any()
}

fn shown(links: MadeLinks) -> AnyView {
    let MadeLinks { mut rows, csv } = links;
    if rows.len() == 1
        && let Some(made) = rows.pop()
    {
        return one(made);
    }
    many(rows, csv.into())
}

/// What was made, and what to do with it.
fn one(made: Made) -> AnyView {
    let Made { user_id, email, name, link } = made;
    let href = format!("/members/{user_id}");
    let content = match link {
        None => view! {
            <Note tone=Tone::Ok>
                <p>{format!("{name} ({email}) has an account already and is a member now. No link is needed.")}</p>
            </Note>
        }
        .into_any(),
        Some(link) => {
            let said = match link.purpose {
                Purpose::Invitation => {
                    format!("{name} ({email}) is invited. This link sets the password and signs in:")
                }
                Purpose::Password => format!(
                    "This link lets {name} ({email}) set a new password. The old one works until then; all sessions end \
                     when it is used:"
                ),
            };
            let MadeLink { url, expires_at, mailing, .. } = link;
            let mailed = mailed(&mailing, &email);
            view! {
                <p>{said}</p>
                <CodeBlock id="link" text=String::from(url) label="Link" copy=true wrap=true />
                <p>"It is valid once, until " <Time ms=expires_at seconds=false /> ". It is shown here only now."</p>
                {mailed}
            }
            .into_any()
        }
    };
    view! {
        <Panel>
            <div class="fields">
                {content}
                <div class="actions">
                    <LinkButton href=href label="To the member" />
                </div>
            </div>
        </Panel>
    }
    .into_any()
}

fn mailed(mailing: &Mailing, email: &str) -> AnyView {
    match mailing {
        Mailing::None => view! { <Note><p>"Send it on yourself: mail is not configured."</p></Note> }.into_any(),
        Mailing::Sent => {
            let text = format!("Sent to {email}.");
            view! { <Note tone=Tone::Ok><p>{text}</p></Note> }.into_any()
        }
        Mailing::Failed(why) => {
            let text = format!("The mail to {email} could not be sent ({why}). Send the link on yourself.");
            view! { <Note tone=Tone::Warn><p>{text}</p></Note> }.into_any()
        }
    }
}

fn many(rows: Vec<Made>, csv: String) -> AnyView {
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let with_link = rows.iter().filter_map(|made| made.link.as_ref());
    let (invited, failed) = with_link.fold((0, 0), |(invited, failed), link| {
        (invited + 1, failed + i64::from(matches!(link.mailing, Mailing::Failed(_))))
    });
    let expires_at = rows.iter().find_map(|made| made.link.as_ref()).map(|link| link.expires_at);
    let until = expires_at.map(|ms| {
        view! {
            <p>"Each link is valid once, until " <Time ms seconds=false /> ". They are shown here only now: download them."</p>
        }
    });
    let warning = (failed > 0).then(|| {
        let text = format!("{} could not be sent: send their links on yourself.", counted(failed, "mail"));
        view! { <Note tone=Tone::Warn><p>{text}</p></Note> }
    });
    let download = (invited > 0).then(|| {
        let href = format!("data:text/csv;charset=utf-8,{}", Url::escape(&csv));
        view! {
            <div class="actions">
                <a class="btn primary" href=href download="invitation-links.csv" rel="external">"Download CSV"</a>
            </div>
        }
    });
    let said = format!("{} added, {} of them invited.", counted(total, "member"), invited);
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <div class="grid">
        <Panel>
            <div class="fields">
                <p>{said}</p>
                {until}
                {warning}
                {download}
            </div>
        </Panel>
        <Panel padded=false>
            <TableWrap label="Added members">
                <table class="stack">
                    <thead>
                        <tr>
                            <th scope="col">"E-mail"</th>
                            <th scope="col">"Result"</th>
                            <th scope="col">"Link"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableWrap>
        </Panel>
        </div>
    }
    .into_any()
}

fn row(made: Made) -> AnyView {
    let href = format!("/members/{}", made.user_id);
    let result = match &made.link {
        None => "Has an account already; is a member now".to_string(),
        Some(MadeLink { mailing: Mailing::Sent, .. }) => "Invited; mail sent".into(),
        Some(MadeLink { mailing: Mailing::Failed(why), .. }) => format!("Invited; mail not sent: {why}"),
        Some(_) => "Invited".into(),
    };
    let (id, label) = (format!("link-{}", made.user_id), format!("Link of {}", made.email));
    let url = match made.link {
        None => "–".into_any(),
        Some(link) => view! { <CodeBlock id text=String::from(link.url) label copy=true wrap=true /> }.into_any(),
    };
    view! {
        <tr>
            <td>
                <a class="title" href=href>{made.email}</a>
            </td>
            <td data-label="Result">{result}</td>
            <td>{url}</td>
        </tr>
    }
    .into_any()
}
