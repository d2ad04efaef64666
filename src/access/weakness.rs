//! Why a password can't be taken, in words.

macro_rules! weaknesses {
    ($($variant:ident = $code:literal, $text:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Weakness {
            $($variant),+
        }

        impl Weakness {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// For addresses of pages.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code),+
                }
            }

            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }
    };
}

weaknesses! {
    Short = "short", "The password needs at least 12 characters.";
    Long = "long", "The password may have at most 256 characters.";
    Common = "common", "This password is among the common ones, or close to one. Use several uncommon words.";
    Personal = "personal", "The password holds your name or e-mail address and little else. Use several uncommon words.";
    Keys = "keys", "Keys that lie side by side are easy to guess. Use several uncommon words.";
    Repeats = "repeats", "Repeated characters or words are easy to guess. Use several different words.";
    Sequence = "sequence", "Sequences such as abcd or 4321 are easy to guess. Use several uncommon words.";
    Date = "date", "Dates and years are easy to guess. Use several uncommon words.";
    Word = "word", "One word or name is easy to guess. Use several uncommon words.";
    Guessable = "guessable", "This password is easy to guess. Use several uncommon words.";
}

impl Weakness {
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }
}
