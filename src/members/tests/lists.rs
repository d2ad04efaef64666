//! The list's search, filters and order, and adding many.

use super::{
    super::{
        api::{AddMembers, ListMembers},
        model::MemberPage,
    },
    *,
};
use leptos_router::location::Url;

async fn emails(desk: &Desk, query: &[(&str, &str)]) -> Vec<String> {
    let fields = [&[("query[offset]", "0")], query].concat();
    let answer = desk.server.call::<ListMembers>(&desk.cookie, &encoded(&fields)).await;
    let page: MemberPage =
        serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text));
    assert_eq!(page.total, page.rows.len() as i64);
    page.rows.into_iter().map(|row| row.email).collect()
}

on_both_databases!(the_list_is_searched_filtered_and_sorted, |db| async move {
    let desk = Desk::new(db).await;
    desk.server.state.clock.advance(60_000);
    for (email, role) in [("bob@example.com", Preset::Marketer), ("éva_x@example.com", Preset::Analyst)] {
        desk.server.member(email, "Shop", role).await;
    }
    desk.server.member("elsewhere@example.com", "Elsewhere", Preset::Marketer).await;
    desk.server.sign_in("bob@example.com").await;
    desk.invite("zoe@example.com", "analyst").await;
    let bob = desk.id("bob@example.com").await;
    execute!(desk.db(), "update users set name = 'Bob', name_key = 'bob' where id = $1", &bob).unwrap();

    let all = emails(&desk, &[("query[order]", "LastSignIn"), ("query[descending]", "true")]).await;
    assert_eq!(all[..2], ["bob@example.com", "ada@example.com"]);
    assert_eq!(all.len(), 4);
    assert_eq!(emails(&desk, &[]).await[0], "bob@example.com", "by name");
    assert_eq!(emails(&desk, &[("query[search]", "ÉVA_")]).await, ["éva_x@example.com"]);
    assert_eq!(emails(&desk, &[("query[search]", "b_b")]).await, [""; 0], "no pattern of SQL");
    assert_eq!(emails(&desk, &[("query[role]", "analyst")]).await.len(), 2);
    assert_eq!(emails(&desk, &[("query[state]", "Invited")]).await, ["zoe@example.com"]);
    desk.enable(&desk.cookie, &bob, "false").await;
    assert_eq!(emails(&desk, &[("query[state]", "Disabled")]).await, ["bob@example.com"]);
    assert_eq!(emails(&desk, &[("query[state]", "Active"), ("query[role]", "marketer")]).await, [""; 0]);

    let page = desk.server.page("/members?state=invited&sort=-last_sign_in&q=zoe", &desk.cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("zoe@example.com") && !page.text.contains("bob@example.com"));
    assert!(page.text.contains("All roles") && page.text.contains("Never"));
    let none = desk.server.page("/members?q=nobody", &desk.cookie).await.text;
    assert!(none.contains("No member fits"));
});

on_both_databases!(a_list_is_added_whole_or_not_at_all, |db| async move {
    let desk = Desk::new(db).await;
    desk.group("East").await;
    desk.server.member("bob@example.com", "Elsewhere", Preset::Marketer).await;
    let add = async |text: &str| desk.server.submit::<AddMembers>(&desk.cookie, &[("list", text)]).await;
    let call = async |text: &str| desk.server.call::<AddMembers>(&desk.cookie, &encoded(&[("list", text)])).await;
    let wrong = "email,roles\nnew@example.com,Analyst\nada@example.com,\nnobody,\n";
    let problems = error(&call(wrong).await);
    let told: Vec<&str> = problems.fields().iter().map(|field| field.message.as_str()).collect();
    assert!(told[0].starts_with("Nobody was added") && told[1].starts_with("Line 3: ada@example.com is a"), "{told:?}");
    assert!(told[2].starts_with("Line 4: Enter an e-mail") && told.len() == 3, "{told:?}");
    let known = error(&call("email\nnew@example.com\nada@example.com\n").await);
    assert!(known.fields()[1].message.starts_with("Line 3: ada@example.com is a member"), "{known:?}");
    let many: String = (0..40).map(|_| "nobody\n").collect();
    assert_eq!(error(&call(&format!("email\n{many}")).await).fields().last().unwrap().message, "And 15 more.");
    assert_eq!(desk.count("select count(*) from members where workspace_id = $1", &desk.workspace).await, 1);
    assert_eq!(desk.count("select count(*) from users where email <> $1", "").await, 2, "no account was left");

    let good = "email,name,roles,groups,region\n\
                =1@example.com,Odd,Analyst,,\n\
                Eve@example.com,Eve,Marketer;Analyst,east,East;North\n\
                bob@example.com,,,,\n";
    // One of them is elsewhere already.
    desk.organization_administrator("ada@example.com").await;
    let answer = add(good).await;
    let page = desk.server.page(answer.header("location"), &desk.cookie).await.text;
    assert!(page.contains("3 members added, 2 of them invited"), "{page}");
    assert_eq!(links_in(&page).len(), 2);
    let start = page.find("data:text/csv;charset=utf-8,").unwrap() + "data:text/csv;charset=utf-8,".len();
    let file = Url::unescape(page[start..].split('"').next().unwrap());
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "email,link"));
    assert!(lines[1].starts_with("'=1@example.com,http://127.0.0.1:3000/invitation/"), "no formula: {file}");
    assert!(lines[2].starts_with("eve@example.com,http://127.0.0.1:3000/invitation/"), "{file}");

    let eve = desk.id("eve@example.com").await;
    let attributes = access::attributes(desk.db(), &desk.workspace, &eve).await.unwrap();
    assert_eq!(attributes["region"], ["East", "North"]);
    let (standing, bob) = (
        access::standing(desk.db(), &desk.workspace, &eve, false).await.unwrap(),
        access::standing(desk.db(), &desk.workspace, &desk.id("bob@example.com").await, false).await.unwrap(),
    );
    assert_eq!((standing.roles, bob.roles), (vec!["Analyst".to_string(), "Marketer".into()], vec!["Marketer".into()]));
    let log = desk.log().await;
    assert_eq!(log.iter().filter(|line| line.starts_with("invited ")).count(), 2);
    assert_eq!(log.iter().filter(|line| line.starts_with("created Somebody")).count(), 1);
});

on_both_databases!(a_thousand_are_added_at_once, |db| async move {
    let desk = Desk::new(db).await;
    let rows: String = (0..1_000).map(|number| format!("a{number}@example.com,Analyst\n")).collect();
    let answer = desk.server.submit::<AddMembers>(&desk.cookie, &[("list", &format!("email,roles\n{rows}"))]).await;
    let page = desk.server.page(answer.header("location"), &desk.cookie).await.text;
    assert!(page.contains("1,000 members added"));
    let sql = "select count(*) from account_links where created_by <> $1";
    assert_eq!(desk.count(sql, "").await, 1_000);
});
