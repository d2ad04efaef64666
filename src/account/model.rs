//! An account as its owner sees it, and what its forms are told.

use crate::{
    access::{
        person::{NameProblem, check_name},
        weakness::Weakness,
    },
    error::FieldError,
    hidden::Hidden,
};
use serde::{Deserialize, Serialize};

/// Sessions that are shown, those used last first.
pub const SESSIONS_MAX: i64 = 100;

/// Codes and names; "" is what the system has.
pub const THEMES: [(&str, &str); 3] = [("", "System"), ("light", "Light"), ("dark", "Dark")];
/// The languages that the pages are there in, as HTML names them.
pub const LANGUAGES: [(&str, &str); 1] = [("en", "English")];

/// The language of the pages for somebody who chose `code`.
pub fn language(code: &str) -> &'static str {
    LANGUAGES.iter().find(|(known, _)| *known == code).map_or("en", |(known, _)| known)
}

/// The theme for somebody who chose `code`; `None` as the system has it.
pub fn theme(code: &str) -> Option<&'static str> {
    THEMES.iter().map(|(known, _)| *known).find(|known| !known.is_empty() && *known == code)
}

/// What a person says of themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    /// IANA name; "" the browser's.
    #[serde(default)]
    pub time_zone: String,
    #[serde(default)]
    pub theme: String,
    #[serde(default)]
    pub language: String,
}

impl Profile {
    pub fn tidy(mut self) -> Self {
        self.name = self.name.split_whitespace().collect::<Vec<_>>().join(" ");
        self.language = language(&self.language).into();
        self.theme = theme(&self.theme).unwrap_or_default().into();
        self
    }

    /// The [`problem`] with it, but for the zone, which the server knows.
    pub fn problem(&self) -> Option<String> {
        check_name(&self.name).map(|problem| format!("name.{}", problem.code()))
    }
}

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnSession {
    /// To end it by.
    pub id: String,
    /// "Firefox on Linux".
    pub browser: String,
    pub address: String,
    /// Unix milliseconds.
    pub since: i64,
    pub last_seen: i64,
    /// The one that asks.
    pub this: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub email: String,
    pub profile: Profile,
    pub second_factor: bool,
    pub sessions: Vec<OwnSession>,
    /// The time zones to choose from.
    pub zones: Vec<String>,
    pub now: i64,
}

/// A second factor that is not turned on yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// In letters and digits, for typing.
    pub secret: Hidden,
    /// The QR code: modules at a side, and the dark ones as the path of an SVG.
    pub size: u32,
    pub path: Hidden,
}

/// What a form has done, by the word in the address.
pub fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "profile" => "Your profile is saved.",
        "password" => "Your password is changed. All other sessions have ended, and this one began anew.",
        "factor-on" => "The second factor is on. The next sign-in asks for a code.",
        "factor-off" => "The second factor is off. The password alone signs you in.",
        "session" => "The session has ended.",
        _ => return None,
    })
}

/// What is wrong with a form, by the word in the address: the field, a dot, why. Of no field in particular: a dot, why.
pub fn problem(word: &str) -> Option<FieldError> {
    let (field, why) = word.split_once('.')?;
    let text = match (field, why) {
        ("", "wait") => "Too many tries. Wait 15 minutes and try again.".to_string(),
        ("", "busy") => "Many people are signing in right now. Wait a moment and try again.".into(),
        ("", "on") => "The second factor is on already.".into(),
        ("", "off") => "The second factor is off already.".into(),
        ("", "late") => "That took too long. Turn the second factor on again.".into(),
        ("", "gone") => "That session has ended already.".into(),
        ("name", why) => NameProblem::from_code(why)?.text(),
        ("time_zone", "unknown") => "Choose a time zone of the list.".into(),
        ("current_password" | "factor_password", "wrong") => "This is not your current password.".into(),
        ("new_password", "same") => "This is your password already. Choose another one.".into(),
        ("again", "differs") => "The two new passwords are not the same.".into(),
        ("factor_code", "wrong") => "The code is not right. Each code works once; wait for the next one.".into(),
        ("new_password", why) => Weakness::from_code(why)?.text().into(),
        _ => return None,
    };
    Some(FieldError::new(field, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_tidied_and_checked() {
        let of = |name: &str| {
            Profile { name: name.into(), theme: "pink".into(), language: "xx".into(), ..Default::default() }.tidy()
        };
        let tidy = of("  Ada \t Lovelace ");
        assert_eq!((tidy.name.as_str(), tidy.theme.as_str(), tidy.language.as_str()), ("Ada Lovelace", "", "en"));
        assert_eq!(tidy.problem(), None);
        for (name, why) in [(" ", "name.empty"), (&"文".repeat(101), "name.long"), ("A\u{7}da", "name.control")] {
            let word = of(name).problem().unwrap();
            assert_eq!((word.as_str(), problem(&word).unwrap().field.as_str()), (why, "name"));
        }
        assert_eq!((theme("dark"), theme(""), theme("<b>")), (Some("dark"), None, None));
    }

    #[test]
    fn words_of_addresses_are_known_ones() {
        assert_eq!(problem("new_password.common").unwrap().field, "new_password");
        assert_eq!(problem(".wait").unwrap().field, "");
        for stranger in ["", "name", "name.<b>", "other.empty", "new_password.", "current_password.common"] {
            assert_eq!(problem(stranger), None, "{stranger}");
        }
        assert!(done("password").is_some() && done("x").is_none());
    }
}
