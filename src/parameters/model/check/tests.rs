use super::*;
use crate::parameters::model::{ASSOCIATED, SystemValue};
use proptest::prelude::*;

fn interface() -> ParameterInput {
    ParameterInput {
        name: "City".into(),
        kind: Kind::Interface,
        url: "https://crm.example.com/values".into(),
        authentication: Authentication::Key,
        key: "k".into(),
        with_system: true,
        system: vec![SystemSetting { name: "who".into(), display_name: "Who".into(), value: SystemValue::LogonUser }],
        with_others: true,
        others: vec![other("province", "p"), manual("tags", "a|b")],
        ..ParameterInput::default()
    }
}

fn other(name: &str, parameter: &str) -> OtherSetting {
    OtherSetting {
        name: name.into(),
        display_name: name.into(),
        parameter: parameter.into(),
        ..OtherSetting::default()
    }
}

fn manual(name: &str, text: &str) -> OtherSetting {
    let (name, display_name, text) = (name.into(), name.into(), text.into());
    OtherSetting { name, display_name, source: Source::Manual, parameter: String::new(), text }
}

fn constant() -> ParameterInput {
    ParameterInput {
        name: "Coupon type".into(),
        kind: Kind::Constant,
        constants: vec![value("", "C-1", "二十元")],
        ..ParameterInput::default()
    }
}

fn value(when: &str, value: &str, display_name: &str) -> ConstantValue {
    ConstantValue { when: when.into(), value: value.into(), display_name: display_name.into() }
}

fn fields(input: ParameterInput) -> Vec<String> {
    input.tidy().check(false).into_iter().map(|error| error.field).collect()
}

fn fault(mut input: ParameterInput, change: impl FnOnce(&mut ParameterInput)) -> Vec<String> {
    change(&mut input);
    fields(input)
}

#[test]
fn complete_parameters_are_right() {
    assert_eq!(interface().tidy().check(false), []);
    assert_eq!(constant().tidy().check(false), []);
    let associated = ParameterInput {
        with_associated: true,
        associated: "p".into(),
        constants: vec![value("zj", "1", "A"), value("js", "1", "A")],
        ..constant()
    };
    assert_eq!(associated.tidy().check(false), [], "the same value may belong to two");
}

#[test]
fn each_fault_of_an_interface_is_told_at_its_field() {
    let wrong = |change: fn(&mut ParameterInput)| fault(interface(), change);
    assert_eq!(wrong(|p| p.name = " ".into()), ["name"]);
    assert_eq!(wrong(|p| p.name = "文".repeat(65)), ["name"]);
    assert_eq!(wrong(|p| p.name = "文".repeat(64)), [""; 0]);
    assert_eq!(wrong(|p| p.description = "d".repeat(501)), ["description"]);
    for url in ["", "ftp://a.example", "https://", "crm.example.com", "https://u:p@a.example"] {
        assert_eq!(fault(interface(), |p| p.url = url.into()), ["url"], "{url}");
    }
    assert_eq!(wrong(|p| p.key = Hidden::default()), ["key"]);
    assert_eq!(wrong(|p| p.key = "k".repeat(129).into()), ["key"]);
    assert_eq!(wrong(|p| (p.key, p.authentication) = (Hidden::default(), Authentication::None)), [""; 0]);
    assert_eq!(wrong(|p| p.system.clear()), ["system"]);
    assert_eq!(wrong(|p| (p.with_system, p.system) = (false, vec![])), [""; 0]);
    assert_eq!(wrong(|p| p.others.clear()), ["others"]);
    assert_eq!(wrong(|p| p.system[0].name = "Wer?".into()), ["system[0][name]"]);
    assert_eq!(wrong(|p| p.others[1].name = "province".into()), ["others[1][name]"]);
    assert_eq!(wrong(|p| p.others[0].name.clear()), ["others[0][name]"]);
    assert_eq!(wrong(|p| p.others[0].display_name = "  ".into()), ["others[0][display_name]"]);
    assert_eq!(wrong(|p| p.others[0].parameter.clear()), ["others[0][parameter]"]);
    assert_eq!(wrong(|p| p.others[1].text = " ".into()), ["others[1][text]"]);
    assert_eq!(wrong(|p| p.others[1].text = "x".repeat(VALUE_MAX + 1)), ["others[1][text]"]);
    assert_eq!(interface().tidy().check(true), []);
}

#[test]
fn each_fault_of_a_constant_is_told_at_its_field() {
    let wrong = |change: fn(&mut ParameterInput)| fault(constant(), change);
    assert_eq!(wrong(|p| p.constants.clear()), ["constants"]);
    assert_eq!(wrong(|p| p.constants[0].value = " ".into()), ["constants[0][value]"]);
    assert_eq!(wrong(|p| p.constants[0].value = "二十".into()), ["constants[0][value]"]);
    assert_eq!(wrong(|p| p.constants[0].display_name.clear()), ["constants[0][display_name]"]);
    assert_eq!(wrong(|p| p.constants.push(value("", " C-1 ", "again"))), ["constants[1][value]"]);
    assert_eq!(wrong(|p| p.with_associated = true), ["associated", "constants[0][when]"]);
}

#[test]
fn thirty_two_characters_are_the_most() {
    let most = SHORT_MAX;
    for (count, right) in [(most, true), (most + 1, false)] {
        let empty = |fields: Vec<String>| fields.is_empty() == right;
        assert!(empty(fault(interface(), |p| p.system[0].name = "a".repeat(count))), "{count}");
        assert!(empty(fault(interface(), |p| p.others[0].name = "_".repeat(count))), "{count}");
        assert!(empty(fault(constant(), |p| p.constants[0].value = "9".repeat(count))), "{count}");
        // Characters, not bytes or UTF-16 units: an emoji is one.
        for text in ["a", "文", "😀"] {
            assert!(empty(fault(interface(), |p| p.system[0].display_name = text.repeat(count))), "{count} {text}");
            assert!(empty(fault(interface(), |p| p.others[0].display_name = text.repeat(count))), "{count} {text}");
            assert!(empty(fault(constant(), |p| p.constants[0].display_name = text.repeat(count))), "{count} {text}");
        }
        // White space around does not count.
        let padded = format!("  {}\u{3000}\t", "😀".repeat(count));
        assert!(empty(fault(constant(), |p| p.constants[0].display_name = padded)), "{count} padded");
    }
}

#[test]
fn twenty_rows_are_the_most() {
    for (count, right) in [(20, true), (21, false)] {
        let names = |prefix: &str| (0..count).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>();
        let system = names("s").into_iter().map(|name| SystemSetting {
            display_name: name.clone(),
            name,
            value: SystemValue::RowPermissions,
        });
        let others = names("o").into_iter().map(|name| other(&name, "p"));
        let constants = names("c").into_iter().map(|name| value("", &name, &name));
        let told = |field: &str| if right { vec![] } else { vec![field.to_string()] };
        assert_eq!(fault(interface(), |p| p.system = system.collect()), told("system"), "{count}");
        assert_eq!(fault(interface(), |p| p.others = others.collect()), told("others"), "{count}");
        assert_eq!(fault(constant(), |p| p.constants = constants.collect()), told("constants"), "{count}");
    }
}

#[test]
fn what_does_not_belong_goes() {
    let mut input = interface();
    input.name = " City\u{a0}".into();
    input.key = " my secret ".into();
    input.others.push(OtherSetting::default());
    input.others[0].text = "left over".into();
    input.constants.push(value("", "x", "x"));
    let tidy = input.clone().tidy();
    assert_eq!((tidy.name.as_str(), &*tidy.key), ("City", " my secret "));
    assert_eq!((tidy.others.len(), tidy.others[0].text.as_str(), tidy.constants.len()), (2, "", 0));

    let constant = ParameterInput { kind: Kind::Constant, constants: vec![value("zj", "1", "A")], ..input }.tidy();
    assert_eq!((constant.url.as_str(), &*constant.key, constant.authentication), ("", "", Authentication::None));
    assert!(constant.system.is_empty() && constant.others.is_empty());
    assert_eq!(constant.constants, [value("", "1", "A")]);
}

#[test]
fn dependencies_are_the_associated_ones() {
    let names = |input: &ParameterInput| {
        input.dependencies().into_iter().map(|d| format!("{}={}", d.setting, d.parameter)).collect::<Vec<_>>()
    };
    assert_eq!(names(&interface()), ["province=p"]);
    assert_eq!(names(&constant()), [""; 0]);
    let associated = ParameterInput { with_associated: true, associated: "p".into(), ..constant() };
    assert_eq!(names(&associated), [format!("{ASSOCIATED}=p")]);
}

#[test]
fn constants_are_those_of_the_associated_value() {
    let rows = vec![value("zj", "1", "A"), value("js", "2", "B"), value("zj", "3", "C")];
    let input = ParameterInput { with_associated: true, associated: "p".into(), constants: rows, ..constant() };
    let values = |input: &ParameterInput, when: &str| {
        input.constants_when(when).into_iter().map(|item| item.value + &item.name).collect::<Vec<_>>()
    };
    assert_eq!(values(&input, "zj"), ["1A", "3C"]);
    assert_eq!(values(&input, "none"), [""; 0]);
    assert_eq!(values(&constant(), ""), ["C-1二十元"]);
}

proptest! {
    #[test]
    fn tidying_twice_changes_nothing(name in ".{0,8}", text in ".{0,8}", kind in 0..2usize, with: bool) {
        let input = ParameterInput {
            kind: Kind::ALL[kind],
            name: name.clone(),
            with_others: with,
            with_associated: with,
            constants: vec![value(&name, &text, &name), value(&text, "", "")],
            others: vec![manual(&name, &text), other(&text, &name)],
            ..interface()
        };
        let once = input.tidy();
        prop_assert_eq!(once.clone().tidy(), once);
    }

    #[test]
    fn a_display_name_is_right_by_its_characters_alone(text in "\\PC{1,40}") {
        let count = text.trim().chars().count();
        let found = fault(constant(), |p| p.constants[0].display_name = text.clone());
        prop_assert_eq!(found.is_empty(), (1..=SHORT_MAX).contains(&count));
    }
}
