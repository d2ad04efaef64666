//! What a webhook's connections are made with besides the engine's own settings: an authority to trust, and a
//! certificate to show.

use rustls::{
    RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::ParsedCertificate,
    sign::CertifiedKey,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Clients that are kept; the one that was not asked for longest goes first. One that is in use lives on until its
/// POSTs have ended.
const KEPT: usize = 64;

/// A webhook's certificates as PEM; empty for none.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// The authorities that are trusted, and no others; empty: those of the system.
    pub ca_certificate: String,
    /// Shown to a receiver that asks for it: the certificate, and then those in between, if there are.
    pub client_certificate: String,
    pub client_key: Option<SecretString>,
}

/// What is wrong with a [`Tls`]; for people.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{0}")]
    Ca(&'static str),
    #[error("{0}")]
    Certificate(&'static str),
    #[error("{0}")]
    Key(&'static str),
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

impl Tls {
    pub fn is_empty(&self) -> bool {
        self.ca_certificate.is_empty() && self.client_certificate.is_empty()
    }

    /// Whether connections can be made with it: it can be read, and the key is the certificate's.
    pub fn check(&self) -> Result<(), TlsError> {
        self.authorities()?;
        self.identity().map(drop)
    }

    /// The PEM of key and certificates, when there are any.
    fn identity(&self) -> Result<Option<SecretString>, TlsError> {
        let key = self.client_key.as_ref().map(|key| key.expose_secret()).filter(|key| !key.trim().is_empty());
        if self.client_certificate.is_empty() {
            return match key {
                None => Ok(None),
                Some(_) => Err(TlsError::Certificate("Enter the certificate that the key belongs to.")),
            };
        }
        let chain = certificates(&self.client_certificate).map_err(TlsError::Certificate)?;
        let key = key.ok_or(TlsError::Key("Enter the key of the client certificate."))?;
        if key.contains("ENCRYPTED") {
            return Err(TlsError::Key("This key is locked with a passphrase. Enter it without one."));
        }
        let unreadable = TlsError::Key("This is no private key in PEM form.");
        let parsed = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| unreadable)?;
        match CertifiedKey::from_der(chain, parsed, &ring::default_provider()) {
            Ok(_) => Ok(Some(format!("{key}\n{}", self.client_certificate).into())),
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err(TlsError::Key("This key does not belong to the client certificate."))
            }
            Err(rustls::Error::InvalidCertificate(_)) => Err(TlsError::Certificate("This certificate cannot be used.")),
            Err(_) => Err(TlsError::Key("Keys of this kind cannot be used; RSA, ECDSA and Ed25519 can.")),
        }
    }

    fn authorities(&self) -> Result<Vec<reqwest::Certificate>, TlsError> {
        if self.ca_certificate.is_empty() {
            return Ok(Vec::new());
        }
        let mut roots = RootCertStore::empty();
        let found = certificates(&self.ca_certificate).map_err(TlsError::Ca)?;
        for certificate in &found {
            roots.add(certificate.clone()).map_err(|_| TlsError::Ca("This certificate cannot be used."))?;
        }
        Ok(found.iter().map(|certificate| reqwest::Certificate::from_der(certificate)).collect::<Result<_, _>>()?)
    }

    /// A client with it.
    pub fn apply(&self, mut builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, TlsError> {
        let authorities = self.authorities()?;
        if !authorities.is_empty() {
            builder = builder.tls_certs_only(authorities);
        }
        if let Some(identity) = self.identity()? {
            builder = builder.identity(reqwest::Identity::from_pem(identity.expose_secret().as_bytes())?);
        }
        Ok(builder)
    }

    /// Of everything that makes it another one.
    fn fingerprint(&self) -> [u8; 32] {
        let key = self.client_key.as_ref().map_or("", |key| key.expose_secret());
        let mut hash = Sha256::new();
        for part in [self.ca_certificate.as_str(), &self.client_certificate, key] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }
}

/// The certificates of a PEM text: at least one, and each is one.
fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if found.iter().any(|one| ParsedCertificate::try_from(one).is_err()) => {
            Err("This certificate cannot be used.")
        }
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err("This is no certificate in PEM form."),
    }
}

/// The clients of webhooks with certificates, one for each; shared by all who clone it.
#[derive(Clone, Debug, Default)]
pub struct Clients(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    clients: HashMap<String, Client>,
    /// Counts what was asked for, as a clock.
    turn: u64,
}

#[derive(Debug)]
struct Client {
    fingerprint: [u8; 32],
    client: reqwest::Client,
    used: u64,
}

impl Clients {
    /// The webhook's client, made when there is none or it is another's; `None` without certificates.
    pub fn get(
        &self,
        webhook_id: &str,
        tls: &Tls,
        make: impl FnOnce() -> Result<reqwest::Client, TlsError>,
    ) -> Result<Option<reqwest::Client>, TlsError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tls.is_empty() {
            kept.clients.remove(webhook_id);
            return Ok(None);
        }
        kept.turn += 1;
        let (turn, fingerprint) = (kept.turn, tls.fingerprint());
        if let Some(known) = kept.clients.get_mut(webhook_id).filter(|known| known.fingerprint == fingerprint) {
            known.used = turn;
            return Ok(Some(known.client.clone()));
        }
        kept.clients.remove(webhook_id);
        let client = make()?;
        if kept.clients.len() >= KEPT
            && let Some(oldest) = kept.clients.iter().min_by_key(|(_, one)| one.used).map(|(id, _)| id.clone())
        {
            kept.clients.remove(&oldest);
        }
        kept.clients.insert(webhook_id.to_string(), Client { fingerprint, client: client.clone(), used: turn });
        Ok(Some(client))
    }
}

#[cfg(test)]
mod tests;
