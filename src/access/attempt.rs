//! A try to show who one is, by password or code: counted before anything is looked at, written down when it fails.

use super::{address, person::EMAIL_MAX, store};
use crate::{
    audit::{
        self, Actor, Change, Entry,
        model::{Action, ObjectKind},
    },
    clock::{MINUTE, Millis},
    fetch,
    server::AppState,
};
use serde_json::json;
use tokio::sync::SemaphorePermit;

/// Tries after which an account or an address, which many people may share, waits, and for how long.
const ACCOUNT_TRIES: i64 = 10;
pub const ADDRESS_TRIES: i64 = 30;
pub const WINDOW: Millis = 15 * MINUTE;
/// Entries about strangers in one window, from all addresses together: the log never gives room back.
const STRANGERS: i64 = 100;
/// What they are counted by.
const ALL_STRANGERS: &str = "strangers";

/// Whose try it is, and from where.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// As it was typed, in lower case.
    pub email: String,
    /// The address that it came from, as the audit log shows it.
    pub client: String,
    account: String,
    place: String,
}

/// Whether a try may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Goes,
    /// There were too many. `first`: this is the one that reached the limit.
    Waits {
        first: bool,
    },
}

impl Attempt {
    pub fn new(email: &str, client: &str) -> Self {
        let email: String = email.trim().to_lowercase().chars().take(EMAIL_MAX).collect();
        let household = client.parse().map_or("unknown".to_string(), address::household);
        let (account, place) = (format!("account {email}"), format!("address {household}"));
        Self { email, client: client.into(), account, place }
    }

    /// Counts it for the account and for the address, which is one network of a household.
    pub async fn count(&self, state: &AppState) -> sqlx::Result<Counted> {
        let now = state.clock.now();
        let of_account = store::count_try(&state.db, &self.account, now, now - WINDOW).await?;
        let of_address = store::count_try(&state.db, &self.place, now, now - WINDOW).await?;
        if of_account <= ACCOUNT_TRIES && of_address <= ADDRESS_TRIES {
            return Ok(Counted::Goes);
        }
        tracing::warn!(address = %self.client, "sign-in throttled");
        let by_account = of_account == ACCOUNT_TRIES + 1 && of_address <= ADDRESS_TRIES + 1;
        let by_address = of_address == ADDRESS_TRIES + 1 && of_account <= ACCOUNT_TRIES;
        Ok(Counted::Waits { first: by_account || by_address })
    }

    /// It was right, and nothing more is asked for.
    pub async fn forget(&self, state: &AppState) -> sqlx::Result<()> {
        store::forget_try(&state.db, &self.account, &self.place).await
    }

    /// It was right, and a code is yet to come: the account's tries count on, or a known password would make codes
    /// free to guess.
    pub async fn forget_place(&self, state: &AppState) -> sqlx::Result<()> {
        store::forget_place(&state.db, &self.place).await
    }

    /// Writes down that it failed: to the logs of the account's workspaces; of an account without any, and of nobody's
    /// ([`note_stranger`]), to the organization's. The answer does not wait for it, so that it tells nobody which
    /// accounts there are; the place in the queue, which is held meanwhile, bounds how many wait.
    pub fn note(&self, state: &AppState, action: Action, at: &'static str, place: SemaphorePermit<'static>) {
        tracing::warn!(address = %self.client, at, "{}", action.label());
        let (attempt, state) = (self.clone(), state.clone());
        tokio::spawn(async move {
            if let Err(error) = attempt.write(&state, action, at).await {
                tracing::error!(%error, "a failed sign-in is not in the audit log");
            }
            drop(place);
        });
    }

    async fn write(&self, state: &AppState, action: Action, at: &'static str) -> sqlx::Result<()> {
        let user = store::user_by_email(&state.db, &self.email).await?.map(|user| user.id).unwrap_or_default();
        // What is no address may be a password in the wrong field.
        let typed = if self.email.contains('@') { self.email.as_str() } else { "not an e-mail address" };
        let actor = Actor::stranger(typed, self.client.clone());
        let entry = Entry::new(action, ObjectKind::Account, &user, typed).with(Change::to(&json!({"at": at})));
        if user.is_empty() {
            return note_stranger(state, &actor, &entry).await;
        }
        let mut tx = state.db.begin().await?;
        let mut logs = store::workspace_logs(&mut tx, &user).await?;
        if logs.is_empty() {
            logs.push(audit::ORGANIZATION.into());
        }
        for log in &logs {
            audit::record(&mut tx, log, state.clock.now(), &actor, &entry).await?;
        }
        tx.commit().await
    }
}

/// Writes to the organization's log what somebody without an account or a key has tried. After [`STRANGERS`] of them one
/// entry says that no more follow until the window is over: who has many addresses could fill the log otherwise.
pub async fn note_stranger(state: &AppState, actor: &Actor, entry: &Entry<'_>) -> sqlx::Result<()> {
    let now = state.clock.now();
    let entries = store::count_try(&state.db, ALL_STRANGERS, now, now - WINDOW).await?;
    if entries > STRANGERS + 1 {
        return Ok(());
    }
    let mut tx = state.db.begin().await?;
    if entries <= STRANGERS {
        audit::record(&mut tx, audit::ORGANIZATION, now, actor, entry).await?;
        return tx.commit().await;
    }
    let sql = "select since from sign_in_failures where subject = $1";
    let since = fetch!(tx, optional, (Millis,), sql, ALL_STRANGERS)?.map_or(now, |(since,)| since);
    let said = json!({"reason": "Too many by strangers: more are not recorded", "recorded_again_at": since + WINDOW});
    let entry = Entry::new(Action::SignInThrottled, entry.kind, "", "").with(Change::to(&said));
    audit::record(&mut tx, audit::ORGANIZATION, now, &Actor::stranger("Strangers", ""), &entry).await?;
    tx.commit().await
}
