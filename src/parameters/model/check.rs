//! What may be typed into the form, and what is said when something else was.

use super::{
    ConstantValue, DESCRIPTION_MAX, Kind, NAME_MAX, OtherSetting, ParameterInput, ROWS_MAX, SHORT_MAX, Source,
    SystemSetting,
};
use crate::{
    error::FieldError,
    hidden::Hidden,
    webhooks::model::{Authentication, KEY_MAX, URL_MAX, check_url, is_parameter_name},
    wire::interface::VALUE_MAX,
};

fn length(text: &str) -> usize {
    text.chars().count()
}

/// PostgreSQL keeps no NUL.
fn trim(text: &mut String) {
    *text = text.replace('\0', "").trim().to_string();
}

/// A name that marketers see: 1 to [`SHORT_MAX`] characters of any script.
fn check_display_name(name: &str) -> Option<String> {
    match length(name) {
        0 => Some("Enter the name that marketers see.".into()),
        1..=SHORT_MAX => None,
        many => Some(format!("At most {SHORT_MAX} characters; this has {many}.")),
    }
}

/// A setting's name, which must not be that of one of those `before`.
fn check_setting_name<'a>(name: &str, mut before: impl Iterator<Item = &'a str>) -> Option<String> {
    if !is_parameter_name(name) {
        return Some(format!("1 to {SHORT_MAX} English letters, digits and underscores."));
    }
    before.any(|other| other == name).then(|| format!("Another setting is named “{name}” already."))
}

impl SystemSetting {
    fn is_blank(&self) -> bool {
        self.name.is_empty() && self.display_name.is_empty()
    }
}

impl OtherSetting {
    fn is_blank(&self) -> bool {
        [&self.name, &self.display_name, &self.parameter, &self.text].iter().all(|text| text.is_empty())
    }
}

impl ConstantValue {
    fn is_blank(&self) -> bool {
        [&self.when, &self.value, &self.display_name].iter().all(|text| text.is_empty())
    }
}

impl ParameterInput {
    /// Without the white space around what was typed, without the rows at the end that were left blank, and without
    /// what belongs to the other kind or to an association that is not wanted. The key stays as it is: it may begin or
    /// end with a space.
    pub fn tidy(mut self) -> Self {
        for text in [&mut self.name, &mut self.description, &mut self.url, &mut self.associated] {
            trim(text);
        }
        if self.kind == Kind::Constant {
            (self.url, self.key) = (String::new(), Hidden::default());
            self.authentication = Authentication::None;
            (self.with_system, self.with_others) = (false, false);
        } else {
            self.with_associated = false;
            self.constants.clear();
        }
        if !self.with_system {
            self.system.clear();
        }
        if !self.with_others {
            self.others.clear();
        }
        if !self.with_associated {
            self.associated.clear();
            self.constants.iter_mut().for_each(|constant| constant.when.clear());
        }
        for setting in &mut self.system {
            trim(&mut setting.name);
            trim(&mut setting.display_name);
        }
        for setting in &mut self.others {
            for text in [&mut setting.name, &mut setting.display_name, &mut setting.parameter, &mut setting.text] {
                trim(text);
            }
            match setting.source {
                Source::Associated => setting.text.clear(),
                Source::Manual => setting.parameter.clear(),
            }
        }
        for constant in &mut self.constants {
            for text in [&mut constant.when, &mut constant.value, &mut constant.display_name] {
                trim(text);
            }
        }
        while self.system.pop_if(|last| last.is_blank()).is_some() {}
        while self.others.pop_if(|last| last.is_blank()).is_some() {}
        while self.constants.pop_if(|last| last.is_blank()).is_some() {}
        self
    }

    /// Everything that is wrong with what was typed, by the inputs' names. `keeps_key` is true when the parameter has
    /// a key already. Expects what [`ParameterInput::tidy`] left; whether associated parameters are there is checked
    /// where they are saved.
    pub fn check(&self, keeps_key: bool) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
        match length(&self.name) {
            0 => wrong("name", "Enter a name for the parameter.".into()),
            1..=NAME_MAX => {}
            many => wrong("name", format!("At most {NAME_MAX} characters; this has {many}.")),
        }
        if length(&self.description) > DESCRIPTION_MAX {
            let many = length(&self.description);
            wrong("description", format!("At most {DESCRIPTION_MAX} characters; this has {many}."));
        }
        match self.kind {
            Kind::Interface => errors.extend(self.check_interface(keeps_key)),
            Kind::Constant => errors.extend(self.check_constants()),
        }
        errors
    }

    fn check_interface(&self, keeps_key: bool) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
        if self.url.is_empty() {
            wrong("url", "Enter the URL of the interface that gives the values.".into());
        } else if length(&self.url) > URL_MAX {
            wrong("url", format!("At most {URL_MAX} characters."));
        } else if let Err(message) = check_url(&self.url) {
            wrong("url", message);
        }
        if self.authentication == Authentication::Key {
            if self.key.is_empty() && !keeps_key {
                wrong("key", "Enter the key that signs the requests.".into());
            } else if length(&self.key) > KEY_MAX {
                wrong("key", format!("At most {KEY_MAX} characters."));
            }
        }
        if self.with_system {
            check_count("system", self.system.len(), "setting", &mut wrong);
        }
        for (place, setting) in self.system.iter().enumerate().take(ROWS_MAX) {
            let before = self.system[..place].iter().map(|other| other.name.as_str());
            if let Some(message) = check_setting_name(&setting.name, before) {
                wrong(&format!("system[{place}][name]"), message);
            }
            if let Some(message) = check_display_name(&setting.display_name) {
                wrong(&format!("system[{place}][display_name]"), message);
            }
        }
        if self.with_others {
            check_count("others", self.others.len(), "setting", &mut wrong);
        }
        for (place, setting) in self.others.iter().enumerate().take(ROWS_MAX) {
            let before = self.others[..place].iter().map(|other| other.name.as_str());
            if let Some(message) = check_setting_name(&setting.name, before) {
                wrong(&format!("others[{place}][name]"), message);
            }
            if let Some(message) = check_display_name(&setting.display_name) {
                wrong(&format!("others[{place}][display_name]"), message);
            }
            match setting.source {
                Source::Associated if setting.parameter.is_empty() => {
                    wrong(&format!("others[{place}][parameter]"), "Choose the associated parameter.".into());
                }
                Source::Manual if setting.text.is_empty() => {
                    wrong(&format!("others[{place}][text]"), "Enter what is passed.".into());
                }
                Source::Manual if length(&setting.text) > VALUE_MAX => {
                    wrong(&format!("others[{place}][text]"), format!("At most {VALUE_MAX} characters."));
                }
                _ => {}
            }
        }
        errors
    }

    fn check_constants(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
        if self.with_associated && self.associated.is_empty() {
            wrong("associated", "Choose the associated parameter.".into());
        }
        check_count("constants", self.constants.len(), "value", &mut wrong);
        for (place, constant) in self.constants.iter().enumerate().take(ROWS_MAX) {
            let field = |name: &str| format!("constants[{place}][{name}]");
            if self.with_associated {
                if constant.when.is_empty() {
                    wrong(&field("when"), "Enter the value of the associated parameter.".into());
                } else if length(&constant.when) > VALUE_MAX {
                    wrong(&field("when"), format!("At most {VALUE_MAX} characters."));
                }
            }
            let same = |other: &ConstantValue| other.value == constant.value && other.when == constant.when;
            if constant.value.is_empty() {
                wrong(&field("value"), "Enter the value that is sent.".into());
            } else if !is_english(&constant.value) {
                wrong(&field("value"), "English letters, digits and signs only.".into());
            } else if length(&constant.value) > SHORT_MAX {
                let many = length(&constant.value);
                wrong(&field("value"), format!("At most {SHORT_MAX} characters; this has {many}."));
            } else if self.constants[..place].iter().any(same) {
                wrong(&field("value"), format!("“{}” stands here twice.", constant.value));
            }
            if let Some(message) = check_display_name(&constant.display_name) {
                wrong(&field("display_name"), message);
            }
        }
        errors
    }
}

/// At least one row, and at most [`ROWS_MAX`].
fn check_count(field: &str, rows: usize, word: &str, wrong: &mut impl FnMut(&str, String)) {
    if rows == 0 {
        wrong(field, format!("Add at least one {word}."));
    } else if rows > ROWS_MAX {
        wrong(field, format!("At most {ROWS_MAX} {word}s; these are {rows}."));
    }
}

/// "Must be in English" (seed 002): what a keyboard for English has.
fn is_english(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' '..='~'))
}

#[cfg(test)]
mod tests;
