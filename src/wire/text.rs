//! Text parameters with variables: `Dear ${name}, ...` (seed 000, "Parameters").

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What happens to a user for whom a variable's tag is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhenEmpty {
    /// Nothing stands in its place.
    SendNothing,
    SendDefault(String),
    SkipUser,
}

/// `${name}` in a text: the value of a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Unique in its text: letters, digits, underscores.
    pub name: String,
    pub tag: String,
    pub when_empty: WhenEmpty,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    Text(String),
    /// The value at this place of the message's variable values.
    Value(usize),
}

/// A parameter of a send: the pieces whose concatenation is its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamTemplate {
    pub name: String,
    pub parts: Vec<Part>,
}

/// Everything that all messages of a send have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub params: Vec<ParamTemplate>,
    /// Where each value comes from, in the order of [`Part::Value`]'s numbers.
    pub variables: Vec<Variable>,
}

/// Letters, digits and underscores, at most 32: what a variable may be called.
pub fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The text between variables and the variables' names, in order: `${` without a valid name and `}` is plain text.
fn pieces(text: &str) -> Vec<Result<&str, &str>> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut plain = 0;
    while let Some(start) = rest[plain..].find("${").map(|at| at + plain) {
        let name = rest[start + 2..].split('}').next().unwrap_or("");
        if is_variable_name(name) && rest[start + 2 + name.len()..].starts_with('}') {
            if start > 0 {
                found.push(Ok(&rest[..start]));
            }
            found.push(Err(name));
            rest = &rest[start + name.len() + 3..];
            plain = 0;
        } else {
            plain = start + 2;
        }
    }
    if !rest.is_empty() {
        found.push(Ok(rest));
    }
    found
}

/// The names of the variables that a text uses, each once, in order.
pub fn variable_names(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in pieces(text).into_iter().filter_map(Result::err) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl Template {
    /// Adds a parameter whose value is the same for everybody.
    pub fn push_constant(&mut self, name: &str, value: &str) {
        self.params.push(ParamTemplate { name: name.into(), parts: vec![Part::Text(value.into())] });
    }

    /// Adds a text parameter. Its variables are those of `variables`; `Err` names one that the text uses and none of
    /// them is.
    pub fn push_text(&mut self, name: &str, text: &str, variables: &[Variable]) -> Result<(), String> {
        let mut parts = Vec::new();
        for piece in pieces(text) {
            parts.push(match piece {
                Ok(text) => Part::Text(text.into()),
                Err(used) => {
                    let variable =
                        variables.iter().find(|variable| variable.name == used).ok_or_else(|| used.to_string())?;
                    Part::Value(self.place_of(variable))
                }
            });
        }
        self.params.push(ParamTemplate { name: name.into(), parts });
        Ok(())
    }

    fn place_of(&mut self, variable: &Variable) -> usize {
        self.variables.iter().position(|known| known == variable).unwrap_or_else(|| {
            self.variables.push(variable.clone());
            self.variables.len() - 1
        })
    }

    /// The tags that the variables ask for, each once.
    pub fn tags(&self) -> Vec<&str> {
        let mut tags: Vec<&str> = self.variables.iter().map(|variable| variable.tag.as_str()).collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// One user's value for each variable from the user's tags (`tag` gives a value as text), or the name of the
    /// variable for which the user is to be skipped.
    pub fn values(&self, tag: impl Fn(&str) -> Option<String>) -> Result<Vec<String>, &str> {
        self.variables
            .iter()
            .map(|variable| match tag(&variable.tag).filter(|value| !value.is_empty()) {
                Some(value) => Ok(value),
                None => match &variable.when_empty {
                    WhenEmpty::SendNothing => Ok(String::new()),
                    WhenEmpty::SendDefault(value) => Ok(value.clone()),
                    WhenEmpty::SkipUser => Err(variable.name.as_str()),
                },
            })
            .collect()
    }
}

impl ParamTemplate {
    /// The parameter's value for one user. `values` are those of [`Template::values`].
    pub fn render<'a, V: AsRef<str>>(&'a self, values: &'a [V]) -> Cow<'a, str> {
        let piece = |part: &'a Part| match part {
            Part::Text(piece) => piece.as_str(),
            Part::Value(place) => values.get(*place).map_or("", V::as_ref),
        };
        match self.parts.as_slice() {
            [part] => piece(part).into(),
            parts => parts.iter().map(piece).collect::<String>().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, tag: &str, when_empty: WhenEmpty) -> Variable {
        Variable { name: name.into(), tag: tag.into(), when_empty }
    }

    #[test]
    fn a_text_is_cut_at_its_variables() {
        assert_eq!(variable_names("Dear ${name}, ${city} and ${name}"), ["name", "city"]);
        assert_eq!(variable_names("no ${} ${a b} ${unclosed $ {x}"), Vec::<&str>::new());
        assert_eq!(variable_names("${${a}"), ["a"]);
        assert_eq!(variable_names("折扣${城市}${city}"), ["city"]);
    }

    #[test]
    fn values_stand_where_their_variables_stood() {
        let mut template = Template::default();
        let variables = [
            variable("name", "nick", WhenEmpty::SendDefault("Member".into())),
            variable("city", "town", WhenEmpty::SendNothing),
        ];
        template.push_constant("coupon", "C-1");
        template.push_text("text", "Dear ${name}${city}! ${name}", &variables).unwrap();
        let render = |nick: Option<&str>| {
            let values = template.values(|tag| if tag == "nick" { nick.map(String::from) } else { None }).unwrap();
            template.params.iter().map(|param| param.render(&values).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(render(Some("张三")), ["C-1", "Dear 张三! 张三"]);
        assert_eq!(render(None), ["C-1", "Dear Member! Member"]);
        assert_eq!(render(Some("")), ["C-1", "Dear Member! Member"], "an empty tag is an empty value");
    }

    #[test]
    fn a_user_without_a_needed_value_is_skipped_by_name() {
        let mut template = Template::default();
        template.push_text("t", "${a}", &[variable("a", "x", WhenEmpty::SkipUser)]).unwrap();
        assert_eq!(template.values(|_| None), Err("a"));
        assert_eq!(template.push_text("u", "${other}", &[]), Err("other".into()));
    }

    #[test]
    fn values_are_never_read_as_text_again() {
        let mut template = Template::default();
        template.push_text("t", "<${a}>", &[variable("a", "x", WhenEmpty::SkipUser)]).unwrap();
        let values = template.values(|_| Some("${a}".into())).unwrap();
        assert_eq!(template.params[0].render(&values), "<${a}>");
    }

    proptest::proptest! {
        #[test]
        fn text_without_variables_is_sent_as_it_is(text in "[^$]*") {
            let mut template = Template::default();
            template.push_text("t", &text, &[]).unwrap();
            proptest::prop_assert_eq!(template.params[0].render::<&str>(&[]), text);
        }

        #[test]
        fn any_text_parses(text in ".*") {
            let joined: String = pieces(&text)
                .into_iter()
                .map(|piece| piece.map_or_else(|name| format!("${{{name}}}"), String::from))
                .collect();
            proptest::prop_assert_eq!(joined, text);
        }
    }
}
