//! The field errors of forms whose inputs belong to one argument of a server function.

use crate::error::{AppError, FieldError};
use leptos::prelude::*;

/// The errors by the names that the inputs have: the server says `parameters[0][name]`, the form's input is
/// `input[parameters][0][name]` when the argument is called `input`.
pub fn in_argument(argument: &'static str, error: Signal<Option<AppError>>) -> Signal<Vec<FieldError>> {
    Signal::derive(move || {
        error.with(|error| error.iter().flat_map(AppError::fields).map(|error| renamed(argument, error)).collect())
    })
}

fn renamed(argument: &str, error: &FieldError) -> FieldError {
    let (head, rest) = error.field.split_at(error.field.find('[').unwrap_or(error.field.len()));
    FieldError::new(format!("{argument}[{head}]{rest}"), error.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_inputs() {
        let name = |field: &str| renamed("input", &FieldError::new(field, "")).field;
        assert_eq!(name("name"), "input[name]");
        assert_eq!(name("parameters[0][name]"), "input[parameters][0][name]");
    }
}
