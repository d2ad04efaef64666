//! What the form holds while one types: what the preview shows and what rows come and go. The rest the browser keeps.

use super::Sample;
use crate::{
    delivery::model::AfterCrash,
    webhooks::model::{Authentication, Parameter, ParameterType, WebhookInput},
};
use leptos::prelude::*;

#[derive(Clone, Copy)]
pub struct FormState {
    pub name: RwSignal<String>,
    pub authentication: RwSignal<Authentication>,
    pub key: RwSignal<String>,
    pub url: RwSignal<String>,
    pub id_types: RwSignal<Vec<String>>,
    pub parameters: RwSignal<Vec<ParameterRow>>,
    pub pace: Pace,
    pub pass_environment: RwSignal<bool>,
    pub after_crash: AfterCrash,
    pub receipts_enabled: RwSignal<bool>,
    pub retention_days: i64,
}

/// Where the numbers start.
#[derive(Clone, Copy)]
pub struct Pace {
    pub batch_size: i64,
    pub concurrency: i64,
    pub users_per_second: i64,
}

/// One parameter of the form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ParameterRow {
    pub name: RwSignal<String>,
    pub display_name: RwSignal<String>,
    pub kind: RwSignal<ParameterType>,
    pub required: RwSignal<bool>,
    pub call: RwSignal<String>,
}

impl ParameterRow {
    pub fn new(parameter: Parameter) -> Self {
        Self {
            name: RwSignal::new(parameter.name),
            display_name: RwSignal::new(parameter.display_name),
            kind: RwSignal::new(parameter.kind),
            required: RwSignal::new(parameter.required),
            call: RwSignal::new(parameter.call),
        }
    }

    fn typed(&self) -> Parameter {
        Parameter {
            name: self.name.get().trim().to_string(),
            display_name: self.display_name.get().trim().to_string(),
            kind: self.kind.get(),
            required: self.required.get(),
            call: self.call.get(),
            called: None,
        }
    }
}

impl FormState {
    pub fn new(input: WebhookInput) -> Self {
        Self {
            after_crash: input.after_crash(),
            name: RwSignal::new(input.name),
            authentication: RwSignal::new(input.authentication),
            key: RwSignal::new(String::new()),
            url: RwSignal::new(input.url),
            id_types: RwSignal::new(input.id_types),
            parameters: RwSignal::new(input.parameters.into_iter().map(ParameterRow::new).collect()),
            pace: Pace {
                batch_size: input.batch_size,
                concurrency: input.concurrency,
                users_per_second: input.users_per_second,
            },
            pass_environment: RwSignal::new(input.pass_environment),
            receipts_enabled: RwSignal::new(input.receipts_enabled),
            retention_days: input.retention_days,
        }
    }

    /// What is typed now, for the preview.
    pub fn sample(&self, webhook_id: &str) -> Sample {
        Sample {
            webhook_id: webhook_id.to_string(),
            url: self.url.get(),
            keyed: self.authentication.get() == Authentication::Key,
            pass_environment: self.pass_environment.get(),
            id_type: self.id_types.with(|chosen| chosen.first().cloned()).unwrap_or_default(),
            parameters: self.parameters.get().iter().map(ParameterRow::typed).collect(),
        }
    }
}
