//! Passwords: argon2id with the crate's recommended cost, off the async threads.

use super::weakness::Weakness;
use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
};
use zxcvbn::{
    feedback::{Feedback, Warning},
    zxcvbn,
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

/// Characters.
pub const SHORTEST: usize = 12;
pub const LONGEST: usize = 256;
/// Characters that are looked at for how easily they are guessed: the time that it takes grows faster than the text.
const LOOKED_AT: usize = 48;
/// Guesses are scored from 0 to 4.
const ENOUGH: u8 = 3;

/// What is wrong with a password, if anything. `about` is what others know of its owner: e-mail address and name.
pub async fn weakness(password: &str, about: &[&str]) -> Result<Option<Weakness>, String> {
    let (password, words) = (password.to_string(), words(about));
    spawn_blocking(move || look(&password, &words)).await.map_err(|error| error.to_string())
}

/// [`weakness`], which takes milliseconds; `words` are those of its owner.
fn look(password: &str, words: &[String]) -> Option<Weakness> {
    match password.chars().count() {
        length if length < SHORTEST => return Some(Weakness::Short),
        length if length > LONGEST => return Some(Weakness::Long),
        _ => {}
    }
    let looked_at: String = password.chars().take(LOOKED_AT).collect();
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    let guess = zxcvbn(&looked_at, &known);
    if u8::from(guess.score()) >= ENOUGH {
        return None;
    }
    let lower = looked_at.to_lowercase();
    if words.iter().any(|word| word.chars().count() >= 4 && lower.contains(word.as_str())) {
        return Some(Weakness::Personal);
    }
    Some(match guess.feedback().and_then(Feedback::warning) {
        Some(
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword
            | Warning::ThisIsSimilarToACommonlyUsedPassword,
        ) => Weakness::Common,
        Some(Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess) => {
            Weakness::Keys
        }
        Some(Warning::RepeatsLikeAaaAreEasyToGuess | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess) => {
            Weakness::Repeats
        }
        Some(Warning::SequencesLikeAbcAreEasyToGuess) => Weakness::Sequence,
        Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => Weakness::Date,
        Some(
            Warning::AWordByItselfIsEasyToGuess
            | Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
            | Warning::CommonNamesAndSurnamesAreEasyToGuess,
        ) => Weakness::Word,
        None => Weakness::Guessable,
    })
}

/// What is known, and the words of it, in lower case.
fn words(about: &[&str]) -> Vec<String> {
    let whole = about.iter().map(|text| text.chars().take(LOOKED_AT).collect::<String>().to_lowercase());
    let mut words = Vec::new();
    for text in whole {
        words.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(String::from));
        words.push(text);
    }
    words
}

pub async fn hash(password: String) -> Result<String, String> {
    let _permit = AT_ONCE.acquire().await.map_err(|error| error.to_string())?;
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
    }

    #[tokio::test]
    async fn common_and_personal_passwords_are_refused() {
        let about = ["admin@example.com", "Grace Hopper"];
        for good in [
            crate::commands::demo::PASSWORD,
            crate::server::testing::PASSWORD,
            "correct horse battery",
            "密码很长而且不好猜测的十二字",
        ] {
            assert_eq!(weakness(good, &about).await, Ok(None), "{good}");
        }
        for (bad, why) in [
            ("elevenchars", Weakness::Short),
            ("password1234", Weakness::Common),
            ("qwertyuiop123", Weakness::Common),
            ("aaaaaaaaaaaaaa", Weakness::Repeats),
            ("abcdefghijklmn", Weakness::Sequence),
            ("gracehopper1", Weakness::Personal),
            ("Admin@Example.com", Weakness::Personal),
        ] {
            assert_eq!(weakness(bad, &about).await, Ok(Some(why)), "{bad}");
        }
        assert_eq!(weakness(&"kx9 vq2 wz".repeat(26), &about).await, Ok(Some(Weakness::Long)));
        assert!(Weakness::Common.text().contains("common"));
        assert_eq!(Weakness::from_code("keys"), Some(Weakness::Keys));
    }

    #[test]
    fn a_text_made_to_be_slow_is_not() {
        let began = std::time::Instant::now();
        for text in ["4@8({[<369!|10$5+7%2", "p4$$w0rd", "1q2w3e4r", "aA1!", "2020-01-01"] {
            let long: String = text.chars().cycle().take(LONGEST).collect();
            let name: String = "a b c d ".repeat(1_000);
            look(&long, &words(&[&name, &name]));
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn nobody_verifies_without_a_hash() {
        assert!(!verify(String::new(), Some(String::new())).await);
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
