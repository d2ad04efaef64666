//! What the POSTs of a send have in common: read once, kept while the send is open.

use super::{
    body::Common,
    gate::Gate,
    ids::SendKey,
    labels::Attempts,
    limits::OpenSend,
    post::{Address, Poster},
    tls::Tls,
};
use crate::{db::Db, fetch, secrets::MasterKey, wire::environment::Environment};
use secrecy::SecretString;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

#[derive(Debug)]
pub struct Context {
    pub common: Common,
    pub url: Address,
    pub key: Option<SecretString>,
    /// With the webhook's certificates.
    pub poster: Poster,
    /// Sent along when the webhook passes environment parameters.
    pub environment: Option<Environment>,
    /// The webhook's.
    pub version: i64,
    pub gate: Gate,
    pub attempts: Attempts,
}

#[derive(sqlx::FromRow)]
struct Row {
    webhook_id: String,
    url: String,
    key_cipher: Option<String>,
    authentication: String,
    ca_certificate: String,
    client_certificate: String,
    client_key_cipher: Option<String>,
    id_type: String,
    encryption: String,
    template: String,
    version: i64,
    pass_environment: bool,
    source: String,
    organization_id: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    #[error("{0}")]
    Sql(#[from] sqlx::Error),
    /// The send can't go on; the text is for people.
    #[error("{0}")]
    Unusable(String),
}

/// The contexts of the open sends.
#[derive(Default)]
pub struct Contexts(HashMap<SendKey, Arc<Context>>);

impl Contexts {
    /// Forgets those of sends that are no longer open.
    pub fn keep(&mut self, open: &[OpenSend]) {
        if self.0.is_empty() {
            return;
        }
        let open: HashSet<_> = open.iter().map(|send| SendKey::new(&send.workspace_id, &send.id)).collect();
        self.0.retain(|key, _| open.contains(key));
    }

    /// A send's context, read anew when its webhook has changed.
    pub async fn get(
        &mut self,
        db: &Db,
        master_key: &MasterKey,
        poster: &Poster,
        key: &SendKey,
        version: i64,
    ) -> Result<Arc<Context>, ContextError> {
        if let Some(known) = self.0.get(key).filter(|context| context.version == version) {
            return Ok(known.clone());
        }
        let context = Arc::new(read(db, master_key, poster, key).await?);
        self.0.insert(key.clone(), context.clone());
        Ok(context)
    }
}

async fn read(db: &Db, master_key: &MasterKey, poster: &Poster, key: &SendKey) -> Result<Context, ContextError> {
    let row = fetch!(
        db,
        one,
        Row,
        "select s.webhook_id, coalesce(nullif(s.url, ''), w.url) as url, w.key_cipher, w.authentication, s.id_type, \
         w.ca_certificate, w.client_certificate, w.client_key_cipher, s.encryption, s.template, w.version, s.pass_environment, s.source, \
         coalesce((select value from settings where key = 'organization_id'), '') as organization_id from sends s join webhooks w on w.workspace_id = s.workspace_id and w.id = s.webhook_id \
         where s.workspace_id = $1 and s.id = $2",
        &key.workspace_id,
        &key.send_id
    )?;
    let unusable = |text: &str| ContextError::Unusable(text.to_string());
    // A webhook without authentication may have kept the key it had before; one with must not send unsigned.
    let secret = if row.authentication.eq_ignore_ascii_case("none") {
        None
    } else {
        let sealed = row.key_cipher.ok_or_else(|| unusable("The webhook has no key; enter it again."))?;
        Some(master_key.open(&sealed).ok_or_else(|| unusable("The webhook's key can't be opened; enter it again."))?)
    };
    let client_key = match row.client_key_cipher {
        Some(sealed) => Some(
            master_key
                .open(&sealed)
                .ok_or_else(|| unusable("The webhook's client key can't be opened; enter it again."))?
                .into(),
        ),
        None => None,
    };
    let tls = Tls { ca_certificate: row.ca_certificate, client_certificate: row.client_certificate, client_key };
    let poster = poster
        .of_webhook(&row.webhook_id, &tls)
        .map_err(|error| ContextError::Unusable(format!("The webhook's certificates can't be used: {error}")))?;
    let environment = row.pass_environment.then(|| Environment {
        organization_id: row.organization_id,
        workspace_id: key.workspace_id.clone(),
        source: row.source,
        source_id: key.send_id.clone(),
    });
    let attempts = Attempts::new(&row.webhook_id);
    Ok(Context {
        common: Common::new(row.webhook_id, row.id_type, &row.encryption, &row.template)
            .map_err(ContextError::Unusable)?,
        url: Address::new(&row.url),
        environment,
        key: secret.map(SecretString::from),
        poster,
        version: row.version,
        gate: Gate::default(),
        attempts,
    })
}
