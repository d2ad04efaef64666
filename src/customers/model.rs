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
