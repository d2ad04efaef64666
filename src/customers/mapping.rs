//! What each column of a file means, as people say it on the mapping page and with `--map`.

use super::model::{IdType, TAG_NAME_MAX, Tag, TagKind, is_tag_name};
use crate::error::FieldError;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    Ignore,
    CustomerId,
    /// The code of an ID type.
    Identity(String),
    Tag {
        name: String,
        kind: TagKind,
    },
}

impl Target {
    /// `ignore`, `customer_id`, `id:EMAIL` or `tag:number`, as the mapping page's select has it.
    pub fn code(&self) -> String {
        match self {
            Self::Ignore => "ignore".into(),
            Self::CustomerId => "customer_id".into(),
            Self::Identity(code) => format!("id:{code}"),
            Self::Tag { kind, .. } => format!("tag:{}", kind.code()),
        }
    }

    /// As `--map` and the interface for programs have it: as [`Target::code`], with a tag's name behind it.
    pub fn text(&self) -> String {
        match self {
            Self::Tag { name, .. } => format!("{}:{name}", self.code()),
            other => other.code(),
        }
    }

    /// From a code and, for tags, the tag's name.
    pub fn from_code(code: &str, tag: &str) -> Option<Self> {
        match (code, code.split_once(':')) {
            ("ignore", _) => Some(Self::Ignore),
            ("customer_id", _) => Some(Self::CustomerId),
            (_, Some(("id", id_type))) => Some(Self::Identity(id_type.into())),
            (_, Some(("tag", kind))) => Some(Self::Tag { name: tag.trim().into(), kind: TagKind::from_code(kind)? }),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub header: String,
    pub target: Target,
}

/// One target for each column of the file, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    pub columns: Vec<Column>,
}

impl Mapping {
    /// All that is wrong with it, by the inputs' names: `columns[2][target]`, `columns[2][name]`, or `columns` when it
    /// is no single column's fault. `tags` are those that exist.
    pub fn check(&self, id_types: &[IdType], tags: &[Tag]) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let ids = self.columns.iter().filter(|column| column.target == Target::CustomerId).count();
        if ids != 1 {
            let message = match ids {
                0 => "Choose the column that holds the customer ID.".to_string(),
                _ => format!("{ids} columns are mapped to the customer ID; only one can be."),
            };
            errors.push(FieldError::new("columns", message));
        }
        for (place, column) in self.columns.iter().enumerate() {
            match &column.target {
                Target::Ignore | Target::CustomerId => {}
                Target::Identity(code) => {
                    if !id_types.iter().any(|id_type| id_type.code == *code) {
                        let message = format!("There is no enabled ID type {code}.");
                        errors.push(FieldError::new(format!("columns[{place}][target]"), message));
                    }
                }
                Target::Tag { name, kind } => {
                    if let Some(message) = self.tag_problem(place, name, *kind, tags) {
                        errors.push(FieldError::new(format!("columns[{place}][name]"), message));
                    }
                }
            }
        }
        errors
    }

    fn tag_problem(&self, place: usize, name: &str, kind: TagKind, tags: &[Tag]) -> Option<String> {
        if !is_tag_name(name) {
            return Some(format!("1 to {TAG_NAME_MAX} characters without quotation marks and backslashes."));
        }
        let is_same = |column: &Column| matches!(&column.target, Target::Tag { name: other, .. } if other == name);
        if self.columns[..place].iter().any(is_same) {
            return Some(format!("Another column is mapped to the tag “{name}” already."));
        }
        let existing = tags.iter().find(|tag| tag.name == name && tag.kind != kind)?;
        Some(format!("The tag “{name}” exists and is of the kind {}.", existing.kind.label()))
    }
}

/// What the form of the mapping page sends for one column; `name` is the tag's name, if it is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnInput {
    pub header: String,
    pub target: String,
    #[serde(default)]
    pub name: String,
}

impl ColumnInput {
    pub fn new(column: &Column) -> Self {
        let name = match &column.target {
            Target::Tag { name, .. } => name.clone(),
            _ => column.header.clone(),
        };
        Self { header: column.header.clone(), target: column.target.code(), name }
    }
}

/// The mapping that a form says, or what is wrong with its codes.
pub fn from_inputs(columns: Vec<ColumnInput>) -> Result<Mapping, Vec<FieldError>> {
    let read = |(place, input): (usize, ColumnInput)| {
        let target = Target::from_code(&input.target, &input.name)
            .ok_or_else(|| FieldError::new(format!("columns[{place}][target]"), "Choose what the column means."))?;
        Ok(Column { header: input.header, target })
    };
    let columns: Result<Vec<_>, FieldError> = columns.into_iter().enumerate().map(read).collect();
    columns.map(|columns| Mapping { columns }).map_err(|error| vec![error])
}

/// The mapping that texts such as `spend=tag:number:spend` say of a file with these columns; the tag's name may be left
/// out when it is the column's, and columns that are not named are ignored. The error begins with the text that is wrong.
pub fn from_maps(header: &[String], maps: &[String]) -> Result<Mapping, String> {
    let ignored = |header: &String| Column { header: header.clone(), target: Target::Ignore };
    let mut columns: Vec<Column> = header.iter().map(ignored).collect();
    for text in maps {
        let (name, target) = text.rsplit_once('=').ok_or_else(|| format!("{text}: write COLUMN=TARGET"))?;
        let column = columns
            .iter_mut()
            .find(|column| column.header == name)
            .ok_or_else(|| format!("{text}: the file has no column “{name}”; it has {}", header.join(", ")))?;
        let parts: Vec<&str> = target.splitn(3, ':').collect();
        let (code, tag) = match parts.as_slice() {
            ["tag", kind] => (format!("tag:{kind}"), name),
            ["tag", kind, tag] => (format!("tag:{kind}"), *tag),
            _ => (target.to_string(), name),
        };
        column.target = Target::from_code(&code, tag)
            .ok_or_else(|| format!("{text}: the target is customer_id, id:TYPE, tag:KIND:NAME or ignore"))?;
    }
    Ok(Mapping { columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read() {
        let header = ["CUST=NO".to_string(), "spend".to_string(), "x".to_string()];
        let map =
            |texts: &[&str]| from_maps(&header, &texts.iter().map(|text| (*text).to_string()).collect::<Vec<_>>());
        let read = map(&["CUST=NO=customer_id", "spend=tag:number:total:usd"]).unwrap();
        let shown: Vec<String> = read.columns.iter().map(|column| column.target.text()).collect();
        assert_eq!(shown, ["customer_id", "tag:number:total:usd", "ignore"]);
        assert!(map(&["nothing"]).unwrap_err().contains("COLUMN=TARGET"));
        assert!(map(&["y=customer_id"]).unwrap_err().contains("no column"));
        assert!(map(&["x=tag:money:x"]).unwrap_err().contains("the target is"));
    }

    fn mapping(codes: &[(&str, &str)]) -> Mapping {
        let inputs = codes.iter().map(|(target, name)| ColumnInput {
            header: "h".into(),
            target: (*target).into(),
            name: (*name).into(),
        });
        from_inputs(inputs.collect()).unwrap()
    }

    fn fields(codes: &[(&str, &str)]) -> Vec<String> {
        let id_types = [IdType { code: "EMAIL".into(), name: "Email address".into() }];
        let tags = [Tag { name: "spend".into(), kind: TagKind::Number }];
        mapping(codes).check(&id_types, &tags).into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn each_fault_is_told_at_its_column() {
        assert_eq!(fields(&[("customer_id", ""), ("id:EMAIL", ""), ("tag:number", "spend"), ("ignore", "")]), [""; 0]);
        assert_eq!(fields(&[("id:EMAIL", "")]), ["columns"]);
        assert_eq!(fields(&[("customer_id", ""), ("customer_id", "")]), ["columns"]);
        assert_eq!(fields(&[("customer_id", ""), ("id:FAX", "")]), ["columns[1][target]"]);
        assert_eq!(fields(&[("customer_id", ""), ("tag:text", "spend")]), ["columns[1][name]"]);
        assert_eq!(fields(&[("customer_id", ""), ("tag:text", "a\"b")]), ["columns[1][name]"]);
        assert_eq!(fields(&[("customer_id", ""), ("tag:text", "a"), ("tag:date", "a")]), ["columns[2][name]"]);
    }

    #[test]
    fn codes_are_read_back() {
        for (code, name) in [("ignore", ""), ("customer_id", ""), ("id:ONEID", ""), ("tag:date", "born")] {
            assert_eq!(Target::from_code(code, name).unwrap().code(), code);
        }
        assert_eq!(Target::from_code("tag:money", "x"), None);
        assert_eq!(Target::from_code("", ""), None);
    }
}
