//! What is written down: who, what, and what it was before and after.

use super::{
    model::{Action, ActorKind, ObjectKind},
    store,
};
use crate::{clock::Millis, db::Tx};
use serde::Serialize;
use serde_json::{Map, Value};

/// Who does something, and from where.
#[derive(Clone, Debug)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: String,
    pub name: String,
    pub address: String,
}

impl Actor {
    pub fn person(id: impl Into<String>, name: impl Into<String>, address: impl Into<String>) -> Self {
        Self { kind: ActorKind::Person, id: id.into(), name: name.into(), address: address.into() }
    }

    pub fn api_key(id: impl Into<String>, name: impl Into<String>, address: impl Into<String>) -> Self {
        Self { kind: ActorKind::ApiKey, ..Self::person(id, name, address) }
    }

    /// Whoever has the machine.
    pub fn command_line() -> Self {
        Self { kind: ActorKind::CommandLine, ..Self::person("", "Command line", "") }
    }

    /// The delivery engine, which disables a webhook by itself.
    pub fn engine() -> Self {
        Self { kind: ActorKind::Engine, ..Self::person("", "Reachwire", "") }
    }

    /// Nobody who is signed in: `name` is what was typed.
    pub fn stranger(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self { kind: ActorKind::Stranger, ..Self::person("", name, address) }
    }
}

/// Who does something, and when.
#[derive(Clone, Debug)]
pub struct By {
    pub actor: Actor,
    pub at: Millis,
}

impl By {
    pub fn new(actor: Actor, at: Millis) -> Self {
        Self { actor, at }
    }

    pub fn command_line(at: Millis) -> Self {
        Self::new(Actor::command_line(), at)
    }

    /// Writes an entry, the last thing before the commit.
    pub async fn record(&self, tx: &mut Tx, workspace: &str, entry: &Entry<'_>) -> sqlx::Result<()> {
        store::record(tx, workspace, self.at, &self.actor, entry).await
    }
}

/// An entry for a room that knows what it changes, but not what people call it.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    pub by: &'a By,
    pub entry: Entry<'a>,
}

impl Note<'_> {
    pub async fn record(&self, tx: &mut Tx, workspace: &str) -> sqlx::Result<()> {
        self.by.record(tx, workspace, &self.entry).await
    }
}

/// What is written of one thing that was done.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub action: Action,
    pub kind: ObjectKind,
    pub id: &'a str,
    /// As people know it.
    pub name: &'a str,
    pub change: Change,
}

impl<'a> Entry<'a> {
    pub fn new(action: Action, kind: ObjectKind, id: &'a str, name: &'a str) -> Self {
        Self { action, kind, id, name, change: Change::default() }
    }

    #[must_use]
    pub fn with(self, change: Change) -> Self {
        Self { change, ..self }
    }
}

/// Fields before and after. What is given must hold no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    #[serde(skip_serializing_if = "Map::is_empty")]
    before: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    after: Map<String, Value>,
}

impl Change {
    /// The fields that differ.
    pub fn between(before: &impl Serialize, after: &impl Serialize) -> Self {
        let (mut before, mut after) = (fields(before), fields(after));
        before.retain(|name, value| after.get(name) != Some(value) || after.remove(name).is_none());
        Self { before: bounded(before), after: bounded(after) }
    }

    /// Of something new.
    pub fn to(after: &impl Serialize) -> Self {
        Self { after: bounded(fields(after)), ..Self::default() }
    }

    /// Of something that is no more.
    pub fn from(before: &impl Serialize) -> Self {
        Self { before: bounded(fields(before)), ..Self::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }
}

/// What is no object is a field of its own.
fn fields(of: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(of) {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Null) | Err(_) => Map::new(),
        Ok(value) => Map::from_iter([("value".to_string(), value)]),
    }
}

/// Characters of one field that are kept.
const FIELD_MAX: usize = 4_000;

/// Long texts are cut, and so are long lists, as the text of their JSON.
fn bounded(mut fields: Map<String, Value>) -> Map<String, Value> {
    for value in fields.values_mut() {
        let text = match &*value {
            Value::String(text) => text.clone(),
            Value::Array(_) | Value::Object(_) => value.to_string(),
            _ => continue,
        };
        let length = text.chars().count();
        if length > FIELD_MAX {
            let kept: String = text.chars().take(FIELD_MAX).collect();
            *value = Value::String(format!("{kept}… ({length} characters)"));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_kept_of_a_field_is_bounded() {
        let long = "ä".repeat(FIELD_MAX + 1);
        let change = Change::between(&json!({"text": "", "list": []}), &json!({"text": long, "list": [&long]}));
        for field in ["text", "list"] {
            let kept = change.after[field].as_str().unwrap();
            assert!(kept.chars().count() < FIELD_MAX + 30 && kept.ends_with(" characters)"), "{field}");
        }
        assert_eq!(Change::to(&json!({"text": "ä".repeat(FIELD_MAX)})).after["text"], "ä".repeat(FIELD_MAX));
    }

    #[test]
    fn a_change_is_what_differs() {
        let change = Change::between(&json!({"a": 1, "b": 2, "c": 3}), &json!({"a": 1, "b": 4, "d": 5}));
        assert_eq!(
            serde_json::to_value(&change).unwrap(),
            json!({"before": {"b": 2, "c": 3}, "after": {"b": 4, "d": 5}})
        );
        assert!(Change::between(&json!({"a": 1}), &json!({"a": 1})).is_empty());
        assert_eq!(serde_json::to_value(Change::to(&json!({"a": 1}))).unwrap(), json!({"after": {"a": 1}}));
    }
}
