use super::*;

fn tags() -> Vec<Tag> {
    let tag = |name: &str, kind| Tag { name: name.into(), kind };
    vec![
        tag("city", TagKind::Text),
        tag("spend", TagKind::Number),
        tag("born", TagKind::Date),
        tag("vip", TagKind::Boolean),
    ]
}

fn rules(conditions: &[(&str, &str, &[&str])]) -> Rules {
    let rule = |(tag, op, values): &(&str, &str, &[&str])| {
        let values = values.iter().map(|value| (*value).to_string()).collect();
        Rule::Tag(Condition { tag: (*tag).into(), op: (*op).into(), values })
    };
    Rules { all: conditions.iter().map(rule).collect() }
}

fn fields(conditions: &[(&str, &str, &[&str])]) -> Vec<String> {
    match rules(conditions).resolve(&tags()) {
        Ok(_) => vec![],
        Err(errors) => errors.into_iter().map(|error| error.field).collect(),
    }
}

#[test]
fn stored_as_json_that_can_grow() {
    let text = r#"{"all":[{"tag":"spend","op":">","values":["200"]}]}"#;
    let read: Rules = serde_json::from_str(text).unwrap();
    assert_eq!(read, rules(&[("spend", ">", &["200"])]));
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let Rule::Tag(condition) = &read.all[0];
    assert_eq!(condition.to_string(), "spend > 200");
}

#[test]
fn blank_rows_and_spare_values_are_not_stored() {
    let typed = rules(&[("", "is", &["", ""]), ("spend", ">", &[" 200 ", "7"]), ("city", "is_set", &["x", "y"])]);
    assert_eq!(typed.tidy(), rules(&[("spend", ">", &["200"]), ("city", "is_set", &[])]));
}

#[test]
fn each_fault_is_told_at_its_input() {
    assert_eq!(fields(&[("spend", ">", &["200"]), ("city", "is_empty", &[])]), [""; 0]);
    assert_eq!(fields(&[]), ["rules"]);
    assert_eq!(fields(&[("", "is", &[""])]), ["rules"]);
    assert_eq!(fields(&[("", "is", &[""]), ("spend", ">", &["much"])]), ["rules[1][values][0]"]);
    assert_eq!(fields(&[("", "is", &["x"])]), ["rules[0][tag]"]);
    assert_eq!(fields(&[("height", "is", &["x"])]), ["rules[0][tag]"]);
    assert_eq!(fields(&[("city", ">", &["x"])]), ["rules[0][op]"]);
    assert_eq!(fields(&[("spend", "contains", &["2"])]), ["rules[0][op]"]);
    assert_eq!(fields(&[("spend", ">", &["much"])]), ["rules[0][values][0]"]);
    assert_eq!(fields(&[("spend", "between", &["1"])]), ["rules[0][values][1]"]);
    assert_eq!(fields(&[("born", "before", &["2026-02-30"])]), ["rules[0][values][0]"]);
    assert_eq!(fields(&[("vip", "is", &["maybe"])]), ["rules[0][values][0]"]);
    assert_eq!(fields(&vec![("spend", ">", ["1"].as_slice()); RULES_MAX + 1]), ["rules"]);
}

#[test]
fn what_holds_for_whom() {
    let customer = serde_json::json!({"city": "Paris", "spend": 200, "born": "1990-05-06 10:00:00", "vip": true});
    let none = Map::new();
    for (condition, some, empty) in [
        (("city", "is", ["Paris", ""]), true, false),
        (("city", "is", ["paris", ""]), false, false),
        (("city", "is_not", ["Rome", ""]), true, true),
        (("city", "contains", ["ari", ""]), true, false),
        (("spend", "is", ["200.0", ""]), true, false),
        (("spend", ">", ["200", ""]), false, false),
        (("spend", ">", ["199.99", ""]), true, false),
        (("spend", "<", ["200.01", ""]), true, false),
        (("spend", "between", ["200", "200"]), true, false),
        (("born", "is", ["1990/5/6", ""]), true, false),
        (("born", "before", ["1990-05-06", ""]), false, false),
        (("born", "after", ["1990-05-05", ""]), true, false),
        (("born", "between", ["1990-05-06", "1990-05-06"]), true, false),
        (("vip", "is", ["是", ""]), true, false),
        (("vip", "is_not", ["yes", ""]), false, true),
        (("vip", "is_set", ["", ""]), true, false),
        (("vip", "is_empty", ["", ""]), false, true),
    ] {
        let (tag, op, values) = condition;
        let test = rules(&[(tag, op, &values)]).resolve(&tags()).unwrap().remove(0);
        assert_eq!(test.matches(customer.as_object().unwrap()), some, "{condition:?}");
        assert_eq!(test.matches(&none), empty, "{condition:?} for nobody");
    }
}
