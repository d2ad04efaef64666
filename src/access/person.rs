//! What people are called and reached by, and what can't be taken as a name or an address.

/// Characters of a person's name.
pub const NAME_MAX: usize = 100;
/// Characters of an e-mail address.
pub const EMAIL_MAX: usize = 254;

/// Why a name can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameProblem {
    Empty,
    Long,
    Control,
}

impl NameProblem {
    const ALL: [Self; 3] = [Self::Empty, Self::Long, Self::Control];

    /// For addresses of pages.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Long => "long",
            Self::Control => "control",
        }
    }

    pub fn text(self) -> String {
        match self {
            Self::Empty => "Enter a name.".into(),
            Self::Long => format!("A name has at most {NAME_MAX} characters."),
            Self::Control => "Remove line breaks and other control characters from the name.".into(),
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.code() == code)
    }
}

/// Why a person's name can't be taken.
pub fn check_name(name: &str) -> Option<NameProblem> {
    match name.chars().count() {
        0 => Some(NameProblem::Empty),
        length if length > NAME_MAX => Some(NameProblem::Long),
        _ if name.chars().any(char::is_control) => Some(NameProblem::Control),
        _ => None,
    }
}

/// The name of somebody of whom only the address is known: what stands before the @.
pub fn name_of(email: &str) -> String {
    email.split('@').next().unwrap_or_default().chars().take(NAME_MAX).collect()
}

/// Why an e-mail address, in lower case, can't be taken.
pub fn check_email(email: &str) -> Option<String> {
    let wrong = || Some("Enter an e-mail address, such as ada@example.com.".to_string());
    let Some((local, domain)) = email.split_once('@') else { return wrong() };
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | ',' | ';' | '<' | '>' | '"');
    if local.is_empty() || domain.is_empty() || local.contains(odd) || domain.contains(odd) {
        return wrong();
    }
    (email.chars().count() > EMAIL_MAX || email.len() > 2 * EMAIL_MAX)
        .then(|| format!("An e-mail address has at most {EMAIL_MAX} characters."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in ["ada@example.com", "ada.b+c@x", "名@例.cn", &format!("{}@x.y", "a".repeat(250))] {
            assert_eq!(check_email(good), None, "{good}");
        }
        for bad in ["", "ada", "@x", "ada@", "a@b@c", "a b@c", "a@b,c@d", "<a@b>", &format!("{}@x.y", "a".repeat(251))]
        {
            assert!(check_email(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn names_are_there_short_and_on_one_line() {
        for good in ["Ada", "文", &"文".repeat(NAME_MAX)] {
            assert_eq!(check_name(good), None, "{good}");
        }
        for (bad, why) in [("", "empty"), (&"文".repeat(NAME_MAX + 1), "long"), ("A\u{7}da", "control")] {
            let problem = check_name(bad).unwrap();
            assert_eq!((problem.code(), NameProblem::from_code(why)), (why, Some(problem)));
        }
        assert_eq!(name_of("ada@example.com"), "ada");
        assert_eq!(check_name(&name_of(&format!("{}@x.y", "a".repeat(250)))), None);
    }
}
