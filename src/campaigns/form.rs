//! The dialogs in which a campaign is created or edited.

use super::{
    api::{CreateCampaign, UpdateCampaign},
    model::{Campaign, CampaignKind, NAME_MAX},
};
use crate::{
    access::{
        model::{Area, Permission},
        reader_may,
    },
    error::FieldError,
    ui::{Choice, Dialog, Field, FormErrors, Select, SelectOption, SubmitButton, TextInput, close_dialog},
    webhooks::fields::in_argument,
};
use leptos::{form::ActionForm, html, prelude::*};

pub(super) const CREATE: &str = "create-campaign";
pub(super) const EDIT: &str = "edit-campaign";

/// May the reader change campaigns?
pub(super) fn may_change() -> bool {
    reader_may(Permission::Manage(Area::Campaigns))
}

/// "Create Campaign": a main campaign, or a sub-campaign of one of `parents` or by itself. On the page of a main
/// campaign, `under` is its id: a sub-campaign of it is what one most likely wants.
#[component]
pub(super) fn CreateDialog(
    action: ServerAction<CreateCampaign>,
    parents: Vec<Campaign>,
    #[prop(into)] under: String,
) -> impl IntoView {
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let errors = in_argument("new", error);
    let first = if under.is_empty() { CampaignKind::Main } else { CampaignKind::Sub };
    let kind = RwSignal::new(first);
    let kinds = [CampaignKind::Main, CampaignKind::Sub].map(|kind| SelectOption::new(variant(kind), kind.label()));
    let parents: Vec<_> = parents.into_iter().map(|parent| SelectOption::new(parent.id, parent.name)).collect();
    let form = NodeRef::<html::Form>::new();
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(()))) {
            close_dialog(CREATE);
            if let Some(form) = form.get_untracked() {
                // The next one begins empty.
                form.reset();
            }
        }
    });
    let choose = move |chosen: String| {
        kind.set(if chosen == variant(CampaignKind::Main) { CampaignKind::Main } else { CampaignKind::Sub });
    };
    view! {
        <Dialog id=CREATE title="Create Campaign">
            <ActionForm action node_ref=form>
                <div class="fields">
                    <FormErrors error />
                    <Field label="Type" name="new[kind]" errors>
                        <Choice
                            name="new[kind]"
                            options=kinds.to_vec()
                            selected=Signal::derive(move || variant(kind.get()).to_string())
                            on_input=choose
                        />
                    </Field>
                    <div hidden=move || kind.get() == CampaignKind::Main>
                        <Field
                            label="Main campaign"
                            name="new[parent_id]"
                            help="A standalone sub-campaign is listed under “-”, at the end."
                            errors
                        >
                            <Select name="new[parent_id]" options=parents selected=under prompt="- (standalone)" />
                        </Field>
                    </div>
                    {name_and_dates("new", None, errors)}
                    {foot(action.pending().into())}
                </div>
            </ActionForm>
        </Dialog>
    }
    .into_any()
}

/// "Edit": name and dates.
#[component]
pub(super) fn EditDialog(action: ServerAction<UpdateCampaign>, campaign: Campaign) -> impl IntoView {
    let error = Signal::derive(move || action.value().get().and_then(Result::err));
    let errors = in_argument("edit", error);
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(()))) {
            close_dialog(EDIT);
        }
    });
    view! {
        <Dialog id=EDIT title="Edit campaign">
            <ActionForm action>
                <div class="fields">
                    <FormErrors error />
                    <input type="hidden" name="id" value=campaign.id.clone() />
                    {name_and_dates("edit", Some(campaign), errors)}
                    {foot(action.pending().into())}
                </div>
            </ActionForm>
        </Dialog>
    }
    .into_any()
}

/// The variant's name, as the server reads it.
fn variant(kind: CampaignKind) -> &'static str {
    match kind {
        CampaignKind::Main => "Main",
        CampaignKind::Sub => "Sub",
    }
}

fn name_and_dates(argument: &str, campaign: Option<Campaign>, errors: Signal<Vec<FieldError>>) -> AnyView {
    let (name, starts_on, ends_on) = match campaign {
        Some(campaign) => (campaign.name, campaign.starts_on.unwrap_or_default(), campaign.ends_on.unwrap_or_default()),
        None => Default::default(),
    };
    let input = |field: &str| format!("{argument}[{field}]");
    let (name_input, starts_input, ends_input) = (input("name"), input("starts_on"), input("ends_on"));
    view! {
        <Field label="Name" name=name_input.clone() required=true errors>
            <TextInput name=name_input value=name maxlength=NAME_MAX as u32 autocomplete="off" />
        </Field>
        <div class="row-fields">
            <Field label="Start date" name=starts_input.clone() errors>
                <TextInput name=starts_input value=starts_on type_="date" />
            </Field>
            <Field label="End date" name=ends_input.clone() errors>
                <TextInput name=ends_input value=ends_on type_="date" />
            </Field>
        </div>
    }
    .into_any()
}

fn foot(pending: Signal<bool>) -> AnyView {
    view! {
        <div class="dialog-foot">
            <button type="button" class="btn" data-dialog-close="">
                "Cancel"
            </button>
            <SubmitButton label="OK" pending />
        </div>
    }
    .into_any()
}
