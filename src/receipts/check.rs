//! Who may report: the signature and the time of a request.

use crate::{clock::Millis, db::Db, fetch, secrets::MasterKey, wire::receipt::Receipt, wire::signature};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The query of a request. Both are signed as they stand there.
#[derive(Debug, Default, Deserialize)]
pub struct Signed {
    #[serde(default)]
    pub timestamp: String,
    #[serde(default)]
    pub nonce: String,
}

/// What must be known of a webhook to take its receipts.
pub struct Webhook {
    pub workspace_id: String,
    pub statuses: BTreeSet<String>,
    key: Option<String>,
    /// The one before, while it still verifies.
    old_key: Option<String>,
}

/// Whether `timestamp` (seconds, or milliseconds of 13 digits) is within the tolerance; the error is for the caller.
pub fn timestamp(text: &str, now: Millis, tolerance_seconds: i64) -> Result<(), String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number =
        text.parse::<i64>().ok().filter(|_| digits).ok_or("the parameter timestamp is missing or no number")?;
    let at = if text.len() >= 13 { number } else { number.saturating_mul(1000) };
    let away = now.saturating_sub(at).saturating_abs();
    if away > tolerance_seconds.saturating_mul(1000) {
        let away = away / 1000;
        return Err(format!(
            "the timestamp is {away} s away from the server's time; {tolerance_seconds} s are allowed"
        ));
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    workspace_id: String,
    authentication: String,
    key_cipher: Option<String>,
    old_key_cipher: Option<String>,
    statuses: String,
}

#[derive(Deserialize)]
struct Status {
    code: String,
}

/// The webhooks that the receipts name, by id; those that do not exist are left out.
pub async fn webhooks(
    db: &Db,
    master_key: &MasterKey,
    receipts: &[Receipt],
    now: Millis,
) -> sqlx::Result<BTreeMap<String, Webhook>> {
    let ids: BTreeSet<&str> = receipts.iter().map(|receipt| receipt.callback_params.webhook_id.as_ref()).collect();
    let mut found = BTreeMap::new();
    // PostgreSQL refuses to look for a NUL.
    for id in ids.into_iter().filter(|id| !id.contains('\0')) {
        let row = fetch!(
            db,
            optional,
            Row,
            "select workspace_id, authentication, key_cipher, case when old_key_until > $2 then old_key_cipher end \
             as old_key_cipher, statuses from webhooks where id = $1",
            id,
            now
        )?;
        let Some(row) = row else { continue };
        let open = !row.authentication.eq_ignore_ascii_case("none");
        let key = if open { row.key_cipher.as_deref().map(|sealed| master_key.open(sealed)) } else { None };
        // A key that can't be opened verifies nothing: the webhook is as good as unknown.
        let key = match key {
            Some(None) => continue,
            None if open => continue,
            key => key.flatten(),
        };
        let statuses: Vec<Status> = serde_json::from_str(&row.statuses).unwrap_or_default();
        let statuses = statuses.into_iter().map(|status| status.code).collect();
        let old_key = row.old_key_cipher.filter(|_| open).and_then(|sealed| master_key.open(&sealed));
        found.insert(id.to_string(), Webhook { workspace_id: row.workspace_id, statuses, key, old_key });
    }
    Ok(found)
}

/// Every receipt's webhook must be known and its key must have signed the request; without authentication the header
/// must be empty or absent.
pub fn signatures(
    receipts: &[Receipt],
    webhooks: &BTreeMap<String, Webhook>,
    signed: &Signed,
    header: &str,
) -> Result<(), String> {
    let ids: BTreeSet<&str> = receipts.iter().map(|receipt| receipt.callback_params.webhook_id.as_ref()).collect();
    for id in ids {
        let webhook = webhooks.get(id).ok_or("callback_params.webhook_id names no webhook")?;
        let verifies = |key: &String| signature::verify(key, &signed.timestamp, &signed.nonce, header);
        let right = match &webhook.key {
            Some(key) => verifies(key) || webhook.old_key.as_ref().is_some_and(verifies),
            None => header.is_empty(),
        };
        if !right {
            return Err(format!("{} does not fit the webhook's key, timestamp and nonce", signature::HEADER));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_seconds_or_milliseconds_within_the_tolerance() {
        let now = 1_755_848_301_481;
        for right in ["1755848301", "1755848301481", "1755847402", "1755849201000"] {
            assert_eq!(timestamp(right, now, 900), Ok(()), "{right}");
        }
        for wrong in ["1755847400", "1755849202", "", "-1", "+1755848301", "abc", "99999999999999999999", "0"] {
            assert!(timestamp(wrong, now, 900).is_err(), "{wrong}");
        }
    }
}
