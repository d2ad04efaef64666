//! "Grant": to whom, and for how long. Which parts are shown is for CSS to say (`asks`, `if-yes`, `if-no`), so that the
//! form is whole without the wasm.

use super::{
    api::GrantWebhook,
    model::{GrantForm, Method, PICKED_MAX},
};
use crate::{
    access::model::SessionInfo,
    error::{AppError, FieldError},
    member_groups::model::OFFERED_MAX,
    ui::{
        CellError, CheckItem, CheckList, Choice, DateTimeField, Field, FormErrors, Note, Panel, SelectOption,
        SubmitButton, Tone,
        format::{count, counted},
    },
    webhooks::fields::in_argument,
};
use leptos::{form::ActionForm, prelude::*};

pub(super) fn fields(webhook_id: String, form: GrantForm, grant: ServerAction<GrantWebhook>) -> AnyView {
    let error: Signal<Option<AppError>> = Signal::derive(move || grant.value().get().and_then(Result::err));
    let errors = in_argument("input", error);
    let zone = use_context::<SessionInfo>().map(|session| session.time_zone).unwrap_or_default();
    let whom = whom(form, errors);
    let period = period(&zone, errors);
    view! {
        <ActionForm action=grant>
            <input type="hidden" name="webhook_id" value=webhook_id />
            <input type="hidden" name="input[time_zone]" value=zone />
            <Panel padded=false>
                <div class="body">
                    <div class="fields">
                        <FormErrors error />
                        {whom}
                        {period}
                    </div>
                </div>
                <div class="sticky-foot">
                    <SubmitButton label="OK" pending=grant.pending() />
                </div>
            </Panel>
        </ActionForm>
    }
    .into_any()
}

fn whom(form: GrantForm, errors: Signal<Vec<FieldError>>) -> AnyView {
    let GrantForm { people, more, groups, standing } = form;
    let methods = Method::ALL.map(|method| SelectOption::new(method.code(), method.label())).to_vec();
    let selected = standing.map(|(method, _)| method).unwrap_or_default();
    let revokes = |chosen: Method| {
        let (method, grants) = standing.filter(|(method, _)| *method != chosen)?;
        Some(revoking(chosen, method, grants, errors))
    };
    let (by_member, by_group) = (revokes(Method::Member), revokes(Method::Group));
    let people = people.into_iter().map(|person| CheckItem::new(&person.id, &person.name, person.note())).collect();
    let none = groups.is_empty().then(|| {
        view! { <p class="quiet">"There is no member group yet. Create one in Member Groups."</p> }
    });
    let groups: Vec<CheckItem> =
        groups.into_iter().map(|(id, name, members)| CheckItem::new(id, name, counted(members, "member"))).collect();
    let help = match more {
        true => format!("Up to {PICKED_MAX} at once. The first {} members by name are offered.", count(OFFERED_MAX)),
        false => format!("Up to {PICKED_MAX} at once."),
    };
    view! {
        <div class="fields asks">
            <Field
                label="Grant Method"
                name="input[method]"
                help="A webhook is granted to members or to member groups, not to both."
                errors
            >
                <Choice name="input[method]" options=methods selected=selected.code() />
            </Field>
            <div class="fields if-no">
                {by_member}
                <Field label="Members" name="input[members]" required=true help errors>
                    <CheckList name="input[members]" items=people placeholder="Search name or e-mail" />
                </Field>
            </div>
            <div class="fields if-yes">
                {by_group}
                <Field label="Member Groups" name="input[groups]" required=true errors>
                    <CheckList name="input[groups]" items=groups placeholder="Search name" />
                </Field>
                {none}
            </div>
        </div>
    }
    .into_any()
}

/// What granting by the method `chosen` does to what stands, to be confirmed before it is done.
fn revoking(chosen: Method, standing: Method, grants: i64, errors: Signal<Vec<FieldError>>) -> AnyView {
    let (stand, them) = if grants == 1 { ("stands", "it") } else { ("stand", "them") };
    let (method, own) = (standing.label(), chosen.label());
    let said = format!("{} {method} {stand}. Granting {own} revokes {them}.", counted(grants, "grant"));
    let tick = format!("Revoke {} {}", counted(grants, "grant"), standing.label());
    view! {
        <Note tone=Tone::Warn>
            <p>{said}</p>
            <label class="check">
                <input type="checkbox" name="input[revokes]" value=grants.to_string() />
                <span>{tick}</span>
            </label>
            <CellError name="input[revokes]" errors />
        </Note>
    }
    .into_any()
}

fn period(zone: &str, errors: Signal<Vec<FieldError>>) -> AnyView {
    let validities = vec![SelectOption::new("permanent", "Permanent"), SelectOption::new("period", "From and Until")];
    let (from_zone, until_zone) = (zone.to_string(), zone.to_string());
    view! {
        <div class="fields asks">
            <Field label="Validity period" name="input[validity]" errors>
                <Choice name="input[validity]" options=validities selected="permanent" />
            </Field>
            <div class="fields if-yes">
                <Field label="From" name="input[from]" help="Empty: at once." errors>
                    <DateTimeField name="input[from]" zone=from_zone />
                </Field>
                <Field label="Until" name="input[until]" help="Empty: permanently from then on." errors>
                    <DateTimeField name="input[until]" zone=until_zone />
                </Field>
            </div>
        </div>
    }
    .into_any()
}
