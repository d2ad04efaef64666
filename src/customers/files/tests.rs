//! Uploads and downloads through the real router.

use crate::{
    access::model::Preset,
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

/// A multipart form with a file, as a browser sends it.
fn request(path: &str, cookie: &str, fields: &[(&str, &str)], file: &[u8], accept: &str) -> Request<Body> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"list.csv\"\r\n\r\n");
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--x--\r\n");
    Request::post(path)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT, accept)
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body))
        .unwrap()
}

async fn upload(app: &Harness, path: &str, cookie: &str, fields: &[(&str, &str)], file: &[u8], accept: &str) -> Answer {
    app.send(request(path, cookie, fields, file, accept)).await
}

/// Everything in the folder of uploads.
fn files(app: &Harness) -> usize {
    std::fs::read_dir(app.state.config.uploads()).map_or(0, Iterator::count)
}

const PATH: &str = customers::upload_page::UPLOAD;

on_both_databases!(a_file_is_uploaded_mapped_imported_and_its_bad_rows_downloaded, |db| async move {
    let app = Harness::new(db.clone()).await;
    let ws = app.member("a@example.com", "One", Preset::Marketer).await;
    let cookie = app.sign_in("a@example.com").await;
    let file = b"id,ONEID,spend\na/1 %25,o1,5\nb,o1,6\nc,o3,many\n";
    let answer = upload(&app, PATH, &cookie, &[], file, "text/html").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let location = answer.header("location").to_string();
    let id = location.rsplit('/').next().unwrap().to_string();
    assert!(file_of(&app.state, &id).exists());
    let page = app.page(&location, &cookie).await;
    assert!(page.text.contains("What each column means"));
    for attribute in ["aria-describedby", "id"] {
        let tied = format!("{attribute}=\"columns[1][target]-error\"");
        assert!(page.text.contains(&tied), "an error is tied to its input: {tied}");
    }

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
    app.member("b@example.com", "Two", Preset::Administrator).await;
    let other = app.sign_in("b@example.com").await;
    let answer = app.page(&format!("/customers/imports/{id}/bad-rows.csv"), &other).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = app.call::<customers::api::GetImport>(&other, &format!("id={id}")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
});

on_both_databases!(what_is_refused_leaves_nothing_behind, |db| async move {
    let app = Harness::new(db.clone()).await;
    let ws = app.member("a@example.com", "One", Preset::Marketer).await;
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
    let ws = app.member("a@example.com", "One", Preset::Marketer).await;
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

on_both_databases!(a_file_that_is_too_large_is_refused_in_the_words_of_who_asks, |db| async move {
    let app = Harness::with(db, |config| config.upload_limit = 1_000).await;
    app.member("a@example.com", "One", Preset::Marketer).await;
    let cookie = app.sign_in("a@example.com").await;
    // The length is said before any of it comes, as browsers do, or comes to light.
    for (said, file) in [(true, b"id\n1\n".to_vec()), (false, "id\n".repeat(1_000).into_bytes())] {
        for (path, accept) in [(PATH, "application/json"), (PATH, "text/html"), (audiences::form::UPLOAD, "text/html")]
        {
            let mut request = request(path, &cookie, &[], &file, accept);
            if said {
                request.headers_mut().insert(header::CONTENT_LENGTH, "4000".parse().unwrap());
            }
            let answer = app.send(request).await;
            if accept == "application/json" {
                assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
                assert!(answer.text.contains("larger than this server takes"), "{}", answer.text);
            } else {
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
                let page = app.page(answer.header("location"), &cookie).await;
                assert!(page.text.contains("larger than this server takes"), "{}", page.text);
            }
        }
    }
    assert_eq!(files(&app), 0);
});

on_both_databases!(texts_beside_a_file_are_bounded, |db| async move {
    let app = Harness::new(db).await;
    app.member("a@example.com", "One", Preset::Marketer).await;
    let cookie = app.sign_in("a@example.com").await;
    for length in [3_000, 1 << 20] {
        let name = "n".repeat(length);
        let fields = [("name", name.as_str()), ("id_type", "customer_id")];
        let answer = upload(&app, audiences::form::UPLOAD, &cookie, &fields, b"c1\n", "text/html").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(answer.header("location").len() < 1_000, "{}", answer.header("location").len());
        let page = app.page(answer.header("location"), &cookie).await;
        assert!(page.text.contains("id=\"name-error\""), "{}", page.text);
        assert!(page.text.contains("far too long") || page.text.contains("At most 64 characters"), "{}", page.text);
    }
});

on_both_databases!(the_list_is_walked_whatever_the_ids_are_made_of, |db| async move {
    let app = Harness::new(db.clone()).await;
    let ws = app.member("a@example.com", "One", Preset::Marketer).await;
    let cookie = app.sign_in("a@example.com").await;
    let ids: Vec<String> = (0..130).map(|n| format!("a%2F{n:03} &b+c %")).collect();
    let text = format!("id\n{}\n", ids.join("\n"));
    customers::import::testing::import_text(&db, &ws, &text, &[("id", "customer_id".to_string())]).await;
    let (mut address, mut seen) = ("/customers".to_string(), vec![]);
    loop {
        let page = app.page(&address, &cookie).await.text;
        seen.extend(ids.iter().filter(|id| page.contains(&customers::customer_href(id))));
        let next = page.split("href=\"").find(|link| link.starts_with("/customers?") && link.contains(">Next<"));
        match next.and_then(|link| link.split('"').next()) {
            Some(next) => address = next.to_string(),
            None => break,
        }
    }
    assert_eq!(seen, ids.iter().collect::<Vec<_>>());
});
