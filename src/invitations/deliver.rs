//! From tokens to what is shown: addresses, mails, the page that shows them once.

use super::{
    model::{Made, MadeLink, MadeLinks, Mailing, PATH, Purpose},
    store::LIFETIME,
};
use crate::{
    access::Ctx,
    error::AppResult,
    mail::{self, Mail},
    server::csv,
};
use futures::StreamExt;
use std::time::Duration;
use tokio::time::Instant;

/// A person, and the token of the link that was made, if one was.
pub struct Fresh {
    pub user_id: String,
    pub email: String,
    pub name: String,
    pub link: Option<(Purpose, String)>,
}

/// Mails at a time, and how long all of them may take: the rest is for the administrator to send.
const AT_ONCE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(45);

/// Sends the links by mail, when that is configured, and keeps them for the page that shows them: its address. Called
/// after the commit.
pub async fn deliver(ctx: &Ctx, people: Vec<Fresh>) -> AppResult<String> {
    let (base, expires_at) = (ctx.state.config.public_url(), ctx.now() + LIFETIME);
    let until = Instant::now() + PATIENCE;
    let made = people.into_iter().map(|person| {
        let url = person.link.map(|(purpose, token)| (purpose, format!("{base}{PATH}{token}")));
        async move {
            let link = match url {
                Some((purpose, url)) => {
                    let mailing = send(ctx, &person.email, purpose, &url, until).await;
                    Some(MadeLink { purpose, url: url.into(), expires_at, mailing })
                }
                None => None,
            };
            Made { user_id: person.user_id, email: person.email, name: person.name, link }
        }
    });
    let rows: Vec<Made> = futures::stream::iter(made).buffered(AT_ONCE).collect().await;
    let mut text = csv::line(&["email", "link"])?;
    for row in &rows {
        if let Some(link) = &row.link {
            text.extend(csv::line(&[&row.email, &link.url])?);
        }
    }
    let links = MadeLinks { rows, csv: String::from_utf8_lossy(&text).into_owned().into() };
    let key = ctx.state.shown.put(ctx.user(), links, ctx.now());
    Ok(format!("/members/links/{key}"))
}

async fn send(ctx: &Ctx, email: &str, purpose: Purpose, url: &str, until: Instant) -> Mailing {
    let config = &ctx.state.config.mail;
    if !config.is_on() {
        return Mailing::None;
    }
    let mail = letter(ctx, email, purpose, url);
    match tokio::time::timeout_at(until, mail::send(config, mail)).await {
        Ok(Ok(())) => Mailing::Sent,
        Ok(Err(problem)) => Mailing::Failed(problem),
        Err(_) => Mailing::Failed("there was no time left for it".into()),
    }
}

fn letter(ctx: &Ctx, email: &str, purpose: Purpose, url: &str) -> Mail {
    let info = ctx.info();
    let (by, workspace) = (&info.user_name, &info.workspace_name);
    let (subject, asked, ignore) = match purpose {
        Purpose::Invitation => (
            format!("Invitation to “{workspace}” on Reachwire"),
            format!(
                "{by} invites you to the workspace “{workspace}” on Reachwire. Open this link and choose a password:"
            ),
            "If you did not expect this, do nothing: without a password the account can't be used.",
        ),
        Purpose::Password => (
            "A new password for Reachwire".to_string(),
            format!("{by} made this link for you to set a new password on Reachwire:"),
            "If you did not ask for this, do nothing: your password stays as it is.",
        ),
    };
    let text = format!("Hello,\n\n{asked}\n\n{url}\n\nThe link is valid once, for 72 hours.\n{ignore}\n");
    Mail { to: email.into(), subject, text }
}
