//! ID types, tags and customers.

use serde::{Deserialize, Serialize};

/// Seed 002, "Supported ID types": code and meaning.
pub const PRESET_ID_TYPES: [(&str, &str); 14] = [
    ("ONEID", "OneID"),
    ("EMAIL", "Email address"),
    ("MOBILE", "Mobile number"),
    ("TAOBAO_ID", "Taobao ID"),
    ("TAOBAO_NICK", "Taobao nickname"),
    ("IMEI", "Mobile phone IMEI"),
    ("IMSI", "Mobile phone IMSI"),
    ("IDFA", "Mobile phone IDFA"),
    ("MAC_ORG", "MAC address"),
    ("WEIBO_ID_ORG", "Weibo ID"),
    ("ALIPAY_ID", "Alipay ID"),
    ("UNION_ID", "WeChat UnionID"),
    ("OAID", "OAID"),
    ("OPEN_ID", "WeChat OpenID"),
];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdType {
    pub code: String,
    pub name: String,
}

/// What a tag's values are. Dates are kept as `YYYY-MM-DD`, with ` HH:MM:SS` when they have a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TagKind {
    Text,
    Number,
    Date,
    Boolean,
}

/// One ID of one customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub id_type: String,
    pub value: String,
}

/// What is known of one customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    pub customer_id: String,
    /// By ID type and value.
    pub identities: Vec<Identity>,
    pub tags: serde_json::Map<String, serde_json::Value>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    pub name: String,
    pub kind: TagKind,
}

impl TagKind {
    pub const ALL: [Self; 4] = [Self::Text, Self::Number, Self::Date, Self::Boolean];

    pub fn code(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Boolean => "boolean",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Number",
            Self::Date => "Date",
            Self::Boolean => "Yes or no",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Lengths in characters.
pub const ID_MAX: usize = 128;
pub const TAG_NAME_MAX: usize = 64;
pub const TAG_TEXT_MAX: usize = 1_000;

/// A name that fits between the quotes of a JSON path, which is how tags are found in the database.
pub fn is_tag_name(name: &str) -> bool {
    let length = name.chars().count();
    (1..=TAG_NAME_MAX).contains(&length)
        && name.trim() == name
        && !name.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'))
}

/// Why a row of an import was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    NoCustomerId,
    DuplicateIdentity,
    NotANumber,
    NotADate,
    NotYesOrNo,
    TooLong,
    WrongCells,
    BrokenQuoting,
    NotUtf8,
    NulCharacter,
}

impl Reason {
    pub const ALL: [Self; 10] = [
        Self::NoCustomerId,
        Self::DuplicateIdentity,
        Self::NotANumber,
        Self::NotADate,
        Self::NotYesOrNo,
        Self::TooLong,
        Self::WrongCells,
        Self::BrokenQuoting,
        Self::NotUtf8,
        Self::NulCharacter,
    ];

    /// As the database and the downloads have it.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoCustomerId => "no_customer_id",
            Self::DuplicateIdentity => "duplicate_identity",
            Self::NotANumber => "not_a_number",
            Self::NotADate => "not_a_date",
            Self::NotYesOrNo => "not_yes_or_no",
            Self::TooLong => "too_long",
            Self::WrongCells => "wrong_number_of_cells",
            Self::BrokenQuoting => "broken_quoting",
            Self::NotUtf8 => "not_utf8",
            Self::NulCharacter => "nul_character",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::NoCustomerId => "No customer ID",
            Self::DuplicateIdentity => "Duplicate identity",
            Self::NotANumber => "Not a number",
            Self::NotADate => "Not a date",
            Self::NotYesOrNo => "Not yes or no",
            Self::TooLong => "Too long",
            Self::WrongCells => "Wrong number of cells",
            Self::BrokenQuoting => "Broken quoting",
            Self::NotUtf8 => "Not UTF-8",
            Self::NulCharacter => "NUL character",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// A tag's value as text, as messages and pages show it: whole numbers without a point, booleans as true and false.
pub fn tag_text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => {
            let whole = number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() < 9e15);
            Some(whole.map_or_else(|| number.to_string(), |value| format!("{value:.0}")))
        }
        other => Some(other.to_string()),
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportStatus {
    /// The file is there; its columns wait to be mapped.
    Uploaded,
    Running,
    /// Nothing has come of it for minutes: whoever ran it is gone. The database says that it runs; see [`Import::at`].
    Interrupted,
    Finished,
    /// Stopped by a fault of ours or of the disk; it can go on from where it stopped.
    Failed,
}

/// A running import that has not moved for so long was interrupted, in ms. A chunk takes seconds.
pub const SILENCE_MAX: i64 = 5 * 60 * 1_000;

impl ImportStatus {
    pub const ALL: [Self; 5] = [Self::Uploaded, Self::Running, Self::Interrupted, Self::Finished, Self::Failed];

    pub fn code(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Uploaded => "Columns not mapped",
            Self::Running => "Importing",
            Self::Interrupted => "Interrupted",
            Self::Finished => "Finished",
            Self::Failed => "Failed",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

/// One import, as far as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    pub id: String,
    /// By the browser, so that the server has the file; otherwise it came by the command line.
    pub uploaded: bool,
    pub file_name: String,
    pub status: ImportStatus,
    pub bytes: i64,
    pub bytes_done: i64,
    pub rows_good: i64,
    pub rows_bad: i64,
    /// Bad rows by reason, most first.
    pub reasons: Vec<(Reason, i64)>,
    /// Why it failed.
    pub error: Option<String>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    /// When it last moved.
    pub progress_at: Option<i64>,
    pub finished_at: Option<i64>,
}

impl Import {
    /// As it is at that time.
    pub fn at(mut self, now: i64) -> Self {
        let silent = self.progress_at.is_none_or(|progress_at| progress_at < now - SILENCE_MAX);
        if self.status == ImportStatus::Running && silent {
            self.status = ImportStatus::Interrupted;
        }
        self
    }
}
