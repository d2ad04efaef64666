//! The two signatures of a request: the seed's own and the Standard Webhooks one (PRODUCT, "The wire").

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

pub const HEADER: &str = "X-QA-Hmac-Signature";

fn hmac(key: &str, message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return Vec::new();
    };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// How a signature comes about, for those who compute it too: each string on the way to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    pub sorted: [String; 3],
    pub joined: String,
    /// Joined, without white space: what is signed.
    pub message: String,
    /// Lower-case hex.
    pub signature: String,
}

/// The signature of seed 002, "Authentication method", as its Java sample computes it: the three strings sorted as
/// Java sorts (by UTF-16 units), joined, without what Java's `\s` matches (six ASCII characters).
pub fn steps(key: &str, timestamp: &str, nonce: &str) -> Steps {
    let mut strings = [key, timestamp, nonce];
    strings.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    let joined = strings.concat();
    let message: String = joined.chars().filter(|c| !matches!(c, ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r')).collect();
    let signature = hex::encode(hmac(key, message.as_bytes()));
    Steps { sorted: strings.map(str::to_string), joined, message, signature }
}

/// The value of [`HEADER`]: see [`steps`].
pub fn sign(key: &str, timestamp: &str, nonce: &str) -> String {
    steps(key, timestamp, nonce).signature
}

/// Whether `signature` is the one for these, in constant time; upper-case hex is understood.
pub fn verify(key: &str, timestamp: &str, nonce: &str, signature: &str) -> bool {
    let right = sign(key, timestamp, nonce);
    right.as_bytes().ct_eq(signature.trim().to_ascii_lowercase().as_bytes()).into()
}

/// Standard Webhooks' `webhook-signature`: it covers the body.
pub fn sign_body(key: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut message = format!("{id}.{timestamp}.").into_bytes();
    message.extend_from_slice(body);
    format!("v1,{}", STANDARD.encode(hmac(key, &message)))
}

pub fn verify_body(key: &str, id: &str, timestamp: i64, body: &[u8], signature: &str) -> bool {
    let right = sign_body(key, id, timestamp, body);
    signature.split(' ').any(|one| right.as_bytes().ct_eq(one.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMESTAMP: &str = "1631865523";
    const NONCE: &str = "2e6eceb5737b473284c930c8ef79090e";

    #[test]
    fn the_vectors() {
        assert_eq!(
            sign("123456789", TIMESTAMP, NONCE),
            "459fa2f7e79389c337e6b2077538fb9408241e79715b2f40dfa6c2757e2ecce8"
        );
        assert_eq!(
            sign("my secret", TIMESTAMP, NONCE),
            "15a32e063c533a9fbe5d79ebdab2b16664cb3ccbb7f18ad9a4ecd8ac4142cb03"
        );
    }

    #[test]
    fn strings_sort_as_in_java() {
        // U+FF5E sorts after U+1F600 in UTF-16 (its high surrogate is smaller), before it by code point.
        let java = hex::encode(hmac("\u{ff5e}", "1\u{1f600}\u{ff5e}".as_bytes()));
        assert_eq!(sign("\u{ff5e}", "1", "\u{1f600}"), java);
        // A no-break space is no white space to Java's \s.
        assert_eq!(sign("a\u{a0}b", "1", "2"), hex::encode(hmac("a\u{a0}b", "12a\u{a0}b".as_bytes())));
    }

    #[test]
    fn each_string_on_the_way_is_told() {
        let steps = steps("my secret", TIMESTAMP, NONCE);
        assert_eq!(steps.sorted, [TIMESTAMP, NONCE, "my secret"]);
        assert_eq!(steps.joined, "16318655232e6eceb5737b473284c930c8ef79090emy secret");
        assert_eq!(steps.message, "16318655232e6eceb5737b473284c930c8ef79090emysecret");
        assert_eq!(steps.signature, "15a32e063c533a9fbe5d79ebdab2b16664cb3ccbb7f18ad9a4ecd8ac4142cb03");
    }

    #[test]
    fn only_the_right_signature_verifies() {
        let right = sign("k", "1", "n");
        assert!(verify("k", "1", "n", &right));
        assert!(verify("k", "1", "n", &right.to_uppercase()));
        for wrong in ["", "x", &right[1..], &sign("k", "2", "n"), &sign("K", "1", "n")] {
            assert!(!verify("k", "1", "n", wrong));
        }
    }

    #[test]
    fn the_bodys_signature_covers_the_body() {
        let signature = sign_body("k", "batch", 5, b"[1]");
        assert!(verify_body("k", "batch", 5, b"[1]", &signature));
        assert!(verify_body("k", "batch", 5, b"[1]", &format!("v1,old {signature}")), "one of several");
        assert!(!verify_body("k", "batch", 5, b"[2]", &signature));
        assert!(!verify_body("k", "other", 5, b"[1]", &signature));
    }
}
