//! The command on both databases.

use super::*;
use crate::{members::model::ATTRIBUTES_MAX, on_both_databases, server::testing::Harness};

fn person() -> Person {
    let email = "ada@example.com".to_string();
    Person {
        email,
        name: None,
        workspace: None,
        role: None,
        time_zone: "UTC".into(),
        attributes: vec![],
        organization_administrator: false,
        turn_off_second_factor: false,
    }
}

/// As the command line does for a person who is there; the password stays.
pub async fn add(db: &Db, email: &str, turn_off_second_factor: bool) {
    let hash = store::user_by_email(db, email).await.unwrap().unwrap().password_hash;
    put(db, &Person { email: email.into(), turn_off_second_factor, ..person() }, &hash, 5).await.unwrap();
}

fn given(attributes: &[&str]) -> Vec<(String, String)> {
    attributes.iter().map(|text| attribute(text).unwrap()).collect()
}

#[test]
fn an_attribute_is_a_name_and_a_value() {
    assert_eq!(given(&["region=East=1", " a = b "]), [("region".into(), "East=1".into()), ("a".into(), "b".into())]);
    for wrong in ["", "region", "=East", &"a".repeat(300)] {
        assert!(attribute(wrong).is_err(), "{wrong}");
    }
    let many: Vec<_> = (0..=ATTRIBUTES_MAX).map(|number| ("a".to_string(), number.to_string())).collect();
    assert!(with_given(Attributes::default(), &many).is_err());
    assert!(with_given(Attributes::default(), &many[1..]).is_ok());
}

on_both_databases!(attributes_are_given_to_new_and_known_members, |db| async move {
    let east = Person { attributes: given(&["region=East", "region=North", "team=a"]), ..person() };
    let said = put(&db, &east, "hash", 5).await.unwrap();
    assert!(said.ends_with("region East, North; team a."), "{said}");
    let user = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap().id;
    let here = store::workspace_by_name(&db, "Workspace").await.unwrap().unwrap();
    let of = async |workspace: &str| {
        serde_json::to_string(&store::attributes(&db, workspace, &user).await.unwrap()).unwrap()
    };
    assert_eq!(of(&here).await, r#"{"region":["East","North"],"team":["a"]}"#);
    // A new password alone leaves them; a name that is given is replaced; an empty value removes it.
    put(&db, &person(), "hash", 6).await.unwrap();
    put(&db, &Person { attributes: given(&["region=South", "team="]), ..person() }, "hash", 7).await.unwrap();
    assert_eq!(of(&here).await, r#"{"region":["South"]}"#);

    let elsewhere = Person {
        workspace: Some("Elsewhere".into()),
        role: Some(Preset::Marketer),
        attributes: given(&["region=West"]),
        ..person()
    };
    put(&db, &elsewhere, "hash", 8).await.unwrap();
    let there = store::workspace_by_name(&db, "Elsewhere").await.unwrap().unwrap();
    assert_eq!(
        (of(&there).await.as_str(), of(&here).await.as_str()),
        (r#"{"region":["West"]}"#, r#"{"region":["South"]}"#)
    );
    let vague = Person { attributes: given(&["region=East"]), ..person() };
    assert!(put(&db, &vague, "hash", 9).await.unwrap_err().contains("--workspace"));
    let known = Person { workspace: Some("Elsewhere".into()), attributes: given(&["region="]), ..person() };
    assert!(put(&db, &known, "hash", 9).await.unwrap().ends_with("none."));
    assert_eq!(of(&there).await, "{}");
});

on_both_databases!(a_new_password_changes_nothing_else_and_ends_the_sessions, |db| async move {
    let server = Harness::new(db.clone()).await;
    server.member("ada@example.com", "Shop", Preset::Marketer).await;
    let cookie = server.sign_in("ada@example.com").await;
    let sql = "insert into account_links (token_hash, user_id, purpose, created_by, created_at, expires_at)
               select 'x', id, 'password', '', 0, 9 from users";
    assert_eq!(crate::execute!(db, sql).unwrap(), 1);
    let hash = password::hash("another long password".into()).await.unwrap();
    let said = put(&db, &person(), &hash, 5).await.unwrap();
    assert!(said.contains("new password"), "{said}");
    assert_eq!(server.page("/tasks", &cookie).await.status, 303, "the old session has ended");
    let links = crate::fetch!(db, one, (i64,), "select count(*) from account_links").unwrap();
    assert_eq!(links, (0,), "and no link sets another password");
    let user = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap();
    assert_eq!((user.name.as_str(), user.password_hash == hash), ("Somebody", true));
    assert_eq!(roles(&db, &user.id).await, [("Shop".to_string(), "marketer".to_string())]);

    let promoted = Person { role: Some(Preset::Administrator), name: Some("Ada".into()), ..person() };
    put(&db, &promoted, &hash, 6).await.unwrap();
    assert_eq!(store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap().name, "Ada");
    assert_eq!(roles(&db, &user.id).await, [("Shop".to_string(), "administrator".to_string())]);
    let vague = Person { workspace: Some("Elsewhere".into()), ..person() };
    assert!(put(&db, &vague, "x", 7).await.unwrap_err().contains("--role"));
    let moved = Person { role: Some(Preset::Marketer), ..vague };
    put(&db, &moved, &hash, 8).await.unwrap();
    assert_eq!(roles(&db, &user.id).await.len(), 2);
    assert!(put(&db, &promoted, "x", 9).await.unwrap_err().contains("--workspace"));
    let user = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap();
    assert_eq!(user.password_hash, hash, "what is refused changes nothing");
});

on_both_databases!(the_first_person_is_the_administrator_of_a_new_workspace, |db| async move {
    put(&db, &person(), "hash", 5).await.unwrap();
    let user = store::user_by_email(&db, "ada@example.com").await.unwrap().unwrap();
    assert_eq!(user.name, "ada");
    assert_eq!(roles(&db, &user.id).await, [("Workspace".to_string(), "administrator".to_string())]);
    assert_eq!(organization(&db).await, ["ada@example.com"]);
    // The second is not, unless it is said.
    let bob = Person { email: "bob@example.com".into(), ..person() };
    put(&db, &bob, "hash", 6).await.unwrap();
    assert_eq!(organization(&db).await, ["ada@example.com"]);
    let said = put(&db, &Person { organization_administrator: true, ..bob }, "hash", 7).await.unwrap();
    assert!(said.contains("organization administrator"), "{said}");
    assert_eq!(organization(&db).await, ["ada@example.com", "bob@example.com"]);
});

on_both_databases!(the_command_line_stands_in_the_audit_log, |db| async move {
    put(&db, &Person { attributes: given(&["region=East"]), ..person() }, "secret-hash", 5).await.unwrap();
    put(&db, &person(), "secret-hash", 6).await.unwrap();
    let logged = |workspace: String| {
        let db = &db;
        async move {
            let sql =
                "select actor_kind, action, object_kind, change from audit_log where workspace_id = $1 order by seq";
            let rows = crate::fetch!(db, all, (String, String, String, String), sql, workspace).unwrap();
            rows.into_iter()
                .map(|(who, what, whom, change)| format!("{who} {what} {whom} {change}"))
                .collect::<Vec<_>>()
        }
    };
    let organization = logged(String::new()).await;
    let starts =
        ["command_line created account", "command_line created workspace", "command_line password_set account"];
    assert_eq!(organization.len(), starts.len(), "{organization:?}");
    assert!(organization.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{organization:?}");
    let here = store::workspace_by_name(&db, "Workspace").await.unwrap().unwrap();
    let workspace = logged(here).await;
    let starts = ["command_line created account", "command_line changed member", "command_line password_set account"];
    assert_eq!(workspace.len(), starts.len(), "{workspace:?}");
    assert!(workspace.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{workspace:?}");
    assert!(workspace[1].contains("administrator") && workspace[1].contains("East"), "{workspace:?}");
    assert!(!organization.concat().contains("secret-hash") && !workspace.concat().contains("secret-hash"));
});

async fn organization(db: &Db) -> Vec<String> {
    let sql = "select email from users where organization_admin order by email";
    let rows = crate::fetch!(db, all, (String,), sql).unwrap();
    rows.into_iter().map(|(email,)| email).collect()
}

async fn roles(db: &Db, user: &str) -> Vec<(String, String)> {
    crate::fetch!(
        db,
        all,
        (String, String),
        "select w.name, m.role_id from member_roles m join workspaces w on w.id = m.workspace_id where m.user_id = $1",
        user
    )
    .unwrap()
}
