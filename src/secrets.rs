//! Secrets at rest: webhooks' keys are sealed with XChaCha20-Poly1305 under the installation's master key.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit},
};
use sha2::{Digest, Sha256};
use std::{io::Write, path::Path};

/// The key that opens all others. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct MasterKey(XChaCha20Poly1305);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(***)")
    }
}

const NONCE: usize = 24;
const FILE: &str = "secret.key";

impl MasterKey {
    /// From any text of at least 16 characters.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.chars().count() < 16 {
            return Err("the master key must have at least 16 characters".into());
        }
        let key = Sha256::digest(text.as_bytes());
        XChaCha20Poly1305::new_from_slice(&key).map(Self).map_err(|error| error.to_string())
    }

    /// Whether the data folder has a `secret.key`.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// From `secret.key` in the data folder, which is made, readable by its owner alone, when it is not there.
    pub fn from_folder(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE);
        let problem = |error: std::io::Error| format!("{}: {error}", path.display());
        if !path.exists() {
            std::fs::create_dir_all(folder).map_err(problem)?;
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&path).map_err(problem)?;
            writeln!(file, "{}", random_hex(32)).map_err(problem)?;
            file.sync_all().map_err(problem)?;
        }
        Self::from_text(&std::fs::read_to_string(&path).map_err(problem)?)
    }

    /// Base64 of nonce and ciphertext.
    pub fn seal(&self, text: &str) -> String {
        let nonce: [u8; NONCE] = rand::random();
        let mut sealed = nonce.to_vec();
        // Encrypting into memory fails only for texts of 256 GiB.
        sealed.extend(self.0.encrypt(XNonce::from_slice(&nonce), text.as_bytes()).unwrap_or_default());
        STANDARD.encode(sealed)
    }

    /// `None` when it was sealed with another key or has been changed.
    pub fn open(&self, sealed: &str) -> Option<String> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, cipher) = bytes.split_at_checked(NONCE)?;
        let text = self.0.decrypt(XNonce::from_slice(nonce), cipher).ok()?;
        String::from_utf8(text).ok()
    }
}

/// `bytes` random bytes in hex.
pub fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0u8; bytes];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut buffer);
    hex::encode(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_the_same_key_only() {
        let key = MasterKey::from_text("a key of enough length").unwrap();
        let other = MasterKey::from_text("another key of enough length").unwrap();
        let sealed = key.seal("秘密 123");
        assert_eq!(key.open(&sealed).as_deref(), Some("秘密 123"));
        assert_eq!(other.open(&sealed), None);
        assert_eq!(key.open("not base64 at all!"), None);
        assert_eq!(key.open("AAAA"), None);
        assert_ne!(sealed, key.seal("秘密 123"), "a fresh nonce each time");
    }

    #[test]
    fn the_key_file_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = MasterKey::from_folder(folder.path()).unwrap().seal("x");
        assert_eq!(MasterKey::from_folder(folder.path()).unwrap().open(&sealed).as_deref(), Some("x"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.path().join("secret.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
