//! Why a POST brought no answer, in words for people: the causes of reqwest, hyper and rustls, which their outer errors
//! hide behind "error sending request".

use super::{
    guard::{Blocked, Unresolved},
    verdict::Problem,
};
use rustls::{AlertDescription, CertificateError, PeerIncompatible};
use std::{error::Error, io};

type Cause = dyn Error + 'static;

/// By the innermost cause that says something.
pub fn problem(error: &reqwest::Error) -> Problem {
    let connecting = error.is_connect();
    let cause = match innermost(error, connecting) {
        Ok(problem) => return problem,
        Err(cause) => cause,
    };
    let text = match cause.downcast_ref::<io::Error>() {
        // Without the number that the system has for it.
        Some(error) => error.kind().to_string(),
        None => cause.to_string(),
    };
    if error.is_builder() {
        Problem::Refused(text)
    } else if connecting {
        Problem::Connect(text)
    } else {
        Problem::Broken(text)
    }
}

/// The problem that a cause names, or else the last cause.
fn innermost(error: &Cause, connecting: bool) -> Result<Problem, &Cause> {
    let mut cause = error;
    let mut unsent = false;
    loop {
        if let Some(problem) = named(cause, connecting) {
            return Ok(problem);
        }
        unsent |= cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled);
        match within(cause) {
            Some(next) => cause = next,
            // With TLS 1.3 a receiver that demands a certificate hangs up after the handshake, and why is lost when
            // the connection is found closed before its alert is read.
            None if unsent => {
                return Ok(Problem::Broken("it ended before the message was sent".into()));
            }
            None => return Err(cause),
        }
    }
}

/// What an error wraps: the source of an [`io::Error`] leaves out the error that it was made of.
fn within(cause: &Cause) -> Option<&Cause> {
    match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}

fn named(cause: &Cause, connecting: bool) -> Option<Problem> {
    if let Some(blocked) = cause.downcast_ref::<Blocked>() {
        Some(Problem::Refused(blocked.to_string()))
    } else if let Some(unresolved) = cause.downcast_ref::<Unresolved>() {
        Some(Problem::Connect(unresolved.to_string()))
    } else if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        Some(Problem::Tls(tls(error)))
    } else if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        http(error)
    } else {
        cause.downcast_ref::<io::Error>().and_then(|error| transport(error, connecting))
    }
}

fn http(error: &hyper::Error) -> Option<Problem> {
    if error.is_parse_too_large() {
        Some(Problem::HeadTooLarge)
    } else if error.is_parse() {
        Some(Problem::Malformed("it is not HTTP".into()))
    } else if error.is_incomplete_message() {
        Some(Problem::Broken("it was closed before the answer was complete".into()))
    } else {
        None
    }
}

/// hyper tells a broken body by the kinds of its I/O errors.
fn transport(error: &io::Error, connecting: bool) -> Option<Problem> {
    // One that wraps another is named by that one, if it can be.
    let wraps_tls = error.get_ref().is_some_and(|wrapped| wrapped.is::<rustls::Error>());
    match error.kind() {
        _ if wraps_tls => None,
        io::ErrorKind::UnexpectedEof if connecting => {
            Some(Problem::Tls("the connection was closed during the handshake".into()))
        }
        io::ErrorKind::UnexpectedEof => Some(Problem::Broken("it was closed in the middle of the answer".into())),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if !connecting => {
            Some(Problem::Malformed("its parts are not as HTTP has them".into()))
        }
        _ => None,
    }
}

fn tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(wrong) => certificate(wrong).into(),
        rustls::Error::NoCertificatesPresented => "the receiver shows no certificate".into(),
        rustls::Error::InvalidMessage(_) => "the receiver does not speak TLS at this port".into(),
        rustls::Error::AlertReceived(alert) => refusal(*alert),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => "the receiver's version of TLS is too old".into(),
        rustls::Error::PeerIncompatible(_) => "the receiver and this server have no cipher in common".into(),
        other => other.to_string(),
    }
}

fn certificate(wrong: &CertificateError) -> &'static str {
    match wrong {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another name"
        }
        CertificateError::Revoked => "the certificate has been revoked",
        _ => "the certificate is not trusted",
    }
}

fn refusal(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => "the receiver demands a client certificate".into(),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => "the receiver does not accept the client certificate".into(),
        AlertDescription::UnrecognisedName => "the receiver has no certificate for this name".into(),
        AlertDescription::ProtocolVersion => "the receiver's version of TLS is too old".into(),
        other => format!("the receiver broke off the handshake ({other:?})"),
    }
}

#[cfg(test)]
mod tests;
