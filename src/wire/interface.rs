//! What a parameter's interface is asked and what it answers (docs/wire.md, "Interfaces of parameters"), and the rules
//! by which pages become one list.

use super::receipt::text;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

/// In one list.
pub const VALUES_MAX: usize = 10_000;
pub const PAGES_MAX: usize = 200;
/// Bytes of one answer, and of the values and names of one list.
pub const ANSWER_MAX: usize = 4 * 1024 * 1024;
/// Characters of a value and of a name.
pub const VALUE_MAX: usize = 2_000;
/// Characters of what is shown of the interface's own words.
const SHOWN_MAX: usize = 200;

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The parameter's name.
    pub parameter: String,
    /// By the settings' names.
    #[serde(default)]
    pub associated: BTreeMap<String, String>,
    #[serde(default)]
    pub system: BTreeMap<String, serde_json::Value>,
    /// From 1.
    pub page: i64,
}

/// A value that can be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Item {
    #[serde(default, deserialize_with = "text")]
    pub value: String,
    /// What people see; "" in an answer stands for the value.
    #[serde(default, deserialize_with = "text")]
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    #[serde(deserialize_with = "text")]
    pub code: String,
    #[serde(default, deserialize_with = "text")]
    pub message: String,
    pub data: Option<Vec<Item>>,
    /// Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<i64>,
}

/// Why an answer gives no list. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Status(u16),
    TooLarge,
    NotJson(String),
    NotAsAgreed(String),
    /// Code and message.
    Refused(String, String),
    TooMany,
    TooManyPages,
    /// The page, and the one that is said to follow it.
    Order(i64, i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status @ 300..400) => {
                write!(f, "The interface answered HTTP {status}; redirects are not followed.")
            }
            Self::Status(status) => write!(f, "The interface answered HTTP {status}."),
            Self::TooLarge => write!(f, "The interface's values are larger than {} MiB.", ANSWER_MAX >> 20),
            Self::NotJson(why) => write!(f, "The interface's answer is not JSON: {why}."),
            Self::NotAsAgreed(why) => write!(f, "The interface's answer is not as agreed: {why}."),
            Self::Refused(code, message) if message.is_empty() => write!(f, "The interface refused: {code}."),
            Self::Refused(code, message) => write!(f, "The interface refused: {code}, {message}"),
            // VALUES_MAX, as people write it.
            Self::TooMany => write!(f, "The interface has more than 10,000 values; let it give fewer."),
            Self::TooManyPages => write!(f, "The interface has more than {PAGES_MAX} pages; let it give longer ones."),
            Self::Order(page, next) => {
                write!(f, "The interface says that page {next} follows page {page}: the numbers of pages must grow.")
            }
        }
    }
}

impl Answer {
    pub fn read(status: u16, body: &[u8]) -> Result<Self, Fault> {
        if !(200..300).contains(&status) {
            return Err(Fault::Status(status));
        }
        if body.len() > ANSWER_MAX {
            return Err(Fault::TooLarge);
        }
        serde_json::from_slice(body).map_err(|error| {
            let why = line(&error.to_string());
            if error.is_data() { Fault::NotAsAgreed(why) } else { Fault::NotJson(why) }
        })
    }
}

/// A list that is being loaded page by page.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    items: Vec<Item>,
    known: HashSet<String>,
    received: usize,
    bytes: usize,
    pages: usize,
}

impl Pages {
    /// Takes the answer for `page`; the page to ask for next, if there is one. Of equal values the first stays.
    pub fn take(&mut self, page: i64, answer: Answer) -> Result<Option<i64>, Fault> {
        if answer.code != "OK" {
            return Err(Fault::Refused(line(&answer.code), line(&answer.message)));
        }
        let data = answer.data.ok_or_else(|| Fault::NotAsAgreed("data is missing".into()))?;
        self.pages += 1;
        self.received += data.len();
        if self.received > VALUES_MAX {
            return Err(Fault::TooMany);
        }
        for (place, mut item) in data.into_iter().enumerate() {
            // Forms trim what they send, so white space can't tell two values apart.
            item.value = item.value.trim().to_string();
            if item.name.trim().is_empty() {
                item.name.clone_from(&item.value);
            }
            if let Some(why) = fault_of(&item) {
                return Err(Fault::NotAsAgreed(format!("value {} of page {page} {why}", place + 1)));
            }
            self.bytes += item.value.len() + item.name.len();
            if self.bytes > ANSWER_MAX {
                return Err(Fault::TooLarge);
            }
            if self.known.insert(item.value.clone()) {
                self.items.push(item);
            }
        }
        match answer.next_page {
            Some(next) if next <= page => Err(Fault::Order(page, next)),
            Some(_) if self.pages >= PAGES_MAX => Err(Fault::TooManyPages),
            next => Ok(next),
        }
    }

    pub fn into_items(self) -> Vec<Item> {
        self.items
    }
}

fn fault_of(item: &Item) -> Option<String> {
    if item.value.trim().is_empty() {
        return Some("is empty".into());
    }
    let texts = [&item.value, &item.name];
    if texts.iter().any(|text| text.contains('\0')) {
        return Some("holds a NUL".into());
    }
    let long = texts.iter().any(|text| text.chars().count() > VALUE_MAX);
    long.then(|| format!("is longer than {VALUE_MAX} characters"))
}

/// One line of at most [`SHOWN_MAX`] characters.
fn line(text: &str) -> String {
    text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(answer: serde_json::Value) -> Answer {
        Answer::read(200, answer.to_string().as_bytes()).unwrap()
    }

    fn page(values: usize, next: Option<i64>) -> Answer {
        let item = |number: usize| Item { value: format!("{next:?}-{number}"), name: "n".into() };
        Answer { code: "OK".into(), data: Some((0..values).map(item).collect()), next_page: next, ..Answer::default() }
    }

    #[test]
    fn the_request_is_as_agreed() {
        let request = Request {
            parameter: "city".into(),
            associated: [("province".to_string(), "zj".to_string())].into(),
            system: [("who".to_string(), json!({"id": "1"}))].into(),
            page: 1,
        };
        let text = r#"{"parameter":"city","associated":{"province":"zj"},"system":{"who":{"id":"1"}},"page":1}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), text);
    }

    #[test]
    fn pages_become_one_list() {
        let mut pages = Pages::default();
        let first = json!({"code": "OK", "message": "", "data": [{"value": "v", "name": "shown"}], "next_page": 2});
        assert_eq!(pages.take(1, read(first)), Ok(Some(2)));
        let last = json!({"code": "OK", "data": [{"value": 7}, {"value": "v", "name": "again"}]});
        assert_eq!(pages.take(2, read(last)), Ok(None));
        let item = |value: &str, name: &str| Item { value: value.into(), name: name.into() };
        assert_eq!(pages.into_items(), [item("v", "shown"), item("7", "7")]);
    }

    #[test]
    fn ten_thousand_values_are_the_most() {
        assert_eq!(Pages::default().take(1, page(VALUES_MAX, None)), Ok(None));
        assert_eq!(Pages::default().take(1, page(VALUES_MAX + 1, None)), Err(Fault::TooMany));
        let mut pages = Pages::default();
        assert_eq!(pages.take(1, page(VALUES_MAX, Some(2))), Ok(Some(2)));
        assert_eq!(pages.take(2, page(1, None)), Err(Fault::TooMany));
    }

    #[test]
    fn numbers_of_pages_grow_and_end() {
        for next in [1, 0, -1] {
            assert_eq!(Pages::default().take(1, page(0, Some(next))), Err(Fault::Order(1, next)));
        }
        let mut pages = Pages::default();
        for number in 1..PAGES_MAX as i64 {
            assert_eq!(pages.take(number, page(1, Some(number + 1))), Ok(Some(number + 1)));
        }
        assert_eq!(pages.clone().take(PAGES_MAX as i64, page(1, None)), Ok(None));
        assert_eq!(pages.take(PAGES_MAX as i64, page(1, Some(1_000))), Err(Fault::TooManyPages));
    }

    #[test]
    fn each_fault_is_told() {
        let fault = |status: u16, body: &str| {
            let read = Answer::read(status, body.as_bytes()).and_then(|answer| Pages::default().take(1, answer));
            read.unwrap_err().to_string()
        };
        assert_eq!(fault(500, ""), "The interface answered HTTP 500.");
        assert_eq!(fault(302, ""), "The interface answered HTTP 302; redirects are not followed.");
        assert!(fault(200, "<html>").starts_with("The interface's answer is not JSON: expected value"));
        assert!(fault(200, r#"{"code":"OK","data":["#).contains("is not JSON: EOF"));
        assert!(fault(200, "[]").contains("not as agreed"));
        assert!(fault(200, r#"{"code":"OK"}"#).contains("not as agreed: data is missing"));
        assert!(fault(200, r#"{"code":"OK","data":[{"name":"x"}]}"#).contains("value 1 of page 1 is empty"));
        assert!(fault(200, r#"{"code":"OK","data":[{"value":"a\u0000"}]}"#).contains("NUL"));
        let long = json!({"code": "OK", "data": [{"value": "文".repeat(VALUE_MAX + 1)}]}).to_string();
        assert!(fault(200, &long).contains("longer than 2000"));
        assert_eq!(fault(200, r#"{"code":"BUSY","message":"come\nlater"}"#), "The interface refused: BUSY, come later");
        assert_eq!(fault(200, r#"{"code":"ok","data":[]}"#), "The interface refused: ok.");
        assert_eq!(fault(200, &" ".repeat(ANSWER_MAX + 1)), "The interface's values are larger than 4 MiB.");
    }

    #[test]
    fn a_list_is_bounded_in_bytes() {
        let large = |page: i64| {
            let item = |number: i64| Item { value: format!("{page}-{number}"), name: "文".repeat(VALUE_MAX) };
            Answer {
                code: "OK".into(),
                data: Some((0..400).map(item).collect()),
                next_page: Some(page + 1),
                ..Answer::default()
            }
        };
        let mut pages = Pages::default();
        assert_eq!(pages.take(1, large(1)), Ok(Some(2)));
        assert_eq!(pages.take(2, large(2)), Err(Fault::TooLarge));
    }
}
