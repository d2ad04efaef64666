//! Rules that choose customers: what is stored, what is wrong with it, and whom it holds for.
//!
//! Stored as `{"all":[{"tag":"spend","op":">","values":["200"]}]}`: values as people type them. [`Rules::resolve`]
//! gives them the kinds of their tags; the [`Test`]s that come out are what [`super::rules_sql`] writes in SQL and
//! [`Test::matches`] decides in memory, alike. Events and nesting become further variants of [`Rule`].

use crate::{
    customers::{
        model::{TAG_TEXT_MAX, Tag, TagKind},
        values,
    },
    error::FieldError,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// More conditions than a person reads.
pub const RULES_MAX: usize = 20;

/// Customers that every rule holds for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    #[serde(default)]
    pub all: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rule {
    Tag(Condition),
}

/// A condition on one tag. `values` has as many as the operator takes; more are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    #[serde(default)]
    pub tag: String,
    #[serde(default)]
    pub op: String,
    #[serde(default)]
    pub values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Is,
    IsNot,
    Contains,
    Above,
    Below,
    Between,
    Before,
    After,
    IsSet,
    IsEmpty,
}

impl Op {
    pub const ALL: [Self; 10] = [
        Self::Is,
        Self::IsNot,
        Self::Contains,
        Self::Above,
        Self::Below,
        Self::Between,
        Self::Before,
        Self::After,
        Self::IsSet,
        Self::IsEmpty,
    ];

    /// In stored rules and in selects.
    pub fn code(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::IsNot => "is_not",
            Self::Contains => "contains",
            Self::Above => ">",
            Self::Below => "<",
            Self::Between => "between",
            Self::Before => "before",
            Self::After => "after",
            Self::IsSet => "is_set",
            Self::IsEmpty => "is_empty",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::Contains => "contains",
            Self::Above => ">",
            Self::Below => "<",
            Self::Between => "between",
            Self::Before => "before",
            Self::After => "after",
            Self::IsSet => "is set",
            Self::IsEmpty => "is empty",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.code() == code)
    }

    /// The operators that a kind of tag has, in the order of the select.
    pub fn of(kind: TagKind) -> &'static [Self] {
        match kind {
            TagKind::Text => &[Self::Is, Self::IsNot, Self::Contains, Self::IsSet, Self::IsEmpty],
            TagKind::Number => {
                &[Self::Is, Self::IsNot, Self::Above, Self::Below, Self::Between, Self::IsSet, Self::IsEmpty]
            }
            TagKind::Date => {
                &[Self::Is, Self::IsNot, Self::Before, Self::After, Self::Between, Self::IsSet, Self::IsEmpty]
            }
            TagKind::Boolean => &[Self::Is, Self::IsNot, Self::IsSet, Self::IsEmpty],
        }
    }

    /// How many values it takes.
    pub fn values(self) -> usize {
        match self {
            Self::IsSet | Self::IsEmpty => 0,
            Self::Between => 2,
            _ => 1,
        }
    }
}

/// A condition that makes sense: its operator is one of its tag's kind, its values are of that kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub tag: String,
    pub kind: TagKind,
    pub op: Op,
    /// As many as [`Op::values`] says. Days for dates: a condition on a date means the day, whatever the time.
    pub values: Vec<Value>,
}

impl Rules {
    /// As a form sends them.
    pub fn of(conditions: Vec<Condition>) -> Self {
        Self { all: conditions.into_iter().map(Rule::Tag).collect() }
    }

    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.all.iter().map(|Rule::Tag(condition)| condition)
    }

    /// As they are stored: without the rows of the form that were left blank, and without values that do not count.
    pub fn tidy(self) -> Self {
        let tidy = |Rule::Tag(mut condition): Rule| {
            let most = Op::from_code(&condition.op).map_or(0, Op::values);
            condition.values.truncate(most);
            condition.values.iter_mut().for_each(|value| *value = value.trim().to_string());
            Rule::Tag(condition)
        };
        let filled = self.all.into_iter().filter(|Rule::Tag(condition)| !condition.is_blank());
        Self { all: filled.map(tidy).collect() }
    }

    /// The tests, or all that is wrong by the inputs' names: `rules[2][tag]`, `rules[2][op]`, `rules[2][values][0]`, or
    /// `rules` when it is no single one's fault.
    pub fn resolve(&self, tags: &[Tag]) -> Result<Vec<Test>, Vec<FieldError>> {
        let (mut tests, mut errors) = (Vec::new(), Vec::new());
        let filled = self.all.iter().filter(|Rule::Tag(condition)| !condition.is_blank()).count();
        if filled == 0 {
            errors.push(FieldError::new("rules", "Add at least one condition."));
        }
        if filled > RULES_MAX {
            errors.push(FieldError::new("rules", format!("At most {RULES_MAX} conditions.")));
        }
        for (place, Rule::Tag(condition)) in self.all.iter().enumerate() {
            if condition.is_blank() {
                continue;
            }
            match condition.resolve(place, tags) {
                Ok(test) => tests.push(test),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(tests) } else { Err(errors) }
    }
}

impl Condition {
    /// A row of the form that nobody filled in.
    fn is_blank(&self) -> bool {
        self.tag.is_empty() && self.values.iter().all(|value| value.trim().is_empty())
    }

    fn resolve(&self, place: usize, tags: &[Tag]) -> Result<Test, FieldError> {
        let field = |name: &str| format!("rules[{place}][{name}]");
        let tag = tags.iter().find(|tag| tag.name == self.tag).ok_or_else(|| {
            let message = if self.tag.is_empty() {
                "Choose a tag.".into()
            } else {
                format!("There is no tag “{}”.", self.tag)
            };
            FieldError::new(field("tag"), message)
        })?;
        let op = Op::from_code(&self.op).filter(|op| Op::of(tag.kind).contains(op)).ok_or_else(|| {
            FieldError::new(
                field("op"),
                format!("Choose a comparison that fits a tag of the kind {}.", tag.kind.label()),
            )
        })?;
        let mut values = Vec::new();
        for nth in 0..op.values() {
            let text = self.values.get(nth).map_or("", |text| text.trim());
            let value = value_of(tag.kind, text)
                .map_err(|message| FieldError::new(format!("rules[{place}][values][{nth}]"), message))?;
            values.push(value);
        }
        Ok(Test { tag: tag.name.clone(), kind: tag.kind, op, values })
    }
}

fn value_of(kind: TagKind, text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Err("Enter a value.".into());
    }
    if text.chars().count() > TAG_TEXT_MAX {
        return Err(format!("At most {TAG_TEXT_MAX} characters."));
    }
    if text.contains('\0') {
        return Err("A NUL character cannot be looked for.".into());
    }
    let value = values::parse(kind, text).ok_or_else(|| match kind {
        TagKind::Date => format!("“{text}” is not a date; write it as 2026-01-31."),
        TagKind::Boolean => format!("“{text}” is neither yes nor no."),
        TagKind::Number | TagKind::Text => format!("“{text}” is not a number."),
    })?;
    Ok(match (kind, value) {
        (TagKind::Date, Value::String(date)) => Value::String(day(&date).into()),
        (_, value) => value,
    })
}

/// The day of a date with or without a time.
fn day(date: &str) -> &str {
    date.get(..10).unwrap_or(date)
}

impl Test {
    /// Whether it holds for a customer's tags. A tag without a value is never above, before or equal to anything, so
    /// "is not" holds for it.
    pub fn matches(&self, tags: &Map<String, Value>) -> bool {
        let value = tags.get(&self.tag).filter(|value| !value.is_null());
        match self.op {
            Op::IsSet => value.is_some(),
            Op::IsEmpty => value.is_none(),
            Op::IsNot => !value.is_some_and(|value| self.holds(Op::Is, value)),
            op => value.is_some_and(|value| self.holds(op, value)),
        }
    }

    fn holds(&self, op: Op, value: &Value) -> bool {
        match (self.kind, value) {
            (TagKind::Text, Value::String(text)) => match op {
                Op::Contains => text.contains(self.text(0)),
                _ => text == self.text(0),
            },
            (TagKind::Date, Value::String(date)) => {
                let day = day(date);
                match op {
                    Op::Before => day < self.text(0),
                    Op::After => day > self.text(0),
                    Op::Between => (self.text(0)..=self.text(1)).contains(&day),
                    _ => day == self.text(0),
                }
            }
            (TagKind::Number, Value::Number(number)) => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                match op {
                    Op::Above => number > self.number(0),
                    Op::Below => number < self.number(0),
                    Op::Between => (self.number(0)..=self.number(1)).contains(&number),
                    _ => number == self.number(0),
                }
            }
            (TagKind::Boolean, Value::Bool(value)) => Some(*value) == self.values.first().and_then(Value::as_bool),
            _ => false,
        }
    }

    fn text(&self, nth: usize) -> &str {
        self.values.get(nth).and_then(Value::as_str).unwrap_or("")
    }

    fn number(&self, nth: usize) -> f64 {
        self.values.get(nth).and_then(Value::as_f64).unwrap_or(f64::NAN)
    }
}

/// A condition in words: `spend > 200`.
impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let op = Op::from_code(&self.op);
        let shown = op.map_or(self.values.len(), Op::values).min(self.values.len());
        write!(
            f,
            "{} {}",
            self.tag,
            match op {
                Some(op) => op.label(),
                None => &self.op,
            }
        )?;
        if shown > 0 { write!(f, " {}", self.values[..shown].join(" and ")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
