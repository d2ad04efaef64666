//! A webhook parameter of the type String (parameter call) in a form: its value is chosen among those that a constant
//! or an interface gives.

use super::{api::load_call, model::Passed};
use crate::{
    error::AppError,
    ui::{Choices, Combobox, SelectOption},
    webhooks::model::{Parameter, ParameterType},
};
use leptos::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

/// What is chosen in one form, by the ids of the called parameters.
#[derive(Clone, Copy)]
pub struct Calls {
    chosen: RwSignal<BTreeMap<String, SelectOption>>,
    /// The called parameters, each with those that it depends on.
    depends: StoredValue<Vec<(String, Vec<String>)>>,
    /// What the form calls the values of each.
    labels: StoredValue<BTreeMap<String, String>>,
}

impl Calls {
    /// `initial`: what is chosen already, by the webhook parameter's name.
    pub fn new(parameters: &[Parameter], initial: impl Fn(&str) -> SelectOption) -> Self {
        let calls = parameters.iter().filter(|parameter| parameter.kind == ParameterType::Call);
        let depends = calls.map(|parameter| {
            let depends_on = parameter.called.as_ref().map(|called| called.depends_on.clone()).unwrap_or_default();
            (parameter.call.clone(), depends_on)
        });
        let labels = parameters.iter().map(|parameter| (parameter.call.clone(), parameter.display_name.clone()));
        let own = Self {
            chosen: RwSignal::default(),
            depends: StoredValue::new(depends.collect()),
            labels: StoredValue::new(labels.collect()),
        };
        own.start_with(parameters, initial);
        own
    }

    /// Begins anew with what is chosen elsewhere.
    pub fn start_with(self, parameters: &[Parameter], initial: impl Fn(&str) -> SelectOption) {
        let calls = parameters.iter().filter(|parameter| parameter.kind == ParameterType::Call);
        self.chosen.set(calls.map(|parameter| (parameter.call.clone(), initial(&parameter.name))).collect());
    }

    fn of(self, id: &str) -> SelectOption {
        self.chosen.with(|chosen| chosen.get(id).cloned().unwrap_or_default())
    }

    /// What was chosen for parameters that depend on `id` no longer fits.
    fn choose(self, id: &str, option: SelectOption) {
        let stale = self.depends.with_value(|depends| dependents(depends, id));
        self.chosen.update(|chosen| {
            chosen.retain(|known, _| !stale.contains(known));
            chosen.insert(id.to_string(), option);
        });
    }

    /// The first of these that has no value yet.
    fn missing(self, ids: &[String]) -> Option<String> {
        let missing = ids.iter().find(|id| {
            self.chosen.with_untracked(|chosen| chosen.get(*id).is_none_or(|option| option.value.is_empty()))
        })?;
        let label = self.labels.with_value(|labels| labels.get(missing).cloned());
        let otherwise = "what this webhook does not ask for (it must be edited)";
        Some(label.unwrap_or_else(|| otherwise.to_string()))
    }

    fn given(self) -> Vec<Passed> {
        let passed =
            |(name, option): (&String, &SelectOption)| Passed { name: name.clone(), value: option.value.clone() };
        self.chosen.with_untracked(|chosen| chosen.iter().map(passed).collect())
    }
}

/// Who depends on `id`, over any number of steps.
fn dependents(depends: &[(String, Vec<String>)], id: &str) -> Vec<String> {
    let mut found = vec![id.to_string()];
    let mut at = 0;
    while let Some(one) = found.get(at).cloned() {
        for (own, on) in depends {
            if on.contains(&one) && !found.contains(own) {
                found.push(own.clone());
            }
        }
        at += 1;
    }
    found.remove(0);
    found
}

/// The input of such a parameter. `name` is the hidden input's, and `shown_name` that of the chosen value's label, for
/// forms that keep it.
#[component]
pub fn ParameterCall(
    #[prop(into)] name: String,
    #[prop(optional, into)] shown_name: String,
    parameter: Parameter,
    calls: Calls,
) -> impl IntoView {
    let id = StoredValue::new(parameter.call);
    let depends_on = StoredValue::new(parameter.called.map(|called| called.depends_on).unwrap_or_default());
    let choices = RwSignal::new(Choices::Waiting);
    // Answers to earlier questions are not shown any more.
    let asked = StoredValue::new(0_u32);
    let parents =
        Memo::new(move |_| depends_on.with_value(|ids| ids.iter().map(|id| calls.of(id).value).collect::<Vec<_>>()));
    Effect::new(move |_| {
        parents.track();
        asked.update_value(|asked| *asked += 1);
        choices.set(Choices::Waiting);
    });
    let load = Callback::new(move |retry: bool| {
        if let Some(label) = depends_on.with_value(|ids| calls.missing(ids)) {
            choices.set(Choices::Failed(format!("Choose {label} first.")));
            return;
        }
        if retry || !choices.with_untracked(|choices| matches!(choices, Choices::Ready(_))) {
            choices.set(Choices::Loading);
        }
        asked.update_value(|asked| *asked += 1);
        let own = asked.get_value();
        leptos::task::spawn_local(async move {
            let loaded = load_call(id.get_value(), calls.given(), retry).await;
            if asked.try_get_value() != Some(own) {
                return;
            }
            let next = match loaded {
                Ok(values) => {
                    let options = values.items.into_iter().map(|item| SelectOption::new(item.value, item.name));
                    Choices::Ready(Arc::new(options.collect()))
                }
                Err(AppError::Invalid(fields)) => {
                    Choices::Failed(fields.into_iter().next().map(|field| field.message).unwrap_or_default())
                }
                Err(error) => Choices::Failed(error.to_string()),
            };
            let _ = choices.try_set(next);
        });
    });
    let chosen = Memo::new(move |_| id.with_value(|id| calls.of(id)));
    let choose = Callback::new(move |option| id.with_value(|id| calls.choose(id, option)));
    let shown = (!shown_name.is_empty()).then(|| {
        view! { <input type="hidden" name=shown_name value=move || chosen.with(|chosen| chosen.label.clone()) /> }
    });
    view! {
        <Combobox name chosen=Signal::from(chosen) choices load on_choose=choose />
        {shown}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependents_are_found_over_any_number_of_steps() {
        let on = |id: &str, ids: &[&str]| (id.to_string(), ids.iter().map(|id| (*id).to_string()).collect());
        let depends = [on("shop", &["city", "kind"]), on("city", &["province"]), on("province", &[]), on("kind", &[])];
        assert_eq!(dependents(&depends, "province"), ["city", "shop"]);
        assert_eq!(dependents(&depends, "kind"), ["shop"]);
        assert_eq!(dependents(&depends, "shop"), [""; 0]);
        // Saving refuses cycles; one would not go on for ever.
        assert_eq!(dependents(&[on("a", &["b"]), on("b", &["a"])], "a"), ["b"]);
    }
}
