//! Authorities, certificates and a receiver that speaks TLS, made anew by each test.

use super::hostile::{Line, Receiver, TAKEN};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{io, sync::Arc};
use tokio::io::AsyncReadExt;
use tokio_rustls::TlsAcceptor;

/// Who signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// PEM.
    pub certificate: String,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Leaf {
    pub certificate: String,
    pub key: String,
}

fn named(names: &[&str], common: &str) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common);
    params
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = named(&[], name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn sign(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Leaf {
        let key = KeyPair::generate().unwrap();
        params.extended_key_usages = vec![usage];
        Leaf { certificate: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }

    pub fn server(&self, names: &[&str]) -> Leaf {
        self.sign(named(names, "a receiver"), ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// One that was valid until the end of 1999.
    pub fn expired(&self, names: &[&str]) -> Leaf {
        let mut params = named(names, "a receiver");
        params.not_after = date_time_ymd(2000, 1, 1);
        self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    pub fn client(&self, name: &str) -> Leaf {
        self.sign(named(&[], name), ExtendedKeyUsagePurpose::ClientAuth)
    }
}

/// Signed by itself, for `names`.
pub fn self_signed(names: &[&str]) -> Leaf {
    let key = KeyPair::generate().unwrap();
    Leaf { certificate: named(names, "itself").self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

/// A receiver that takes every message over TLS, and only from whom `clients` has signed, if it is given.
pub async fn receiver(own: &Leaf, clients: Option<&Authority>) -> Receiver {
    playing(own, clients, "http/1.1", |mut line| async move {
        while line.request().await.is_ok() {
            line.say(TAKEN).await?;
            line.took();
        }
        Ok(())
    })
    .await
}

/// One that plays `play` with every connection, in a protocol as ALPN has it.
pub async fn playing<F, P>(own: &Leaf, clients: Option<&Authority>, protocol: &str, play: F) -> Receiver
where
    F: Fn(Line) -> P + Clone + Send + Sync + 'static,
    P: Future<Output = io::Result<()>> + Send + 'static,
{
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // With 1.3 a client that shows no certificate is done before it is refused, and may not read why.
    let versions = if clients.is_some() { &[&rustls::version::TLS12] } else { rustls::DEFAULT_VERSIONS };
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions).unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(der(&authority.certificate)).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(vec![der(&own.certificate)], key).unwrap();
    config.alpn_protocols = vec![protocol.into()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Receiver::start(move |line: Line| {
        let (acceptor, play) = (acceptor.clone(), play.clone());
        async move {
            match line.upgrade(|wire| async move { acceptor.accept(wire).into_fallible().await }).await {
                Ok(line) => play(line).await,
                // The refusal must arrive before the connection is gone.
                Err((error, mut rest)) => {
                    let _ = rest.read_to_end(&mut Vec::new()).await;
                    Err(error)
                }
            }
        }
    })
    .await
}
