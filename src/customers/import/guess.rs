//! What columns probably mean, from their names and the first rows. People correct it before anything is read.

use super::inspect::Inspected;
use crate::customers::{
    mapping::{Column, Mapping, Target},
    model::{IdType, Tag, TagKind, is_tag_name},
    values,
};
use std::collections::HashSet;

/// Other names of ID types, as files have them; compared in lower case without anything but letters and digits.
const OTHER_NAMES: [(&str, &[&str]); 5] = [
    ("EMAIL", &["mail", "emailaddress", "邮箱", "电子邮箱", "邮件"]),
    ("MOBILE", &["phone", "mobilephone", "phonenumber", "mobilenumber", "tel", "手机", "手机号", "手机号码"]),
    ("OPEN_ID", &["wechatopenid"]),
    ("UNION_ID", &["wechatunionid"]),
    ("MAC_ORG", &["mac", "macaddress"]),
];
const CUSTOMER_ID: [&str; 19] = [
    "customerid",
    "custid",
    "cstid",
    "customerno",
    "customernumber",
    "customercode",
    "kundennummer",
    "kundennr",
    "客户号",
    "会员号",
    "customer",
    "userid",
    "memberid",
    "uid",
    "id",
    "客户id",
    "用户id",
    "会员id",
    "客户编号",
];

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

pub fn guess(file: &Inspected, id_types: &[IdType], tags: &[Tag]) -> Mapping {
    let customer_id = customer_id_column(file, id_types);
    let target = |(place, header): (usize, &String)| {
        let target = if Some(place) == customer_id {
            Target::CustomerId
        } else if let Some(id_type) = id_type_of(header, id_types) {
            Target::Identity(id_type.code.clone())
        } else {
            tag(header, &sample(file, place), tags)
        };
        Column { header: header.clone(), target }
    };
    Mapping { columns: file.header.iter().enumerate().map(target).collect() }
}

/// The cells of a column that are not empty.
fn sample(file: &Inspected, place: usize) -> Vec<&str> {
    file.rows.iter().filter_map(|row| row.get(place)).map(String::as_str).filter(|cell| !cell.is_empty()).collect()
}

/// By name; otherwise the first column that is full and never says the same twice, best one that is no ID type.
fn customer_id_column(file: &Inspected, id_types: &[IdType]) -> Option<usize> {
    let named = |name: &&str| file.header.iter().position(|header| plain(header) == *name);
    let unique = |place: &usize| {
        let cells = sample(file, *place);
        let different: HashSet<_> = cells.iter().collect();
        !cells.is_empty() && cells.len() == file.rows.len() && different.len() == cells.len()
    };
    let places = 0..file.header.len();
    CUSTOMER_ID
        .iter()
        .find_map(named)
        .or_else(|| places.clone().filter(|place| id_type_of(&file.header[*place], id_types).is_none()).find(unique))
        .or_else(|| places.into_iter().find(unique))
}

fn id_type_of<'a>(header: &str, id_types: &'a [IdType]) -> Option<&'a IdType> {
    let header = plain(header);
    let other =
        |code: &str| OTHER_NAMES.iter().any(|(known, names)| *known == code && names.contains(&header.as_str()));
    id_types
        .iter()
        .find(|id_type| header == plain(&id_type.code) || header == plain(&id_type.name) || other(&id_type.code))
}

/// A tag that exists keeps its kind. Numbers with leading zeros are codes, and ones and zeros alone are numbers.
fn tag(header: &str, cells: &[&str], tags: &[Tag]) -> Target {
    let name: String = if is_tag_name(header) {
        header.to_string()
    } else {
        header
            .chars()
            .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'))
            .take(64)
            .collect::<String>()
            .trim()
            .into()
    };
    if let Some(known) = tags.iter().find(|tag| tag.name == name) {
        return Target::Tag { name, kind: known.kind };
    }
    let all = |is: fn(&str) -> bool| !cells.is_empty() && cells.iter().all(|cell| is(cell));
    let is_code = |cell: &&&str| cell.len() > 1 && cell.starts_with('0') && !cell.contains('.');
    let kind = if all(|cell| values::number(cell).is_some()) && !cells.iter().any(|cell| is_code(&cell)) {
        TagKind::Number
    } else if all(|cell| values::date(cell).is_some()) {
        TagKind::Date
    } else if all(|cell| values::boolean(cell).is_some()) && !all(|cell| cell.len() == 1 && cell.is_ascii()) {
        TagKind::Boolean
    } else {
        TagKind::Text
    };
    Target::Tag { name, kind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::model::PRESET_ID_TYPES;

    fn guessed(header: &[&str], rows: &[&[&str]]) -> Vec<String> {
        let own = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_string()).collect::<Vec<_>>();
        let file = Inspected {
            separator: b',',
            header: own(header),
            offset: 0,
            lines: 1,
            rows: rows.iter().map(|row| own(row)).collect(),
        };
        let id_types: Vec<IdType> =
            PRESET_ID_TYPES.iter().map(|(code, name)| IdType { code: (*code).into(), name: (*name).into() }).collect();
        let tags = [Tag { name: "zip".into(), kind: TagKind::Text }];
        guess(&file, &id_types, &tags).columns.iter().map(|column| column.target.code()).collect()
    }

    #[test]
    fn by_names_and_values() {
        assert_eq!(
            guessed(
                &["customer_id", "ONEID", "first_order", "orders", "vip", "city", "code", "zip"],
                &[
                    &["00001", "00001", "1997-01-01", "1", "yes", "Paris", "007", "1"],
                    &["00002", "00002", "", "2.5", "no", "北京", "008", "2"],
                ]
            ),
            ["customer_id", "id:ONEID", "tag:date", "tag:number", "tag:boolean", "tag:text", "tag:text", "tag:text"]
        );
        assert_eq!(
            guessed(&["手机号", "会员ID", "flag"], &[&["139", "a", "1"], &["138", "b", "0"]]),
            ["id:MOBILE", "customer_id", "tag:number"]
        );
        assert_eq!(guessed(&["Vorname", "Customer No"], &[&["Ada", "2"], &["Max", "1"]]), ["tag:text", "customer_id"]);
    }

    #[test]
    fn without_a_known_name_the_first_unique_column_is_the_customer_id() {
        assert_eq!(
            guessed(&["Email", "group", "key"], &[&["a@b.c", "x", "1"], &["b@b.c", "x", "2"]]),
            ["id:EMAIL", "tag:text", "customer_id"]
        );
        assert_eq!(guessed(&["Email", "group"], &[&["a@b.c", "x"], &["b@b.c", "x"]]), ["customer_id", "tag:text"]);
        assert_eq!(guessed(&["group"], &[&["x"], &["x"]]), ["tag:text"]);
    }
}
