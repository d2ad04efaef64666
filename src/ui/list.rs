//! The state of a list, which lives in the address: search, filters, order, page. Links carry it, the back button
//! undoes it, and it can be sent to a colleague.

use std::collections::BTreeMap;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::query::{Query, to_query, use_query};

/// Search, order, page and filters of a list. Defaults are empty and stay out of the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListParams {
    /// The search text, trimmed.
    pub q: String,
    /// The column to order by, `-` before it for descending; "" is the list's own order.
    pub sort: String,
    /// From 1.
    pub page: i64,
    /// Where a keyset page begins; "" is the first.
    pub after: String,
    /// Filters that are set, by name.
    pub filters: BTreeMap<String, String>,
}

impl Default for ListParams {
    fn default() -> Self {
        Self { q: String::new(), sort: String::new(), page: 1, after: String::new(), filters: BTreeMap::new() }
    }
}

impl ListParams {
    /// Reads the address; of the filters, those in `names`.
    pub fn from_query(query: &Query, names: &[&str]) -> Self {
        let text = |key: &str| query.get(key).unwrap_or_default().trim().to_string();
        let filter = |name: &&str| Some((name.to_string(), text(name))).filter(|(_, value)| !value.is_empty());
        Self {
            q: text("q"),
            sort: text("sort"),
            page: text("page").parse().unwrap_or(1).max(1),
            // A mark is a key as it is, white space included.
            after: query.text("after"),
            filters: names.iter().filter_map(filter).collect(),
        }
    }

    /// The value of a filter; "" when it is not set.
    pub fn filter(&self, name: &str) -> &str {
        self.filters.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Is anything searched or filtered? Then an empty list means "no match", not "nothing yet".
    pub fn is_filtered(&self) -> bool {
        !self.q.is_empty() || !self.filters.is_empty()
    }

    /// The column and whether it descends; `None` for the list's own order.
    pub fn order(&self) -> Option<(&str, bool)> {
        match self.sort.strip_prefix('-') {
            Some(key) => Some((key, true)),
            None if self.sort.is_empty() => None,
            None => Some((self.sort.as_str(), false)),
        }
    }

    /// Rows before this page.
    pub fn offset(&self, page_size: i64) -> i64 {
        (self.page - 1).saturating_mul(page_size).max(0)
    }

    /// The same list at another page.
    pub fn at_page(&self, page: i64) -> Self {
        Self { page: page.max(1), after: String::new(), ..self.clone() }
    }

    /// The same list from a keyset mark on; "" for the first page.
    pub fn starting_after(&self, after: &str) -> Self {
        Self { page: 1, after: after.to_string(), ..self.clone() }
    }

    /// The same list ordered by `key`, or the other way when it is already; from the first page.
    pub fn sorted_by(&self, key: &str) -> Self {
        let sort = if self.sort == key { format!("-{key}") } else { key.to_string() };
        Self { sort, page: 1, after: String::new(), ..self.clone() }
    }

    /// The same list with a filter set, or lifted by ""; from the first page.
    pub fn with_filter(&self, name: &str, value: &str) -> Self {
        let mut next = self.at_page(1);
        match value {
            "" => next.filters.remove(name),
            value => next.filters.insert(name.to_string(), value.to_string()),
        };
        next
    }

    /// The query part of an address, `?` included; "" when all is default.
    pub fn to_query(&self) -> String {
        let page = if self.page > 1 { self.page.to_string() } else { String::new() };
        let own = [("q", &self.q), ("sort", &self.sort), ("page", &page), ("after", &self.after)];
        to_query(own.into_iter().chain(self.filters.iter().map(|(key, value)| (key.as_str(), value))))
    }
}

/// The list state of the current address; of the filters, those in `names`.
pub fn use_list_params(names: &'static [&'static str]) -> Memo<ListParams> {
    let query = use_query();
    Memo::new(move |_| query.with(|query| ListParams::from_query(query, names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &[(&'static str, &str)]) -> ListParams {
        ListParams::from_query(&Query::parse(&to_query(query.iter().copied())), &["state", "id_type"])
    }

    #[test]
    fn defaults_stay_out_of_the_address() {
        assert_eq!(ListParams::default().to_query(), "");
        assert_eq!(read(&[("q", " "), ("page", "1"), ("state", "")]), ListParams::default());
        assert_eq!(read(&[("page", "-3")]).page, 1);
        assert_eq!(read(&[("page", "x")]).page, 1);
    }

    #[test]
    fn what_is_set_is_encoded_and_strangers_are_dropped() {
        let params = read(&[("q", "a&b=c 50%"), ("sort", "-name"), ("page", "3"), ("state", "on"), ("evil", "1")]);
        assert_eq!(params.to_query(), "?q=a%26b%3Dc%2050%25&sort=%2Dname&page=3&state=on");
        assert_eq!(params.filter("state"), "on");
        assert_eq!(params.filter("id_type"), "");
        assert_eq!(params.order(), Some(("name", true)));
        assert_eq!(params.offset(50), 100);
        assert!(params.is_filtered());
    }

    #[test]
    fn a_mark_is_kept_as_it_is() {
        for mark in ["acme%2F01", "a&b=c", "1+1", " with spaces ", "100%"] {
            let query = ListParams::default().starting_after(mark).to_query();
            assert_eq!(ListParams::from_query(&Query::parse(&query), &[]).after, mark, "{query}");
        }
    }

    #[test]
    fn a_new_order_or_filter_begins_at_the_first_page() {
        let params = read(&[("page", "3"), ("after", "k"), ("sort", "name")]);
        assert_eq!(params.sorted_by("name").to_query(), "?sort=%2Dname");
        assert_eq!(params.sorted_by("time").to_query(), "?sort=time");
        assert_eq!(params.sorted_by("name").sorted_by("name").sort, "name");
        assert_eq!(params.with_filter("state", "on").page, 1);
        assert_eq!(params.with_filter("state", "on").with_filter("state", "").filters.len(), 0);
        assert_eq!(params.starting_after("m").after, "m");
        assert_eq!(params.at_page(0).page, 1);
    }
}
