//! Rules in SQL, for both databases. The text depends only on the tests' kinds and operators; tag names and values all
//! travel in one bound JSON array, so nothing that people type becomes SQL.

use super::rules::{Op, Test};
use crate::customers::model::TagKind;
use serde_json::Value;

/// A condition over the table `customers` as `c`, and the array that it expects as the bound text `$<bind>`.
pub struct Where {
    pub sql: String,
    pub values: String,
}

/// How a database reads tags and the bound array.
#[derive(Clone, Copy)]
enum Dialect {
    Sqlite,
    Postgres,
}

pub fn where_all(tests: &[Test], is_sqlite: bool, bind: usize) -> Where {
    let dialect = if is_sqlite { Dialect::Sqlite } else { Dialect::Postgres };
    let mut writer = Writer { dialect, bind, values: Vec::new() };
    let all: Vec<String> = tests.iter().map(|test| writer.test(test)).collect();
    // The array is named even when no test needs it, so that the number of binds is always the same.
    let named = match dialect {
        Dialect::Sqlite => format!("${bind} is not null"),
        Dialect::Postgres => format!("${bind}::text is not null"),
    };
    let sql = std::iter::once(named).chain(all).collect::<Vec<_>>().join(" and ");
    Where { sql, values: Value::Array(writer.values).to_string() }
}

struct Writer {
    dialect: Dialect,
    bind: usize,
    values: Vec<Value>,
}

impl Writer {
    /// A place in the bound array, as SQL that reads it.
    fn bound(&mut self, value: Value) -> String {
        self.values.push(value);
        let (bind, place) = (self.bind, self.values.len() - 1);
        match self.dialect {
            Dialect::Sqlite => format!("json_extract(${bind}, '$[{place}]')"),
            Dialect::Postgres => format!("(${bind}::text::jsonb ->> {place})"),
        }
    }

    fn test(&mut self, test: &Test) -> String {
        let tag = Tag::new(self, &test.tag);
        let is_set = tag.is_set();
        match test.op {
            Op::IsSet => is_set,
            Op::IsEmpty => format!("not {is_set}"),
            Op::IsNot => format!("not {}", self.compare(test, Op::Is, &tag)),
            op => self.compare(test, op, &tag),
        }
    }

    /// True or false, never null: a missing tag and a value of another kind are false.
    fn compare(&mut self, test: &Test, op: Op, tag: &Tag) -> String {
        let bound: Vec<String> = test.values.iter().map(|value| self.bound(value.clone())).collect();
        let first = bound.first().map_or("null", String::as_str);
        let second = bound.get(1).map_or("null", String::as_str);
        let (of_kind, value) = (tag.is(test.kind), tag.value(test.kind));
        let cast = |bound: &str| match (self.dialect, test.kind) {
            (Dialect::Postgres, TagKind::Number) => format!("{bound}::float8"),
            (Dialect::Postgres, TagKind::Boolean) => format!("{bound}::boolean"),
            _ => bound.to_string(),
        };
        let (first, second) = (cast(first), cast(second));
        let holds = match (op, self.dialect) {
            (Op::Contains, Dialect::Sqlite) => format!("instr({value}, {first}) > 0"),
            (Op::Contains, Dialect::Postgres) => format!("strpos({value}, {first}) > 0"),
            (Op::Above | Op::After, _) => format!("{value} > {first}"),
            (Op::Below | Op::Before, _) => format!("{value} < {first}"),
            (Op::Between, _) => format!("{value} between {first} and {second}"),
            (Op::Is | Op::IsNot | Op::IsSet | Op::IsEmpty, _) => format!("{value} = {first}"),
        };
        // `case` decides the kind first: PostgreSQL may evaluate the sides of `and` in any order, and a cast can fail.
        format!("(case when {of_kind} then {holds} else false end)")
    }
}

/// What a tag is asked for by: a JSON path on SQLite, a key on PostgreSQL. Names of tags hold no quotation marks and
/// backslashes (`is_tag_name`), so they are safe in a path.
pub fn tag_key(name: &str, is_sqlite: bool) -> String {
    if is_sqlite { format!("$.\"{name}\"") } else { name.to_string() }
}

/// SQL that reads one tag of `c`.
struct Tag {
    dialect: Dialect,
    /// Its [`tag_key`].
    at: String,
}

impl Tag {
    fn new(writer: &mut Writer, name: &str) -> Self {
        let key = tag_key(name, matches!(writer.dialect, Dialect::Sqlite));
        Self { dialect: writer.dialect, at: writer.bound(Value::String(key)) }
    }

    fn kind(&self) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("json_type(c.tags, {})", self.at),
            Dialect::Postgres => format!("jsonb_typeof(c.tags -> {})", self.at),
        }
    }

    fn is_set(&self) -> String {
        format!("(coalesce({}, 'null') <> 'null')", self.kind())
    }

    fn is(&self, kind: TagKind) -> String {
        let kinds = match (kind, self.dialect) {
            (TagKind::Text | TagKind::Date, Dialect::Sqlite) => "'text'",
            (TagKind::Text | TagKind::Date, Dialect::Postgres) => "'string'",
            (TagKind::Number, Dialect::Sqlite) => "'integer', 'real'",
            (TagKind::Number, Dialect::Postgres) => "'number'",
            (TagKind::Boolean, Dialect::Sqlite) => "'true', 'false'",
            (TagKind::Boolean, Dialect::Postgres) => "'boolean'",
        };
        format!("{} in ({kinds})", self.kind())
    }

    fn value(&self, kind: TagKind) -> String {
        let text = match self.dialect {
            Dialect::Sqlite => format!("json_extract(c.tags, {})", self.at),
            Dialect::Postgres => format!("(c.tags ->> {})", self.at),
        };
        match (kind, self.dialect) {
            (TagKind::Date, Dialect::Sqlite) => format!("substr({text}, 1, 10)"),
            (TagKind::Date, Dialect::Postgres) => format!("left({text}, 10) collate \"C\""),
            (TagKind::Number, Dialect::Postgres) => format!("{text}::float8"),
            (TagKind::Boolean, Dialect::Postgres) => format!("{text}::boolean"),
            _ => text,
        }
    }
}
