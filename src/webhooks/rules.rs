//! The rules of a webhook that need the server: which ID types there are, and which addresses may be called.

use super::{
    model::{Webhook, WebhookInput},
    store,
};
use crate::{
    access::Ctx,
    customers,
    customers::model::IdType,
    delivery::{
        guard::Guard,
        tls::{Tls, TlsError},
    },
    error::{AppError, AppResult, FieldError},
    parameters,
};

/// Everything that is wrong with `input`, by the inputs' names. `before` is the webhook that is edited.
pub async fn check(ctx: &Ctx, before: Option<&Webhook>, input: &WebhookInput) -> sqlx::Result<Vec<FieldError>> {
    let mut errors = input.check(before.is_some_and(|webhook| webhook.has_key));
    if errors.iter().all(|error| error.field != "url")
        && let Err(message) = callable(&Guard::new(&ctx.state.config.engine.allow_networks), &input.url)
    {
        errors.push(FieldError::new("url", message));
    }
    if errors.iter().all(|error| !TLS_FIELDS.contains(&error.field.as_str())) {
        errors.extend(certificates(ctx, before, input).await?);
    }
    let known = id_types_to_choose(ctx, before).await?;
    let unknown = input.id_types.iter().find(|code| known.iter().all(|known| known.code != **code));
    if let Some(code) = unknown {
        errors.push(FieldError::new("id_types", format!("{code} is not an enabled ID type.")));
    }
    errors.extend(calls(ctx, input).await?);
    Ok(errors)
}

const TLS_FIELDS: [&str; 3] = ["ca_certificate", "client_certificate", "client_key"];

/// What is wrong with the certificates. An empty key is the one that `before` has.
async fn certificates(ctx: &Ctx, before: Option<&Webhook>, input: &WebhookInput) -> sqlx::Result<Option<FieldError>> {
    let client_key = match before {
        _ if !input.client_key.is_empty() => Some((*input.client_key).into()),
        Some(before) if before.has_client_key && !input.client_certificate.is_empty() => {
            store::tls(&ctx.state.db, &ctx.state.master_key, ctx.workspace(), &before.id).await?.client_key
        }
        _ => None,
    };
    let tls = Tls {
        ca_certificate: input.ca_certificate.clone(),
        client_certificate: input.client_certificate.clone(),
        client_key,
    };
    let told = |field: &str, why: String| Some(FieldError::new(field, why));
    Ok(tls.check().err().and_then(|error| match error {
        TlsError::Ca(why) => told("ca_certificate", why.into()),
        TlsError::Certificate(why) => told("client_certificate", why.into()),
        TlsError::Key(why) => told("client_key", why.into()),
        TlsError::Client(error) => told("ca_certificate", format!("{error}.")),
    }))
}

/// What is wrong with the parameter calls: a parameter that is gone, or one whose values hang on a value that the
/// webhook does not ask for.
async fn calls(ctx: &Ctx, input: &WebhookInput) -> sqlx::Result<Vec<FieldError>> {
    let mut filled = input.clone();
    parameters::store::fill_calls(&ctx.state.db, ctx.workspace(), vec![&mut filled]).await?;
    let names = parameters::store::choices(&ctx.state.db, ctx.workspace()).await?;
    let called = |id: &String| filled.parameters.iter().any(|parameter| parameter.call == *id);
    let mut errors = Vec::new();
    for (place, parameter) in filled.parameters.iter().enumerate().filter(|(_, parameter)| !parameter.call.is_empty()) {
        let field = format!("parameters[{place}][call]");
        let Some(known) = &parameter.called else {
            errors.push(FieldError::new(field, "This parameter is no longer there. Select another."));
            continue;
        };
        if let Some(missing) = known.depends_on.iter().find(|id| !called(id)) {
            let name = names.iter().find(|choice| choice.id == *missing).map_or("", |choice| &choice.name);
            let message = format!("“{}” needs a value of “{name}”: add a parameter that calls it.", known.name);
            errors.push(FieldError::new(field, message));
        }
    }
    Ok(errors)
}

/// Whether the URL can be read and does not lead into a private network by itself; what its name resolves to is
/// checked at each call.
pub(crate) fn callable(guard: &Guard, url: &str) -> Result<(), String> {
    let parsed = reqwest::Url::parse(url).map_err(|error| format!("This is not a URL that can be called: {error}."))?;
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err("This is not a complete URL: https://host/path.".into());
    }
    guard.check_url(&parsed).map_err(|blocked| format!("{blocked}."))
}

/// An enabled webhook has an enabled ID type: `Conflict` otherwise.
pub async fn can_be_sent_to(ctx: &Ctx, webhook: &Webhook) -> AppResult<()> {
    let enabled = customers::store::enabled_id_types(&ctx.state.db, ctx.workspace()).await?;
    if webhook.input.id_types.iter().any(|code| enabled.iter().any(|known| known.code == *code)) {
        return Ok(());
    }
    Err(AppError::conflict(format!(
        "{} can't be enabled: all of its ID types ({}) are disabled in ID Type Management.",
        webhook.input.name,
        webhook.input.id_types.join(", ")
    )))
}

/// The enabled ID types, and those of the webhook that have been disabled since it was saved.
pub async fn id_types_to_choose(ctx: &Ctx, webhook: Option<&Webhook>) -> sqlx::Result<Vec<IdType>> {
    let mut types = customers::store::enabled_id_types(&ctx.state.db, ctx.workspace()).await?;
    for code in webhook.map(|webhook| webhook.input.id_types.as_slice()).unwrap_or_default() {
        if types.iter().all(|known| known.code != *code) {
            types.push(IdType { code: code.clone(), name: code.clone() });
        }
    }
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_public_are_refused() {
        let guard = Guard::new(&["10.1.0.0/16".parse().unwrap()]);
        for right in ["https://crm.example.com/hook", "http://10.1.2.3:8080/", "https://8.8.8.8/", "https://例え.jp/x"]
        {
            assert_eq!(callable(&guard, right), Ok(()), "{right}");
        }
        for wrong in [
            "http://127.0.0.1/hook",
            "http://localhost:3000/",
            "http://10.2.0.1/",
            "http://192.168.1.1",
            "http://[::1]/",
            "http://2130706433/",
            "http://169.254.169.254/latest/meta-data",
            "https://example.com:99999/",
            "https://example.com:25/",
            "http://[fe80::1%25eth0]/",
            "https://exa mple.com/",
        ] {
            assert!(callable(&guard, wrong).is_err(), "{wrong}");
        }
    }
}
