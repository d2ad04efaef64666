//! A member as pages see one, and what their forms hold.

use crate::{
    access::{
        model::{Attributes, Permissions, Preset},
        person::{check_email, check_name},
    },
    error::FieldError,
    invitations::model::OpenLink,
};
use serde::{Deserialize, Serialize};

/// Rows on a page of the list.
pub const MEMBERS_PAGE: i64 = 50;
/// Attributes of one member, and values of one attribute.
pub const ATTRIBUTES_MAX: usize = 100;
/// Characters of an attribute's name and of a value.
pub const ATTRIBUTE_MAX: usize = 256;
/// Roles and groups of one member.
pub const CHOSEN_MAX: usize = 100;
/// Of a list of members to add.
pub const LIST_BYTES_MAX: usize = 1_000_000;
pub const LIST_ROWS_MAX: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Active,
    /// Has no password yet.
    Invited,
    /// Here, or everywhere.
    Disabled,
}

impl State {
    pub const ALL: [Self; 3] = [Self::Active, Self::Invited, Self::Disabled];

    pub fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::Disabled => "disabled",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Invited => "Invited",
            Self::Disabled => "Disabled",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberOrder {
    #[default]
    Name,
    LastSignIn,
}

/// What the list is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemberQuery {
    /// In name or e-mail.
    pub search: String,
    /// A role's id; "" is all.
    pub role: String,
    pub state: Option<State>,
    pub order: MemberOrder,
    pub descending: bool,
    pub offset: i64,
}

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    pub id: String,
    pub name: String,
    pub email: String,
    pub state: State,
    /// Disabled by the workspace, so that it may enable again.
    pub disabled_here: bool,
    /// Has no password yet.
    pub pending: bool,
    pub organization_administrator: bool,
    pub last_sign_in_at: Option<i64>,
    /// Names.
    pub roles: Vec<String>,
    pub groups: Vec<String>,
    pub may: May,
}

/// What the reader may do to a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct May {
    /// Roles, groups, attributes.
    pub change: bool,
    /// Disable, enable, remove.
    pub remove: bool,
    /// Links and the second factor.
    pub account: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberPage {
    pub rows: Vec<MemberRow>,
    pub total: i64,
    pub now: i64,
}

/// A role of the workspace: the program's own or one of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleChoice {
    pub id: String,
    pub name: String,
    pub permissions: Permissions,
}

impl RoleChoice {
    pub fn presets() -> impl Iterator<Item = Self> {
        Preset::ALL.into_iter().map(|preset| Self {
            id: preset.id().into(),
            name: preset.name().into(),
            permissions: preset.permissions(),
        })
    }
}

/// What forms choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberChoices {
    pub roles: Vec<RoleChoice>,
    /// Ids and names.
    pub groups: Vec<(String, String)>,
    /// Whether the reader may put members into groups.
    pub may_groups: bool,
    /// Whether links are sent by mail too.
    pub mail: bool,
}

/// A member's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberDetail {
    pub row: MemberRow,
    /// When the person became a member; 0 is unknown.
    pub created_at: i64,
    /// Ids.
    pub roles: Vec<String>,
    pub groups: Vec<String>,
    pub attributes: Attributes,
    /// Another one after each change of roles, groups and attributes: the form sends it along.
    pub seen: String,
    pub second_factor: bool,
    /// Why the reader may not change the account; "" when they may.
    pub why_not_account: String,
    pub link: Option<OpenLink>,
    pub choices: MemberChoices,
    pub now: i64,
}

/// The form of a new member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewMember {
    pub email: String,
    pub name: String,
    /// Ids.
    pub roles: Vec<String>,
    pub groups: Vec<String>,
    #[serde(skip)]
    pub attributes: Attributes,
}

impl NewMember {
    pub fn tidy(mut self) -> Self {
        self.email = self.email.trim().to_lowercase();
        self.name = self.name.trim().into();
        self.roles = distinct(self.roles);
        self.groups = distinct(self.groups);
        self
    }

    pub fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(problem) = check_email(&self.email) {
            errors.push(FieldError::new("email", problem));
        }
        if let Some(problem) = check_name(&self.name).filter(|_| !self.name.is_empty()) {
            errors.push(FieldError::new("name", problem.text()));
        }
        errors.extend(check_chosen(&self.roles, &self.groups));
        errors
    }
}

fn distinct(mut texts: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    texts.retain(|text| !text.is_empty() && seen.insert(text.clone()));
    texts
}

fn check_chosen(roles: &[String], groups: &[String]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if roles.is_empty() {
        errors.push(FieldError::new("roles", "Choose at least one role."));
    }
    for (field, chosen) in [("roles", roles), ("groups", groups)] {
        if chosen.len() > CHOSEN_MAX {
            errors.push(FieldError::new(field, format!("At most {CHOSEN_MAX}.")));
        }
    }
    errors
}

/// Why attributes can't be taken.
pub fn check_attributes(attributes: &Attributes) -> Result<(), String> {
    if attributes.len() > ATTRIBUTES_MAX || attributes.values().any(|values| values.len() > ATTRIBUTES_MAX) {
        return Err(format!("at most {ATTRIBUTES_MAX} attributes with {ATTRIBUTES_MAX} values each"));
    }
    let texts = attributes.iter().flat_map(|(name, values)| std::iter::once(name).chain(values));
    for text in texts {
        if text.chars().count() > ATTRIBUTE_MAX || text.chars().any(char::is_control) {
            return Err(format!("names and values have at most {ATTRIBUTE_MAX} characters and no line breaks"));
        }
    }
    Ok(())
}

/// An attribute as a form has it: a value on each line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttributeRow {
    pub name: String,
    pub values: String,
}

/// What is changed on a member's page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemberInput {
    /// Ids.
    pub roles: Vec<String>,
    pub groups: Vec<String>,
    pub attributes: Vec<AttributeRow>,
}

impl MemberInput {
    pub fn tidy(mut self) -> Self {
        self.roles = distinct(self.roles);
        self.groups = distinct(self.groups);
        self
    }

    /// The attributes, and what is wrong, by the inputs' names. Rows without anything are passed over.
    pub fn check(&self) -> (Attributes, Vec<FieldError>) {
        let mut errors = check_chosen(&self.roles, &self.groups);
        let mut attributes = Attributes::new();
        for (place, row) in self.attributes.iter().enumerate() {
            let field = |field: &str| format!("attributes[{place}][{field}]");
            let name = row.name.trim().to_string();
            let values = row.values.lines().map(str::trim).filter(|value| !value.is_empty()).map(str::to_string);
            let values = distinct(values.collect());
            match (name.is_empty(), values.is_empty()) {
                (true, true) => continue,
                (true, false) => errors.push(FieldError::new(field("name"), "Enter the name of these values.")),
                (false, true) => errors.push(FieldError::new(field("values"), "Enter at least one value.")),
                (false, false) if attributes.contains_key(&name) => {
                    errors.push(FieldError::new(field("name"), "This name is there already."));
                }
                (false, false) => {
                    let one = Attributes::from([(name.clone(), values.clone())]);
                    match check_attributes(&one) {
                        Ok(()) => drop(attributes.insert(name, values)),
                        Err(problem) => errors.push(FieldError::new(field("values"), sentence(&problem))),
                    }
                }
            }
        }
        if let Err(problem) = check_attributes(&attributes) {
            errors.push(FieldError::new("attributes", sentence(&problem)));
        }
        (attributes, errors)
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_member_has_an_address_and_a_role() {
        let new =
            NewMember { email: " ADA@Example.com ".into(), roles: vec!["a".into(), "a".into()], ..Default::default() };
        let new = new.tidy();
        assert_eq!((new.email.as_str(), new.roles.len(), new.check().len()), ("ada@example.com", 1, 0));
        let wrong = NewMember { name: "x".repeat(101), ..NewMember::default() };
        let fields: Vec<_> = wrong.check().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["email", "name", "roles"]);
    }

    #[test]
    fn attributes_are_names_with_values_on_lines() {
        let row = |name: &str, values: &str| AttributeRow { name: name.into(), values: values.into() };
        let check = |attributes: Vec<AttributeRow>| {
            let input = MemberInput { roles: vec!["analyst".into()], attributes, ..Default::default() };
            let (attributes, errors) = input.check();
            (attributes, errors.into_iter().map(|error| error.field).collect::<Vec<_>>())
        };
        let (attributes, errors) = check(vec![row(" region ", "East\r\n North;x \n\nEast"), row("", " ")]);
        assert!(errors.is_empty());
        assert_eq!(attributes["region"], ["East", "North;x"]);
        let wrong = vec![row("", "a"), row("b", ""), row("c", "1"), row("c", "2"), row("d", &"x".repeat(257))];
        let wanted = ["attributes[0][name]", "attributes[1][values]", "attributes[3][name]", "attributes[4][values]"];
        assert_eq!(check(wrong).1, wanted);
        let many = (0..=ATTRIBUTES_MAX).map(|number| row(&format!("n{number}"), "1")).collect();
        assert_eq!(check(many).1, ["attributes"]);
    }
}
