//! A form as it is filled in, and as it is refused.

use leptos::prelude::*;

use crate::error::{AppError, FieldError};
use crate::ui::{
    CheckItem, CheckList, Chip, Choice, DateTimeField, Field, FormErrors, MultiSelect, Note, Panel, Select,
    SelectOption, SubmitButton, Switch, TextArea, TextInput, Tone, field_errors,
};

fn same(codes: &[&str]) -> Vec<SelectOption> {
    codes.iter().map(|code| SelectOption::new(*code, *code)).collect()
}

/// Every input, right and wrong.
#[component]
pub fn FormsSection() -> impl IntoView {
    view! { <div class="grid halves">{filled()} {refused()}</div> }.into_any()
}

fn filled() -> AnyView {
    let text = RwSignal::new("Dear ${name}, 20 % off in your shop in ${city} until Sunday".to_string());
    let length = move || format!("{} characters", text.with(|text| text.chars().count()));
    let webhooks = vec![
        SelectOption::new("w1", "Coupon service"),
        SelectOption::new("w2", "Loyalty points (disabled)").disabled(true),
    ];
    let members = vec![
        CheckItem::new("m1", "Ada", "ada@example.com").checked(true),
        CheckItem::new("m2", "Bob", "bob@example.com, disabled").disabled(true),
        CheckItem::new("m3", "Carl", "carl@example.com"),
    ];
    view! {
        <Panel title="Who and what" actions=view! { <span class="quiet">"Draft saved 10:12"</span> }.into_any()>
            <div class="fields">
                <Field label="Name" name="name" required=true>
                    <TextInput name="name" value="Spring coupon, loyal buyers" maxlength=64_u32/>
                </Field>
                <Field label="Select Webhook" name="webhook" required=true help="1 other is not available: Loyalty points is disabled.">
                    <Select name="webhook" options=webhooks selected="w1" prompt="Choose a webhook"/>
                </Field>
                <Field label="Coupon text" name="text" required=true>
                    <TextArea name="text" value=text on_input=move |value| text.set(value)/>
                    <span class="actions">
                        <Chip text="name → “Member”"/>
                        <Chip text="city → skip user"/>
                        <span class="quiet">{length}</span>
                    </span>
                </Field>
                <Field label="Send ID types" name="id_types" help="One or more.">
                    <MultiSelect
                        name="id_types"
                        options=same(&["OPEN_ID", "MOBILE", "EMAIL", "UNION_ID"])
                        selected=vec!["OPEN_ID".to_string(), "EMAIL".to_string()]
                    />
                </Field>
                <Field label="Members" name="members">
                    <CheckList name="members" items=members placeholder="Search name or e-mail"/>
                </Field>
                <Field label="Encryption" name="encryption">
                    <Choice name="encryption" options=same(&["None", "MD5", "SHA256"]) selected="SHA256"/>
                </Field>
                <Field label="Scheduled sending" name="at">
                    <DateTimeField name="at" value="2026-11-22T10:00" zone="Europe/Berlin"/>
                </Field>
                <Switch name="receipts" label="Enable receipt settings" checked=true/>
                <Switch name="environment" label="Enable Environment Parameter Passing"/>
                <Switch name="locked" label="Cannot be changed now" checked=true disabled=true/>
            </div>
        </Panel>
    }
    .into_any()
}

fn refused() -> AnyView {
    let error = Signal::stored(Some(AppError::Invalid(vec![
        FieldError::new("url", "“crm.example.com” is not an address. Begin it with https://."),
        FieldError::new("coupon", "“SPRING-26O” is not one of the 14 coupons that the coupon interface offers."),
        FieldError::new("types", "Choose at least one."),
    ])));
    let errors = field_errors(error);
    let conflict = Signal::stored(Some(AppError::conflict("Coupon service is used by 3 tasks. Disable it instead.")));
    view! {
        <Panel title="Refused">
            <div class="fields">
                <FormErrors error/>
                <Field label="Request URL" name="url" required=true help="http or https; https is recommended." errors>
                    <TextInput name="url" value="crm.example.com" type_="url" mono=true/>
                </Field>
                <Field label="Coupon ID" name="coupon" required=true errors>
                    <Select name="coupon" options=same(&["SPRING-26O", "SPRING-260"]) selected="SPRING-26O"/>
                </Field>
                <Field label="Types" name="types" required=true errors>
                    <MultiSelect name="types" options=same(&["OPEN_ID", "MOBILE"])/>
                </Field>
                <Field label="Key" name="key" help="Shown once, then never again.">
                    <TextInput name="key" placeholder="At least 16 characters" autocomplete="off"/>
                </Field>
                <Field label="Not yours to change" name="fixed">
                    <TextInput name="fixed" value="set by the administrator" disabled=true/>
                </Field>
                <FormErrors error=conflict/>
                <Note tone=Tone::Warn><p>"Errors stand where they belong; what was typed is kept."</p></Note>
                <div class="actions"><SubmitButton label="Save"/><SubmitButton label="Cancel" bare=true/></div>
            </div>
        </Panel>
    }
    .into_any()
}
