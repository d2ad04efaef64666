//! Passwords: argon2id with the crate's recommended cost, off the async threads.

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
};

/// Hashing takes 19 MiB and tens of milliseconds: two at once bound what strangers can make us spend.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// Those who wait for it, and those whose turn it is.
static QUEUE: Semaphore = Semaphore::const_new(128);

/// The hash of no password that anyone has.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cmVhY2h3aXJlLW5vYm9keQ$1UkZ1kYIcPP6XI1bGTcYRyoXDKUHSlmWSnHJ1xSWC5U";

/// A place among those whose passwords wait to be looked at; `None` when there are too many.
pub fn queue() -> Option<SemaphorePermit<'static>> {
    QUEUE.try_acquire().ok()
}

pub const SHORTEST: usize = 12;
const LONGEST: usize = 256;

/// Why a password can't be taken.
pub fn check(password: &str) -> Result<(), String> {
    match password.chars().count() {
        length if length < SHORTEST => Err(format!("The password needs at least {SHORTEST} characters.")),
        length if length > LONGEST => Err(format!("The password may have at most {LONGEST} characters.")),
        _ => Ok(()),
    }
}

pub async fn hash(password: String) -> Result<String, String> {
    spawn_blocking(move || {
        let salt = SaltString::generate(&mut OsRng);
        Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string())
    })
    .await
    .map_err(|error| error.to_string())?
    .map_err(|error| error.to_string())
}

/// Takes as long for an account that does not exist (`hash` is `None`) as for one that does.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    let Ok(_permit) = AT_ONCE.acquire().await else {
        return false;
    };
    spawn_blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.into());
        let matches = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        matches && known
    })
    .await
    .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_verifies() {
        let kept = hash("correct horse battery".into()).await.unwrap();
        assert!(verify("correct horse battery".into(), Some(kept.clone())).await);
        assert!(!verify("correct horse batterz".into(), Some(kept)).await);
        assert!(!verify("anything at all".into(), None).await);
        assert!(check("elevenchars").is_err());
        assert!(check("twelve chars").is_ok());
    }

    #[test]
    fn nobodys_hash_costs_as_much_as_anybodys() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        let cost = argon2::Params::try_from(&hash).unwrap();
        assert_eq!((cost.m_cost(), cost.t_cost(), cost.p_cost()), {
            let usual = argon2::Params::default();
            (usual.m_cost(), usual.t_cost(), usual.p_cost())
        });
    }
}
