//! Uploads and downloads through the real router.

use crate::{
    access::model::Role,
    audiences,
    customers::{
        self,
        import::{file_of, store},
    },
    on_both_databases,
    server::testing::{Answer, Harness},
};
use axum::body::Body;
use http::{Request, StatusCode, header};

/// Posts a multipart form with a file, as a browser does.
async fn upload(app: &Harness, path: &str, cookie: &str, fields: &[(&str, &str)], file: &[u8], accept: &str) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n\r\n");
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT, accept)
        .header("sec-fetch-site", "same-origin");
    app.send(request.body(Body::from(body)).unwrap()).await
}

/// Everything in the folder of uploads.
fn files(app: &Harness) -> usize {
    std::fs::read_dir(app.state.config.uploads()).map_or(0, Iterator::count)
}

const PATH: &str = customers::upload_page::UPLOAD;

on_both_databases!(a_file_is_uploaded_mapped_imported_and_its_bad_rows_downloaded, |db| async move {
    let app = Harness::new(db.clone()).await;
    let ws = app.member("a@example.com", "One", Role::Marketer).await;
    let cookie = app.sign_in("a@example.com").await;
    let file = b"id,ONEID,spend\na/1 %25,o1,5\nb,o1,6\nc,o3,many\n";
    let answer = upload(&app, PATH, &cookie, &[], file, "text/html").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let location = answer.header("location").to_string();
    let id = location.rsplit('/').next().unwrap().to_string();
    assert!(file_of(&app.state, &id).exists());
    let page = app.page(&location, &cookie).await;
    assert!(page.text.contains("What each column means"));

    let columns = [("id", "customer_id"), ("ONEID", "id%3AONEID"), ("spend", "tag%3Anumber")];
    let columns = columns.iter().enumerate().map(|(place, (header, target))| {
        format!("&columns[{place}][header]={header}&columns[{place}][target]={target}&columns[{place}][name]={header}")
    });
    let form = format!("id={id}{}", columns.collect::<String>());
    let answer = app.call::<customers::api::StartImport>(&cookie, &form).await;
    assert!(answer.status.is_success(), "{}", answer.text);
    let done = loop {
        let import = store::get(&db, &ws, &id).await.unwrap();
        if import.finished_at.is_some() {
            break import;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!((done.rows_good, done.rows_bad), (1, 2));
    let answer = app.page(&format!("/customers/imports/{id}/bad-rows.csv"), &cookie).await;
    assert_eq!(
        answer.text,
        "line,reason,detail\n3,Duplicate identity,ONEID: o1 belongs to customer a/1 %25\n4,Not a number,spend: many\n"
    );
    // The page of a customer is found whatever the id is made of.
    let page = app.page(&customers::customer_href("a/1 %25"), &cookie).await;
    assert!(page.text.contains("<h1>a/1 %25"), "{}", page.text);

    // Another workspace has neither the import nor its rows.
    app.member("b@example.com", "Two", Role::Administrator).await;
    let other = app.sign_in("b@example.com").await;
    let answer = app.page(&format!("/customers/imports/{id}/bad-rows.csv"), &other).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = app.call::<customers::api::GetImport>(&other, &format!("id={id}")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
});

on_both_databases!(what_is_refused_leaves_nothing_behind, |db| async move {
    let app = Harness::new(db.clone()).await;
    let ws = app.member("a@example.com", "One", Role::Marketer).await;
    let cookie = app.sign_in("a@example.com").await;
    for (file, said) in [
        (b"\x89PNG\r\n\x1a\n\0\0".as_slice(), "PNG"),
        (b"", "empty"),
        (b"id,name\n", "no rows"),
        (b"id,id\n1,2\n", "Two columns"),
    ] {
        let answer = upload(&app, PATH, &cookie, &[], file, "application/json").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains(said), "{}", answer.text);
        let answer = upload(&app, PATH, &cookie, &[], file, "text/html").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let page = app.page(answer.header("location"), &cookie).await;
        assert!(page.text.contains(said), "{}", page.text);
    }
    let answer = upload(&app, PATH, "", &[], b"id\n1\n", "text/html").await;
    assert!(answer.header("location").starts_with("/sign-in"));
    assert_eq!(files(&app), 0);
    assert!(store::latest(&db, &ws, 10).await.unwrap().is_empty());
});

on_both_databases!(an_id_list_becomes_an_audience_or_comes_back_with_what_was_typed, |db| async move {
    let app = Harness::new(db.clone()).await;
    let ws = app.member("a@example.com", "One", Role::Marketer).await;
    let cookie = app.sign_in("a@example.com").await;
    let columns = [("id", "customer_id".to_string()), ("ONEID", "id:ONEID".to_string())];
    customers::import::testing::import_text(&db, &ws, "id,ONEID\nc1,o1\nc2,o2\n", &columns).await;
    let path = audiences::form::UPLOAD;
    let fields = [("name", "Loyal & true"), ("id_type", "ONEID")];
    let answer = upload(&app, path, &cookie, &fields, b"o1\nnobody\n", "text/html").await;
    let page = app.page(answer.header("location"), &cookie).await;
    assert!(page.text.contains("Loyal &amp; true") && page.text.contains("unmatched.csv"), "{}", page.text);
    let unmatched = app.page(&format!("{}/unmatched.csv", answer.header("location")), &cookie).await;
    assert_eq!(unmatched.text, "line,id\n2,nobody\n");

    let answer = upload(&app, path, &cookie, &fields, b"o2\n", "text/html").await;
    let page = app.page(answer.header("location"), &cookie).await;
    assert!(page.text.contains("has this name already") && page.text.contains("value=\"Loyal &amp; true\""));
    let answer = upload(&app, path, &cookie, &[("name", "x"), ("id_type", "FAX")], b"o2\n", "text/html").await;
    assert!(app.page(answer.header("location"), &cookie).await.text.contains("Choose what the IDs are"));
    let answer = upload(&app, path, &cookie, &[("name", "x"), ("id_type", "ONEID")], b"a\0b", "text/html").await;
    assert!(app.page(answer.header("location"), &cookie).await.text.contains("binary data"));
    assert_eq!(audiences::store::summaries(&db, &ws).await.unwrap().len(), 1);
    assert_eq!(files(&app), 0);
});
