//! What the marketer fills in (seed 000), and what is wrong with it.

use crate::{
    error::FieldError,
    webhooks::model::{Parameter, ParameterType, VALUE_MAX, join_time},
    wire::{
        message::Encryption,
        text::{is_variable_name, variable_names},
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[cfg(feature = "ssr")]
use crate::{
    webhooks::value::on_the_wire,
    wire::text::{Template, Variable, WhenEmpty},
};

/// Lengths in characters.
pub const NAME_MAX: usize = 64;
/// A message's longest parameter, its variables filled in.
pub const RENDERED_MAX: usize = 10_000;

/// One variable of a text, as the form holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VariableInput {
    /// The text parameter that it belongs to.
    pub parameter: String,
    pub name: String,
    pub tag: String,
    /// "nothing", "default" or "skip".
    pub when_empty: String,
    pub default: String,
}

/// One parameter's value, as the form holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ValueInput {
    /// The parameter's name.
    pub name: String,
    pub value: String,
    /// Of a date, when one was typed beside it: `HH:MM`.
    pub time: String,
    /// What people saw of a value that was chosen; what is kept comes from where the values do.
    pub shown: String,
}

/// What was passed to get the values of a parameter that is called, kept with the task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedCall {
    /// The webhook parameter's name.
    pub name: String,
    /// The called parameter's.
    pub parameter: String,
    pub value: String,
    pub shown: String,
    pub associated: BTreeMap<String, String>,
    /// Logon information and row-level permissions of whoever created the task.
    pub system: BTreeMap<String, serde_json::Value>,
    /// Who that was: whoever submitted the task last.
    #[serde(default)]
    pub by: String,
}

/// What the form holds; checked by [`TaskInput::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskInput {
    pub name: String,
    pub campaigns: Vec<String>,
    pub audience_id: String,
    pub webhook_id: String,
    /// One for each parameter of the webhook, in its order.
    pub values: Vec<ValueInput>,
    pub variables: Vec<VariableInput>,
    pub id_type: String,
    /// [`Encryption::code`].
    pub encryption: String,
    pub scheduled: bool,
    /// `YYYY-MM-DDTHH:MM`, in `time_zone`.
    pub send_at: String,
    /// IANA name.
    pub time_zone: String,
}

impl VariableInput {
    /// As people read it: "${who} = name, empty: skip user".
    pub fn told(&self) -> String {
        let empty = match self.when_empty.as_str() {
            "skip" => "skip user".to_string(),
            "default" => format!("“{}”", self.default),
            _ => "nothing".to_string(),
        };
        format!("${{{}}} = {}, empty: {empty}", self.name, self.tag)
    }

    #[cfg(feature = "ssr")]
    fn rule(&self) -> WhenEmpty {
        match self.when_empty.as_str() {
            "skip" => WhenEmpty::SkipUser,
            "default" => WhenEmpty::SendDefault(self.default.clone()),
            _ => WhenEmpty::SendNothing,
        }
    }
}

impl TaskInput {
    /// Without the white space around its name; dates and their times in one.
    pub fn tidy(mut self) -> Self {
        self.name = self.name.trim().into();
        self.values.iter_mut().for_each(|value| join_time(&mut value.value, &mut value.time));
        self
    }

    /// Without what belongs to no `known` parameter: only what is checked is kept.
    pub fn only(mut self, known: impl Fn(&str) -> bool) -> Self {
        self.values.retain(|value| known(&value.name));
        self.variables.retain(|variable| known(&variable.parameter));
        self
    }

    /// What was typed for a parameter; "" when nothing was.
    pub fn value_of(&self, parameter: &str) -> &str {
        self.values.iter().find(|value| value.name == parameter).map_or("", |value| &value.value)
    }

    /// The variables of a text parameter.
    pub fn variables_of(&self, parameter: &str) -> Vec<&VariableInput> {
        self.variables.iter().filter(|variable| variable.parameter == parameter).collect()
    }

    pub fn encryption(&self) -> Encryption {
        Encryption::from_code(&self.encryption).unwrap_or_default()
    }

    /// What is wrong with what was typed, by the inputs' names. Whether the audience, the webhook and the campaigns
    /// are there is the server's to check; `parameters` are the webhook's, `tags` the names of the workspace's tags.
    pub fn check(&self, parameters: &[Parameter], id_types: &[String], tags: &[String]) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |name: &str, message: String| errors.push(FieldError::new(field(name), message));
        match self.name.trim().chars().count() {
            0 => wrong("name", "Enter a task name.".into()),
            length if length > NAME_MAX => {
                wrong("name", format!("At most {NAME_MAX} characters; this has {length}."));
            }
            _ => {}
        }
        if self.audience_id.is_empty() {
            wrong("audience_id", "Select the audience to send to.".into());
        }
        if self.webhook_id.is_empty() {
            wrong("webhook_id", "Select the webhook to send through.".into());
        } else if !id_types.contains(&self.id_type) {
            wrong("id_type", "Select one of the webhook's ID types.".into());
        }
        if Encryption::from_code(&self.encryption).is_none() {
            wrong("encryption", "None, MD5 or SHA256.".into());
        }
        if self.scheduled && self.send_at.is_empty() {
            wrong("send_at", "Choose when to send.".into());
        }
        for (place, parameter) in parameters.iter().enumerate() {
            if let Err(message) = self.check_value(parameter, tags) {
                errors.push(FieldError::new(value_field(place), message));
            }
        }
        errors
    }

    /// The messages' common part. Call it on checked input; an unknown variable or zone is an error that names it.
    #[cfg(feature = "ssr")]
    pub fn template(&self, parameters: &[Parameter]) -> Result<Template, String> {
        let mut template = Template::default();
        for parameter in parameters {
            let value = self.value_of(&parameter.name);
            if parameter.kind == ParameterType::Text {
                let variables: Vec<Variable> = self
                    .variables_of(&parameter.name)
                    .into_iter()
                    .map(|variable| Variable {
                        name: variable.name.clone(),
                        tag: variable.tag.clone(),
                        when_empty: variable.rule(),
                    })
                    .collect();
                template
                    .push_text(&parameter.name, value, &variables)
                    .map_err(|variable| format!("${{{variable}}} is not a variable of its text."))?;
            } else {
                template.push_constant(&parameter.name, &on_the_wire(parameter, value, &self.time_zone)?);
            }
        }
        Ok(template)
    }
}

/// The name of an input of the form.
pub fn field(name: &str) -> String {
    format!("task[{name}]")
}

/// The name of the input of the parameter at `place`.
pub fn value_field(place: usize) -> String {
    format!("task[values][{place}][value]")
}

impl TaskInput {
    fn check_value(&self, parameter: &Parameter, tags: &[String]) -> Result<(), String> {
        let value = self.value_of(&parameter.name);
        if value.trim().is_empty() {
            return if parameter.required { Err(format!("Enter {}.", parameter.display_name)) } else { Ok(()) };
        }
        parameter.check_value(value)?;
        if parameter.kind == ParameterType::Text { self.check_variables(parameter, tags) } else { Ok(()) }
    }

    fn check_variables(&self, parameter: &Parameter, tags: &[String]) -> Result<(), String> {
        let mut rest = self.value_of(&parameter.name);
        while let Some((_, begun)) = rest.split_once("${") {
            if !begun.split_once('}').is_some_and(|(name, _)| is_variable_name(name)) {
                let shown: String = begun.chars().take(12).collect();
                return Err(format!(
                    "“${{{shown}” begins a variable that does not end. Insert it, or remove the “${{”."
                ));
            }
            rest = begun;
        }
        let variables = self.variables_of(&parameter.name);
        for name in variable_names(self.value_of(&parameter.name)) {
            let Some(variable) = variables.iter().find(|variable| variable.name == name) else {
                return Err(format!("${{{name}}} is not one of this text's variables. Insert it or remove it."));
            };
            if !tags.contains(&variable.tag) {
                return Err(format!("Choose a tag for ${{{name}}}."));
            }
            if variable.default.chars().count() > VALUE_MAX {
                return Err(format!("The default of ${{{name}}} has at most {VALUE_MAX} characters."));
            }
            if variable.when_empty == "default" && variable.default.is_empty() {
                return Err(format!("Enter the default that is sent when ${{{name}}} is empty."));
            }
        }
        for (place, variable) in variables.iter().enumerate() {
            if !is_variable_name(&variable.name) {
                return Err(format!(
                    "The variable name “{}” must be 1 to 32 English letters, digits and underscores.",
                    variable.name
                ));
            }
            if variables[..place].iter().any(|other| other.name == variable.name) {
                return Err(format!("Two variables are named ${{{}}}; names are unique in a text.", variable.name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, kind: ParameterType) -> Parameter {
        Parameter { name: name.into(), display_name: name.to_uppercase(), kind, required: true, ..Default::default() }
    }

    fn input(parameters: &[Parameter], values: &[&str]) -> TaskInput {
        TaskInput {
            name: "Spring".into(),
            audience_id: "a".into(),
            webhook_id: "w".into(),
            id_type: "ONEID".into(),
            encryption: "none".into(),
            values: parameters
                .iter()
                .zip(values)
                .map(|(parameter, value)| ValueInput {
                    name: parameter.name.clone(),
                    value: (*value).into(),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }
    }

    fn errors(kind: ParameterType, value: &str) -> Vec<FieldError> {
        let parameters = [parameter("p", kind)];
        input(&parameters, &[value]).check(&parameters, &["ONEID".into()], &["spend".into()])
    }

    #[test]
    fn values_fit_their_types() {
        use ParameterType::*;
        for unfinished in ["Dear ${name", "${", "${a b}", "${x} and ${"] {
            assert!(errors(Text, unfinished)[0].message.contains("${"), "{unfinished}");
        }
        for (kind, value) in [(String, "x"), (Numeric, "-1.5"), (Date, "2024-02-29"), (Text, "no variables")] {
            assert_eq!(errors(kind, value), [], "{value}");
        }
        for (kind, value) in [
            (String, ""),
            (Numeric, "many"),
            (Numeric, "NaN"),
            (Date, "2026-02-29"),
            (Date, "1.2.2026"),
            (Text, "Dear ${name}"),
        ] {
            assert_eq!(errors(kind, value)[0].field, "task[values][0][value]", "{value}");
        }
        assert_eq!(errors(String, &"文".repeat(VALUE_MAX)), []);
        assert_eq!(errors(String, &"文".repeat(VALUE_MAX + 1)).len(), 1);
    }

    #[test]
    fn variables_have_a_tag_and_a_name_of_their_own() {
        let parameters = [parameter("p", ParameterType::Text)];
        let check = |variables: Vec<VariableInput>| {
            let mut input = input(&parameters, &["Dear ${n}"]);
            input.variables = variables;
            input.check(&parameters, &["ONEID".into()], &["spend".into()])
        };
        let good = VariableInput {
            parameter: "p".into(),
            name: "n".into(),
            tag: "spend".into(),
            when_empty: "skip".into(),
            ..Default::default()
        };
        assert_eq!(check(vec![good.clone()]), []);
        assert!(check(vec![good.clone(), good.clone()])[0].message.contains("Two variables"));
        assert!(check(vec![VariableInput { tag: "other".into(), ..good.clone() }])[0].message.contains("tag"));
        let default = VariableInput { when_empty: "default".into(), ..good };
        assert!(check(vec![default])[0].message.contains("default"));
    }

    #[test]
    fn what_is_missing_is_told_at_its_field() {
        let fields: Vec<String> = TaskInput { scheduled: true, ..Default::default() }
            .check(&[], &[], &[])
            .into_iter()
            .map(|e| e.field)
            .collect();
        assert_eq!(fields, ["name", "audience_id", "webhook_id", "encryption", "send_at"].map(field));
    }
}
