//! What people are shown of a certificate: whose it is, until when, and its fingerprint. Read just far enough for that
//! (X.509 as of RFC 5280, 4.1); whether a certificate can be used is for [`crate::delivery::tls`] to say.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// Characters of a field of PEM, of a key too.
pub const PEM_MAX: usize = 20_000;
/// Certificates in one field.
pub const CERTIFICATES_MAX: usize = 10;

const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";
/// Characters of a line of PEM (RFC 7468, 2).
const LINE: usize = 64;

/// The blocks of a PEM text: label, and content without white space.
fn blocks(pem: &str) -> impl Iterator<Item = (&str, String)> {
    pem.split("-----BEGIN ").skip(1).filter_map(|rest| {
        let (label, rest) = rest.split_once("-----")?;
        let (content, _) = rest.split_once(&format!("-----END {label}-----"))?;
        Some((label, content.split_whitespace().collect()))
    })
}

/// A block as PEM has it.
fn block(label: &str, content: &str) -> String {
    let content: Vec<char> = content.chars().collect();
    let lines: String = content.chunks(LINE).map(|line| line.iter().collect::<String>() + "\n").collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----")
}

/// The certificates of a PEM text without what stands around them, which may be anything. A text with none, with one that
/// is cut off, or with a private key, stays as it is, to be refused.
pub fn certificates_alone(pem: &str) -> String {
    if pem.contains(PRIVATE_KEY) {
        return pem.into();
    }
    let found = blocks(pem).filter(|(label, _)| *label == CERTIFICATE);
    let alone: Vec<String> = found.map(|(label, content)| block(label, &content)).collect();
    let begun = pem.matches(&format!("-----BEGIN {CERTIFICATE}")).count();
    if alone.is_empty() || alone.len() != begun { pem.into() } else { alone.join("\n") }
}

/// The first private key of a PEM text, alone; a text with none stays as it is.
pub fn key_alone(pem: &str) -> String {
    let found = blocks(pem).find(|(label, _)| label.ends_with(PRIVATE_KEY));
    found.map_or_else(|| pem.trim().into(), |(label, content)| block(label, &content))
}

/// What is wrong with a field of certificates, as far as it is seen without reading them.
pub fn check_certificates(pem: &str) -> Result<(), String> {
    if pem.chars().count() > PEM_MAX {
        return Err(format!("At most {PEM_MAX} characters."));
    }
    // It would be kept and shown as it is.
    if pem.contains(PRIVATE_KEY) {
        return Err("This holds a private key. Enter certificates alone here.".into());
    }
    if blocks(pem).count() > CERTIFICATES_MAX {
        return Err(format!("At most {CERTIFICATES_MAX} certificates."));
    }
    Ok(())
}

/// The certificates of a PEM text in one line; "" for none.
pub fn summary(pem: &str) -> String {
    let blocks = blocks(pem).filter(|(label, _)| *label == CERTIFICATE).take(CERTIFICATES_MAX);
    let told = blocks.map(|(_, text)| STANDARD.decode(text).map_or_else(|_| "unreadable".to_string(), |der| one(&der)));
    told.collect::<Vec<_>>().join("; ")
}

fn one(der: &[u8]) -> String {
    let fingerprint = hex::encode(Sha256::digest(der));
    match facts(der) {
        Some((subject, until)) => format!("{subject}, valid until {until}, SHA-256 {fingerprint}"),
        None => format!("SHA-256 {fingerprint}"),
    }
}

const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The attributes of a name that are shown: common name and organization (2.5.4.3, 2.5.4.10).
const SHOWN: [(&[u8], &str); 2] = [(&[0x55, 4, 3], "CN"), (&[0x55, 4, 10], "O")];

/// Tag, content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The content of the element with this tag, and what follows.
fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    element(der).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// Subject and last day.
fn facts(der: &[u8]) -> Option<(String, String)> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (body, _) = expect(certificate, SEQUENCE)?;
    let rest = expect(body, VERSION).map_or(body, |(_, rest)| rest);
    let (_, rest) = expect(rest, INTEGER)?;
    let (_algorithm, rest) = expect(rest, SEQUENCE)?;
    let (_issuer, rest) = expect(rest, SEQUENCE)?;
    let (validity, rest) = expect(rest, SEQUENCE)?;
    let (subject, _) = expect(rest, SEQUENCE)?;
    let (_, _, last) = element(validity)?;
    let (tag, time, _) = element(last)?;
    Some((name(subject), day(tag, time)?))
}

/// `YYYY-MM-DD` of a time that begins `YYMMDD` (19YY from 50 on) or `YYYYMMDD`.
fn day(tag: u8, time: &[u8]) -> Option<String> {
    let time = std::str::from_utf8(time).ok().filter(|time| time.is_ascii())?;
    let (century, rest) = match tag {
        UTC_TIME if time.get(..2)? < "50" => ("20", time),
        UTC_TIME => ("19", time),
        GENERALIZED_TIME => (time.get(..2)?, time.get(2..)?),
        _ => return None,
    };
    let date = rest.get(..6).filter(|date| date.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(format!("{century}{}-{}-{}", &date[..2], &date[2..4], &date[4..]))
}

/// `CN=…, O=…`, or "no name".
fn name(mut attributes: &[u8]) -> String {
    let mut parts = Vec::new();
    while let Some((set, rest)) = expect(attributes, SET) {
        attributes = rest;
        let attribute = expect(set, SEQUENCE).and_then(|(attribute, _)| {
            let (kind, value) = expect(attribute, OBJECT)?;
            let (_, label) = SHOWN.iter().find(|(shown, _)| *shown == kind)?;
            Some((*label, element(value)?.1))
        });
        if let Some((label, value)) = attribute {
            let text = String::from_utf8_lossy(value);
            parts.push(format!("{label}={}", text.replace(char::is_control, " ")));
        }
    }
    if parts.is_empty() { "no name".into() } else { parts.join(", ") }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::delivery::testing::tls::Authority;
    use proptest::prelude::*;

    #[test]
    fn a_certificate_is_told_by_name_day_and_fingerprint() {
        let (one, other) = (Authority::new("Example 例 CA"), Authority::new("Other"));
        let told = summary(&one.certificate);
        assert!(told.starts_with("CN=Example 例 CA, valid until 4096-01-01, SHA-256 "), "{told}");
        assert_eq!(told.rsplit(' ').next().unwrap().len(), 64);
        let both = summary(&format!("{}\r\nnotes between\r\n{}", one.certificate, other.certificate));
        assert_eq!(both, format!("{told}; {}", summary(&other.certificate)));
        assert_eq!(summary(""), "");
        assert_eq!(summary(&block(CERTIFICATE, "!!!")), "unreadable");
        assert!(summary(&block(CERTIFICATE, "AAAA")).starts_with("SHA-256 "));
    }

    #[test]
    fn days_of_both_forms_of_time() {
        assert_eq!(day(UTC_TIME, b"491231235959Z").as_deref(), Some("2049-12-31"));
        assert_eq!(day(UTC_TIME, b"500101000000Z").as_deref(), Some("1950-01-01"));
        assert_eq!(day(GENERALIZED_TIME, b"20500101000000Z").as_deref(), Some("2050-01-01"));
        assert_eq!(day(GENERALIZED_TIME, b"2050"), None);
        assert_eq!(day(INTEGER, b"20500101000000Z"), None);
    }

    #[test]
    fn a_key_is_no_certificate() {
        let authority = Authority::new("CA");
        assert_eq!(check_certificates(&authority.certificate), Ok(()));
        assert!(check_certificates(&authority.client("c").key).unwrap_err().contains("private key"));
        assert!(check_certificates(&"x".repeat(PEM_MAX + 1)).is_err());
        assert!(check_certificates(&block(CERTIFICATE, "AAAA").repeat(CERTIFICATES_MAX + 1)).is_err());
    }

    #[test]
    fn what_stands_around_certificates_and_keys_goes() {
        let authority = Authority::new("CA");
        let one = authority.client("one");
        let (ca, own, key) = (authority.certificate.trim(), one.certificate.trim(), one.key.trim());
        let both = certificates_alone(&format!("subject=CN = one\npassword: hunter2\n{own}\r\n\r\n{ca}the end"));
        assert_eq!(both, format!("{own}\n{ca}"));
        let cut_off = format!("{own}\n{}", &ca[..ca.len() - 9]);
        assert_eq!(certificates_alone(&cut_off), cut_off, "one that is cut off is not left out");
        assert_eq!(certificates_alone(&both), both);
        assert_eq!(certificates_alone(&ca.replace('\n', " ")), ca, "lines that were lost come back");
        assert_eq!(certificates_alone("nonsense"), "nonsense", "what is wrong is told, not left out");
        for key in [key.to_string(), block("ENCRYPTED PRIVATE KEY", "AAAA"), block("RSA PRIVATE KEY", "AAAA")] {
            let with = certificates_alone(&format!("{own}{key}"));
            assert!(check_certificates(&with).is_err(), "{with}");
        }
        let around = format!("Bag Attributes\n{}{own}{}more", block("EC PARAMETERS", "AAAA"), one.key);
        assert_eq!(key_alone(&around), key);
        assert_eq!(key_alone(&key.replace('\n', "\r\n")), key);
        assert_eq!(key_alone(" nonsense\n"), "nonsense");
        let locked = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----";
        assert!(key_alone(locked).contains("ENCRYPTED"), "why it can't be used is still seen");
    }

    proptest! {
        #[test]
        fn nothing_breaks_the_reader(bytes: Vec<u8>, cut in 0usize..2_000, at in 0usize..2_000, with: u8) {
            one(&bytes);
            let authority = Authority::new("CA");
            let text: String = authority.certificate.lines().filter(|line| !line.starts_with('-')).collect();
            let mut der = STANDARD.decode(text).unwrap();
            if let Some(byte) = der.get_mut(at) {
                *byte = with;
            }
            one(&der);
            one(&der[..cut.min(der.len())]);
        }
    }
}
