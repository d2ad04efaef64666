//! A webhook's versions: what it said each time it was saved, and how two of them differ. Keys belong to none.

use super::{WebhookInput, certificate_summary};
use serde::{Deserialize, Serialize};

/// A webhook as it was saved once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub version: i64,
    pub input: WebhookInput,
    pub saved_by: String,
    pub saved_at: i64,
    /// The tasks that were submitted with it and have not ended: id and name.
    pub tasks: Vec<(String, String)>,
}

/// The latest versions, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The webhook's name.
    pub name: String,
    pub rows: Vec<Version>,
}

/// One thing that differs; "" where it was not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub label: String,
    pub before: String,
    pub after: String,
}

/// What became of `before`, in the order of the form.
pub fn changes(before: &WebhookInput, after: &WebhookInput) -> Vec<Change> {
    let (before, after) = (told(before), told(after));
    let find = |all: &[(String, String)], label: &str| {
        all.iter().find(|(known, _)| known == label).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let gone = before.iter().filter(|(label, _)| after.iter().all(|(known, _)| known != label));
    let labels = after.iter().chain(gone).map(|(label, _)| label);
    labels
        .map(|label| Change { label: label.clone(), before: find(&before, label), after: find(&after, label) })
        .filter(|change| change.before != change.after)
        .collect()
}

/// Everything that a version says, under the labels of the form.
pub fn told(input: &WebhookInput) -> Vec<(String, String)> {
    let yes = |is: bool| if is { "Yes" } else { "No" }.to_string();
    let mut all: Vec<(String, String)> = vec![
        ("Webhook Name".into(), input.name.clone()),
        ("Authentication Method".into(), input.authentication.label().into()),
        ("Request URL".into(), input.url.clone()),
        ("Send ID Type".into(), input.id_types.join(", ")),
    ];
    for (place, parameter) in input.parameters.iter().enumerate() {
        let required = if parameter.required { ", required" } else { "" };
        let called = parameter.called.as_ref().map_or(&parameter.call, |called| &called.name);
        let kind = match called.as_str() {
            "" => parameter.kind.label().to_string(),
            called => format!("{} {called}", parameter.kind.label()),
        };
        let text = format!("{}. {}, {kind}{required}", place + 1, parameter.display_name);
        all.push((format!("Parameter {}", parameter.name), text));
    }
    all.extend([
        ("Users per request".into(), input.batch_size.to_string()),
        ("Requests at once".into(), input.concurrency.to_string()),
        ("Users per second".into(), input.users_per_second.to_string()),
        ("Enable Environment Parameter Passing".into(), yes(input.pass_environment)),
        ("After a crash".into(), input.after_crash().label().into()),
        ("Enable receipt settings".into(), yes(input.receipts_enabled)),
        ("Data retention period".into(), input.retention_days.to_string()),
    ]);
    let statuses = input.statuses.iter().map(|status| format!("{} = {}", status.code, status.value));
    all.push(("Statuses".into(), statuses.collect::<Vec<_>>().join(", ")));
    for (label, pem) in [("CA certificate", &input.ca_certificate), ("Client certificate", &input.client_certificate)] {
        if !pem.is_empty() {
            all.push((label.into(), certificate_summary(pem)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::model::{Parameter, ParameterType};

    #[test]
    fn what_changed_is_told_under_the_form_s_labels() {
        let parameter = |name: &str| Parameter { name: name.into(), display_name: "Text".into(), ..Default::default() };
        let before = WebhookInput {
            url: "https://a.example.com".into(),
            parameters: vec![parameter("old"), parameter("kept")],
            ..Default::default()
        };
        assert_eq!(changes(&before, &before), []);
        let mut after = WebhookInput {
            url: "https://b.example.com".into(),
            pass_environment: true,
            after_crash: "ask".into(),
            ..before.clone()
        };
        after.parameters.remove(0);
        after.parameters[0].kind = ParameterType::Date;
        after.parameters[0].required = true;
        let told = changes(&before, &after);
        let told: Vec<_> = told.iter().map(|c| (c.label.as_str(), c.before.as_str(), c.after.as_str())).collect();
        assert_eq!(
            told,
            [
                ("Request URL", "https://a.example.com", "https://b.example.com"),
                ("Parameter kept", "2. Text, String", "1. Text, Date, required"),
                ("Enable Environment Parameter Passing", "No", "Yes"),
                ("After a crash", "Send again with the same ids", "Leave unknown for a person"),
                ("Parameter old", "1. Text, String", ""),
            ]
        );
    }
}
