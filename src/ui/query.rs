//! Reading and writing the query of an address. The router's map decodes values that are decoded already, so that
//! `%2F` in an ID becomes a slash; this decodes once, and the same on both sides.

use leptos::prelude::*;
use leptos_router::{hooks::use_location, location::Url};

/// Names and values in their order, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// With `?` before it or not.
    pub fn parse(search: &str) -> Self {
        let pairs = search.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// The last value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The last value of that name; "" when there is none.
    pub fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_string()
    }
}

/// As forms encode: `+` is a space, `%` and two digits are a byte of UTF-8.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escaped.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The query part of an address, `?` included, of the values that are not empty; "" when all are.
pub fn to_query<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let pairs = pairs.into_iter().filter(|(_, value)| !value.as_ref().is_empty());
    let pairs = pairs.map(|(name, value)| format!("{}={}", Url::escape(name.as_ref()), Url::escape(value.as_ref())));
    let text = pairs.collect::<Vec<_>>().join("&");
    if text.is_empty() { text } else { format!("?{text}") }
}

/// The query of the current address.
pub fn use_query() -> Memo<Query> {
    let search = use_location().search;
    Memo::new(move |_| search.with(|search| Query::parse(search)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for value in ["a%2Fb", "a&b=c", "1+1", "two words", "100%", "%", "%zz", "文?#", "a%252Fb", "\t"] {
            let query = to_query([("x", "before"), ("next", value)]);
            assert_eq!(Query::parse(&query).get("next"), Some(value), "{query}");
        }
        assert_eq!(to_query([("q", ""), ("after", "")]), "");
        let query = Query::parse("?a=1&b+c=2%20+3&a=4&flag&%zz=%e6%96");
        assert_eq!((query.get("a"), query.get("b c"), query.get("flag")), (Some("4"), Some("2  3"), Some("")));
        assert_eq!((query.get("%zz"), query.get("none")), (Some("\u{fffd}"), None));
    }
}
