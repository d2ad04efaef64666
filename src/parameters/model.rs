//! A webhook parameter and what it is associated with (seed 002, "Create a parameter").

mod check;
pub mod cycle;
mod pages;

pub use pages::{
    PARAMETERS_PAGE, ParameterChoice, ParameterDetail, ParameterForm, ParameterOrder, ParameterPage, ParameterQuery,
    ParameterRow, User, UserKind,
};

use crate::{
    access::model::{Area, Either, Permission},
    hidden::Hidden,
    webhooks::model::Authentication,
    wire::interface::Item,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whoever configures parameters tries their values; whoever makes tasks chooses among them.
pub const LOADING: Either =
    Either(Permission::Manage(Area::ParameterManagement), Permission::Manage(Area::ReachWebhook));

/// Lengths in characters.
pub const NAME_MAX: usize = 64;
pub const DESCRIPTION_MAX: usize = 500;
/// Names and display names of settings, values and display names of constants (seed 002).
pub const SHORT_MAX: usize = 32;
/// Settings of one kind, and values of a constant-based parameter (seed 002).
pub const ROWS_MAX: usize = 20;
/// Parameters in one workspace, so that lists of all of them stay bounded.
pub const PARAMETERS_MAX: i64 = 500;
/// Under which name a constant-based parameter is given the value of the parameter that it is associated with.
pub const ASSOCIATED: &str = "associated";

/// Where the values come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Interface,
    Constant,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Interface, Self::Constant];

    pub fn code(self) -> &'static str {
        match self {
            Self::Interface => "interface",
            Self::Constant => "constant",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Interface => "Interface-based",
            Self::Constant => "Constant-based",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What the system tells an interface of whoever loads the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemValue {
    #[default]
    LogonUser,
    RowPermissions,
}

impl SystemValue {
    pub const ALL: [Self; 2] = [Self::LogonUser, Self::RowPermissions];

    pub fn code(self) -> &'static str {
        match self {
            Self::LogonUser => "logon_user",
            Self::RowPermissions => "row_permissions",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::LogonUser => "Current logon user information",
            Self::RowPermissions => "Current user's row-level permissions",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value| value.code() == code)
    }
}

/// Where the value of a setting under "Associate with other parameters" comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// What was chosen for another parameter.
    #[default]
    Associated,
    /// A text that stands in the setting; several values in it have the separator agreed with the third party.
    Manual,
}

impl Source {
    pub const ALL: [Self; 2] = [Self::Associated, Self::Manual];

    pub fn code(self) -> &'static str {
        match self {
            Self::Associated => "associated",
            Self::Manual => "manual",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Associated => "Associated parameter selection",
            Self::Manual => "Manual input",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.code() == code)
    }
}

/// A setting under "Associate with system parameters".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemSetting {
    pub name: String,
    pub display_name: String,
    #[serde(default)]
    pub value: SystemValue,
}

/// A setting under "Associate with other parameters" of an interface-based parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherSetting {
    pub name: String,
    pub display_name: String,
    #[serde(default)]
    pub source: Source,
    /// The id of the associated parameter.
    #[serde(default)]
    pub parameter: String,
    /// The manual input.
    #[serde(default)]
    pub text: String,
}

/// A value of a constant-based parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstantValue {
    /// The value of the associated parameter that it belongs to; "" without one.
    #[serde(default)]
    pub when: String,
    pub value: String,
    pub display_name: String,
}

/// What the form holds; [`ParameterInput::tidy`] leaves what belongs to the kind, [`ParameterInput::check`] checks it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParameterInput {
    pub name: String,
    pub kind: Kind,
    pub description: String,
    pub url: String,
    pub authentication: Authentication,
    /// Empty keeps the key that is there.
    pub key: Hidden,
    /// "Associate with system parameters".
    pub with_system: bool,
    pub system: Vec<SystemSetting>,
    /// "Associate with other parameters" of an interface-based parameter.
    pub with_others: bool,
    pub others: Vec<OtherSetting>,
    /// "Associate with other parameters" of a constant-based one.
    pub with_associated: bool,
    /// The id of the parameter that a constant-based one is associated with.
    pub associated: String,
    pub constants: Vec<ConstantValue>,
}

/// A parameter as pages see it: everything but the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub id: String,
    pub version: i64,
    pub has_key: bool,
    /// `key` is always empty here.
    pub input: ParameterInput,
    pub updated_at: i64,
}

/// A value that must be there before a parameter's values can be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The name under which the value is passed.
    pub setting: String,
    /// What people see; "" for a constant-based parameter's.
    pub display_name: String,
    /// The id of the parameter whose value it is.
    pub parameter: String,
}

impl ParameterInput {
    /// The values that must come first, in the order of the settings.
    pub fn dependencies(&self) -> Vec<Dependency> {
        if self.kind == Kind::Constant {
            let only = Dependency {
                setting: ASSOCIATED.into(),
                display_name: String::new(),
                parameter: self.associated.clone(),
            };
            return if self.with_associated { vec![only] } else { Vec::new() };
        }
        let settings = self.others.iter().filter(|setting| self.with_others && setting.source == Source::Associated);
        let dependency = |setting: &OtherSetting| Dependency {
            setting: setting.name.clone(),
            display_name: setting.display_name.clone(),
            parameter: setting.parameter.clone(),
        };
        settings.map(dependency).collect()
    }

    /// The values of a constant-based parameter; `when` is the value of the parameter it is associated with, if it is.
    pub fn constants_when(&self, when: &str) -> Vec<Item> {
        let fits = |constant: &&ConstantValue| !self.with_associated || constant.when == when;
        let item =
            |constant: &ConstantValue| Item { value: constant.value.clone(), name: constant.display_name.clone() };
        self.constants.iter().filter(fits).map(item).collect()
    }
}

impl Parameter {
    /// Which other parameters must have a value first: see [`ParameterInput::dependencies`].
    pub fn dependencies(&self) -> Vec<Dependency> {
        self.input.dependencies()
    }
}

/// A value that a form passes, under the name of its setting ([`Dependency::setting`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    pub name: String,
    #[serde(default)]
    pub value: String,
}

/// The values of a parameter, and what was passed to get them, to be kept with what was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values {
    pub items: Vec<Item>,
    /// By the settings' names, manual input included.
    pub associated: BTreeMap<String, String>,
    pub system: BTreeMap<String, serde_json::Value>,
    /// Unix milliseconds; the values may come from the cache.
    pub loaded_at: i64,
}

impl Values {
    /// What people see of a value; `None` when it is not among them.
    pub fn name_of(&self, value: &str) -> Option<&str> {
        self.items.iter().find(|item| item.value == value).map(|item| item.name.as_str())
    }
}
