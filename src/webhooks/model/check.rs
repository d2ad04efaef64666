//! What may be typed into the form, and what is said when something else was.

use super::{
    Authentication, BATCH_MAX, KEY_MAX, NAME_MAX, PARAMETER_NAME_MAX, PARAMETERS_MAX, Parameter, ParameterType,
    ReceiptStatus, STATUSES_MAX, TEXT_MAX, URL_MAX, VALUE_MAX, WebhookInput,
    certificate::{PEM_MAX, certificates_alone, check_certificates, key_alone},
};
use crate::{delivery::model::AfterCrash, error::FieldError};

fn too_long(text: &str, most: usize) -> bool {
    text.chars().count() > most
}

impl Parameter {
    /// Whether a task or a test may give it this value. Variables of a text count as text.
    pub fn check_value(&self, value: &str) -> Result<(), String> {
        let value = value.trim();
        if value.is_empty() {
            return if self.required { Err("Enter a value.".into()) } else { Ok(()) };
        }
        let most = if self.kind == ParameterType::Text { TEXT_MAX } else { VALUE_MAX };
        if too_long(value, most) {
            return Err(format!("At most {most} characters; this has {}.", value.chars().count()));
        }
        match self.kind {
            ParameterType::Numeric if !is_number(value) => {
                Err("Enter a number: digits, with a point if need be.".into())
            }
            ParameterType::Date if !is_date_or_time(value) => {
                Err("Enter a date, 2026-01-31, or a date with a time, 2026-01-31 09:30.".into())
            }
            _ => Ok(()),
        }
    }
}

/// Digits with an optional sign and an optional point.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match digits.split_once('.') {
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => all_digits(digits),
    }
}

/// `YYYY-MM-DD`, or `YYYY-MM-DD HH:MM`.
fn is_date_or_time(text: &str) -> bool {
    let two = |text: &str, below: u8| {
        text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|n: u8| n < below)
    };
    match text.split_once(' ') {
        None => is_date(text),
        Some((date, time)) => {
            is_date(date) && time.split_once(':').is_some_and(|(hour, minute)| two(hour, 24) && two(minute, 60))
        }
    }
}

/// A date and its time as forms have them, in one text; a time without a date stays, so that it is refused.
pub fn join_time(value: &mut String, time: &mut String) {
    let typed = std::mem::take(time);
    if !typed.trim().is_empty() {
        *value = format!("{} {}", value.trim(), typed.trim());
    }
}

/// `YYYY-MM-DD`, a day of the calendar.
pub fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut part = |length: usize| -> Option<u32> {
        let digits = parts.next().filter(|part| part.len() == length)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day) && parts.next().is_none()
}

/// English letters, digits, underscores, at most 32 (seed 002, "Parameter name").
pub fn is_parameter_name(name: &str) -> bool {
    crate::wire::text::is_variable_name(name)
}

impl WebhookInput {
    /// Without the white space around what was typed and without the rows at the end that were left blank. The key
    /// stays as it is: it may begin or end with a space.
    pub fn tidy(mut self) -> Self {
        // PostgreSQL keeps no NUL.
        let trim = |text: &mut String| *text = text.replace('\0', "").trim().to_string();
        trim(&mut self.name);
        trim(&mut self.url);
        for pem in [&mut self.ca_certificate, &mut self.client_certificate] {
            trim(pem);
            *pem = certificates_alone(pem);
        }
        self.client_key = key_alone(&self.client_key.replace('\0', "")).into();
        for parameter in &mut self.parameters {
            trim(&mut parameter.name);
            trim(&mut parameter.display_name);
            parameter.called = None;
            if parameter.kind != ParameterType::Call {
                parameter.call.clear();
            }
        }
        for status in &mut self.statuses {
            trim(&mut status.code);
            trim(&mut status.value);
        }
        while self.parameters.pop_if(|last| last.name.is_empty() && last.display_name.is_empty()).is_some() {}
        while self.statuses.pop_if(|last| last.code.is_empty() && last.value.is_empty()).is_some() {}
        self
    }

    /// Everything that is wrong with what was typed, by the inputs' names. `keeps_key` is true when the webhook has a
    /// key already.
    pub fn check(&self, keeps_key: bool) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: String, message: String| errors.push(FieldError { field, message });
        let name = self.name.trim();
        if name.is_empty() {
            wrong("name".into(), "Enter a name for the webhook.".into());
        } else if too_long(name, NAME_MAX) {
            wrong("name".into(), format!("At most {NAME_MAX} characters; this has {}.", name.chars().count()));
        }
        if let Err(message) = check_url(&self.url) {
            wrong("url".into(), message);
        }
        if self.authentication == Authentication::Key {
            if self.key.is_empty() && !keeps_key {
                wrong("key".into(), "Enter the key that signs the requests.".into());
            } else if too_long(&self.key, KEY_MAX) {
                wrong("key".into(), format!("At most {KEY_MAX} characters."));
            }
        }
        if self.id_types.is_empty() {
            wrong("id_types".into(), "Choose at least one ID type.".into());
        }
        if self.parameters.len() > PARAMETERS_MAX {
            wrong("parameters".into(), format!("At most {PARAMETERS_MAX} parameters."));
        }
        for (place, parameter) in self.parameters.iter().enumerate().take(PARAMETERS_MAX) {
            let field = |name: &str| format!("parameters[{place}][{name}]");
            if !is_parameter_name(&parameter.name) {
                let most = PARAMETER_NAME_MAX;
                wrong(field("name"), format!("1 to {most} English letters, digits and underscores."));
            } else if self.parameters[..place].iter().any(|other| other.name == parameter.name) {
                wrong(field("name"), format!("Another parameter is named “{}” already.", parameter.name));
            }
            if parameter.kind == ParameterType::Call && parameter.call.is_empty() {
                wrong(field("call"), "Select the constant or the interface whose values it takes.".into());
            } else if !parameter.call.is_empty()
                && self.parameters[..place].iter().any(|other| other.call == parameter.call)
            {
                // Whose values hang on it would not know which of the two is meant.
                wrong(field("call"), "Another parameter takes its values from this one already.".into());
            }
            if parameter.display_name.trim().is_empty() {
                wrong(field("display_name"), "Enter the name that marketers see.".into());
            } else if too_long(&parameter.display_name, PARAMETER_NAME_MAX) {
                wrong(field("display_name"), format!("At most {PARAMETER_NAME_MAX} characters."));
            }
        }
        if AfterCrash::from_code(&self.after_crash).is_none() {
            wrong("after_crash".into(), "Choose what is done after a crash.".into());
        }
        for (field, value, least, most) in [
            ("batch_size", self.batch_size, 1, BATCH_MAX),
            ("concurrency", self.concurrency, 1, 64),
            ("users_per_second", self.users_per_second, 0, 1_000_000),
            ("retention_days", self.retention_days, 1, 90),
        ] {
            if !(least..=most).contains(&value) {
                wrong(field.into(), format!("A number from {least} to {most}."));
            }
        }
        for (field, pem) in [("ca_certificate", &self.ca_certificate), ("client_certificate", &self.client_certificate)]
        {
            if let Err(message) = check_certificates(pem) {
                wrong(field.into(), message);
            }
        }
        if too_long(&self.client_key, PEM_MAX) {
            wrong("client_key".into(), format!("At most {PEM_MAX} characters."));
        }
        if self.receipts_enabled {
            if self.statuses.is_empty() {
                wrong("statuses".into(), "Add at least one status.".into());
            }
            if self.statuses.len() > STATUSES_MAX {
                wrong("statuses".into(), format!("At most {STATUSES_MAX} statuses."));
            }
            for (place, status) in self.statuses.iter().enumerate() {
                for (name, value, taken) in [
                    ("code", &status.code, self.statuses[..place].iter().any(|other| other.code == status.code)),
                    ("value", &status.value, self.statuses[..place].iter().any(|other| other.value == status.value)),
                ] {
                    let field = format!("statuses[{place}][{name}]");
                    if value.trim().is_empty() {
                        wrong(field, format!("Enter the status {name}."));
                    } else if too_long(value, PARAMETER_NAME_MAX) {
                        wrong(field, format!("At most {PARAMETER_NAME_MAX} characters."));
                    } else if taken {
                        wrong(field, format!("“{value}” stands here twice."));
                    }
                }
            }
        }
        errors
    }
}

/// What is wrong with changing `before` (the statuses that receipts were enabled with) into `after`: they can't be
/// changed or removed any more, only added to (seed 002, "Edit").
pub fn check_statuses(before: &[ReceiptStatus], after: &[ReceiptStatus]) -> Vec<FieldError> {
    let missing = |status: &&ReceiptStatus| !after.contains(status);
    let named: Vec<String> =
        before.iter().filter(missing).map(|status| format!("“{} {}”", status.code, status.value)).collect();
    if named.is_empty() {
        return Vec::new();
    }
    let message =
        format!("Receipts were enabled with {}: it can't be changed or removed, only added to.", named.join(", "));
    vec![FieldError::new("statuses", message)]
}

/// An absolute http or https URL with a host and without user or password. Which address the host has is checked
/// when it is called.
pub fn check_url(url: &str) -> Result<(), String> {
    let url = url.trim();
    if url.is_empty() {
        return Err("Enter the URL that receives the messages.".into());
    }
    if too_long(url, URL_MAX) {
        return Err(format!("At most {URL_MAX} characters."));
    }
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or("The URL must begin with https:// or http://.")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    if host.contains('@') {
        return Err("Leave user name and password out of the URL; use the key.".into());
    }
    let without_port = if host.starts_with('[') {
        host.split_once(']').map_or("", |(address, _)| address)
    } else {
        host.split(':').next().unwrap_or("")
    };
    if without_port.is_empty() || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("This is not a complete URL: https://host/path.".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> WebhookInput {
        WebhookInput {
            name: "Coupon service".into(),
            key: "k".into(),
            url: "https://crm.example.com/hook".into(),
            id_types: vec!["ONEID".into()],
            parameters: vec![Parameter { name: "text".into(), display_name: "Text".into(), ..Default::default() }],
            ..Default::default()
        }
    }

    fn fields(input: &WebhookInput) -> Vec<String> {
        input.check(false).into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_complete_webhook_is_right() {
        assert_eq!(good().check(false), []);
    }

    #[test]
    fn each_fault_is_told_at_its_field() {
        let fault = |change: fn(&mut WebhookInput)| {
            let mut input = good();
            change(&mut input);
            fields(&input)
        };
        assert_eq!(fault(|w| w.name = " ".into()), ["name"]);
        assert_eq!(fault(|w| w.name = "文".repeat(65)), ["name"]);
        assert_eq!(fault(|w| w.name = "文".repeat(64)), [""; 0]);
        assert_eq!(fault(|w| w.key = "".into()), ["key"]);
        assert_eq!(fault(|w| w.id_types.clear()), ["id_types"]);
        assert_eq!(fault(|w| w.batch_size = 101), ["batch_size"]);
        assert_eq!(fault(|w| w.after_crash = "forget".into()), ["after_crash"]);
        assert_eq!(fault(|w| w.parameters.push(w.parameters[0].clone())), ["parameters[1][name]"]);
        assert_eq!(fault(|w| w.parameters[0].name = "a b".into()), ["parameters[0][name]"]);
        assert_eq!(fault(|w| w.parameters[0].name = "a".repeat(33)), ["parameters[0][name]"]);
        assert_eq!(fault(|w| w.ca_certificate = "-----BEGIN PRIVATE KEY-----".into()), ["ca_certificate"]);
        assert_eq!(fault(|w| w.client_certificate = "x".repeat(PEM_MAX + 1)), ["client_certificate"]);
        assert_eq!(fault(|w| w.client_key = "x".repeat(PEM_MAX + 1).into()), ["client_key"]);
        assert_eq!(fault(|w| (w.receipts_enabled, w.statuses) = (true, vec![])), ["statuses"]);
        let twice = fault(|w| {
            w.receipts_enabled = true;
            w.statuses.push(w.statuses[0].clone());
        });
        assert_eq!(twice, ["statuses[1][code]", "statuses[1][value]"]);
        assert_eq!(good().check(true), []);
    }

    #[test]
    fn white_space_goes_but_the_keys_own() {
        let mut input = good();
        input.name = " Coupon service ".into();
        input.key = " my secret ".into();
        input.parameters.push(Parameter::default());
        input.statuses.push(ReceiptStatus { code: " ".into(), value: String::new() });
        let tidy = input.tidy();
        assert_eq!((tidy.name.as_str(), &*tidy.key), ("Coupon service", " my secret "));
        assert_eq!((tidy.parameters.len(), tidy.statuses.len()), (1, 1));
    }

    #[test]
    fn statuses_may_be_added_but_not_changed_or_removed() {
        let status = |code: &str, value: &str| ReceiptStatus { code: code.into(), value: value.into() };
        let before = [status("200", "Success"), status("500", "Failed")];
        let more = [status("404", "Gone"), before[1].clone(), before[0].clone()];
        assert_eq!(check_statuses(&before, &more), []);
        assert_eq!(check_statuses(&before, &before[..1])[0].field, "statuses");
        let changed = check_statuses(&before, &[status("200", "Delivered"), before[1].clone()]);
        assert!(changed[0].message.contains("“200 Success”"), "{changed:?}");
    }

    #[test]
    fn values_fit_their_parameters() {
        let fits = |kind: ParameterType, value: &str| {
            Parameter { kind, required: true, ..Default::default() }.check_value(value).is_ok()
        };
        for right in ["0", "-1", "12.50", "+3"] {
            assert!(fits(ParameterType::Numeric, right), "{right}");
        }
        for wrong in ["", "1,5", "1e3", ".5", "5.", "-", "NaN", "１"] {
            assert!(!fits(ParameterType::Numeric, wrong), "{wrong}");
        }
        for right in ["2026-01-31", "2024-02-29", "2000-02-29"] {
            assert!(fits(ParameterType::Date, right), "{right}");
        }
        for wrong in ["2026-02-29", "1900-02-29", "2026-13-01", "2026-1-1", "2026-04-31", "2026-01-01-1", "today"] {
            assert!(!fits(ParameterType::Date, wrong), "{wrong}");
        }
        assert!(fits(ParameterType::Text, &"文".repeat(TEXT_MAX)));
        assert!(!fits(ParameterType::String, &"文".repeat(VALUE_MAX + 1)));
        assert_eq!(Parameter::default().check_value(""), Ok(()));
    }

    #[test]
    fn urls() {
        for right in
            ["http://a.example", "https://a.example:8443/x?y=1", "https://[2001:db8::1]:80/", "https://例え.jp/x"]
        {
            assert_eq!(check_url(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "a.example",
            "ftp://a.example",
            "https://",
            "https:///x",
            "https://u:p@a.example",
            "https://a b.example",
            "javascript:alert(1)",
            "https://:80/",
        ] {
            assert!(check_url(wrong).is_err(), "{wrong}");
        }
    }
}
