//! Uploaded lists of IDs: which customers they are, and which IDs nobody has.

use crate::{
    bulk,
    customers::import::{
        csv::Records,
        inspect::{open_at, separator_of},
    },
    db::{Db, bulk::rows as json},
    fetch,
};
use serde::Serialize;
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;

/// IDs looked up in one transaction.
const CHUNK: usize = 5_000;
/// As long as an ID may be, in characters.
const ID_MAX: usize = crate::customers::model::ID_MAX;

/// What the IDs are: customer ids, or values of an ID type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdKind {
    Customer,
    Type(String),
}

#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error("This is not a list of IDs: it holds binary data. Upload a text file with one ID in each line.")]
    NotText,
    #[error("The file holds no ID.")]
    Empty,
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("{0}")]
    Sql(#[from] sqlx::Error),
}

#[derive(Serialize)]
struct Id {
    line: i64,
    value: String,
}

/// Members and unmatched IDs of the audience `id`, from the file's first column; how many of each. An audience that is
/// not added afterwards leaves rows behind that [`forget`] takes away.
pub async fn read_into(
    db: &Db,
    workspace: &str,
    id: &str,
    kind: &IdKind,
    path: &Path,
) -> Result<(i64, i64), ListError> {
    let (send, mut chunks) = mpsc::channel(2);
    let reader = tokio::task::spawn_blocking({
        let (path, kind) = (path.to_path_buf(), kind.clone());
        move || read(path, &kind, &send)
    });
    let mut any = false;
    while let Some(chunk) = chunks.recv().await {
        any = true;
        write(db, workspace, id, kind, &chunk).await?;
    }
    reader.await.map_err(io::Error::other)??;
    if !any {
        return Err(ListError::Empty);
    }
    let (members,) = fetch!(
        db,
        one,
        (i64,),
        "select count(*) from audience_members where workspace_id = $1 and audience_id = $2",
        workspace,
        id
    )?;
    let (unmatched,) = fetch!(
        db,
        one,
        (i64,),
        "select count(*) from audience_unmatched where workspace_id = $1 and audience_id = $2",
        workspace,
        id
    )?;
    Ok((members, unmatched))
}

/// Both statements of a chunk take the same rows; an ID that stands twice in the list is one member.
async fn write(db: &Db, workspace: &str, id: &str, kind: &IdKind, chunk: &[Id]) -> Result<(), ListError> {
    let rows = json(chunk)?;
    let mut tx = db.begin().await?;
    match kind {
        IdKind::Customer => {
            bulk!(
                tx,
                execute,
                &rows,
                (value text),
                "insert into audience_members (workspace_id, audience_id, customer_id)
                 select distinct $2, $3, c.customer_id from ",
                " cross join customers c where c.workspace_id = $2 and c.customer_id = r.value on conflict do nothing",
                workspace,
                id,
            )?;
            bulk!(
                tx,
                execute,
                &rows,
                (line bigint, value text),
                "insert into audience_unmatched (workspace_id, audience_id, line, value) select $2, $3, r.line, r.value from ",
                " where not exists
                 (select 1 from customers c where c.workspace_id = $2 and c.customer_id = r.value)",
                workspace,
                id,
            )?;
        }
        IdKind::Type(id_type) => {
            bulk!(
                tx,
                execute,
                &rows,
                (value text),
                "insert into audience_members (workspace_id, audience_id, customer_id)
                 select distinct $2, $3, i.customer_id from ",
                " cross join identities i where i.workspace_id = $2 and i.id_type = $4 and i.value = r.value
                 on conflict do nothing",
                workspace,
                id,
                id_type,
            )?;
            bulk!(
                tx,
                execute,
                &rows,
                (line bigint, value text),
                "insert into audience_unmatched (workspace_id, audience_id, line, value) select $2, $3, r.line, r.value from ",
                " where not exists (select 1 from identities i
                 where i.workspace_id = $2 and i.id_type = $4 and i.value = r.value)",
                workspace,
                id,
                id_type,
            )?;
        }
    }
    Ok(tx.commit().await?)
}

/// Takes away what an audience that was not added left.
pub async fn forget(db: &Db, workspace: &str, id: &str) {
    if let Err(error) = super::store::forget(db, workspace, id).await {
        tracing::warn!(%error, audience = id, "rows of an audience that was not added are left");
    }
}

/// The first column, line by line. A first line that names what the IDs are is passed over; a line that cannot be read
/// is an ID that nobody has.
fn read(path: PathBuf, kind: &IdKind, send: &mpsc::Sender<Vec<Id>>) -> Result<(), ListError> {
    let mut start = Vec::new();
    std::fs::File::open(&path)?.take(8_192).read_to_end(&mut start)?;
    if start.contains(&0) || (start.len() < 8_192 && std::str::from_utf8(&start).is_err() && !start.contains(&b'\n')) {
        return Err(ListError::NotText);
    }
    let bom = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let separator = separator_of(&start[bom..]);
    let mut records = Records::new(open_at(&path, bom as u64)?, separator, None, bom as u64, 0);
    let mut chunk = Vec::new();
    while let Some(record) = records.read()? {
        let value = match &record.cells {
            Ok(cells) => cells.get(0).to_string(),
            Err(fault) => format!("({})", fault.reason.label()),
        };
        if value.is_empty() || (record.line == 1 && is_header(&value, kind)) {
            continue;
        }
        chunk.push(Id { line: record.line, value: value.chars().take(ID_MAX + 1).collect() });
        if chunk.len() == CHUNK && send.blocking_send(std::mem::take(&mut chunk)).is_err() {
            return Ok(());
        }
    }
    if !chunk.is_empty() {
        // Nobody takes it: then the task has said why already.
        let _ = send.blocking_send(chunk);
    }
    Ok(())
}

fn is_header(value: &str, kind: &IdKind) -> bool {
    let plain = |text: &str| text.to_lowercase().replace([' ', '_'], "");
    let value = plain(value);
    let own = match kind {
        IdKind::Customer => "customerid".to_string(),
        IdKind::Type(id_type) => plain(id_type),
    };
    value == own || value == "id"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audiences::{
            model::{Audience, Kind},
            rules::Rules,
            store,
        },
        customers::import::testing::{import_text, workspace},
        on_both_databases,
    };
    use std::io::Write;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    async fn setup(db: &Db) -> String {
        let ws = workspace(db).await;
        let mut text = String::from("customer_id,EMAIL\n");
        for n in 0..6_000 {
            text.push_str(&format!("c{n:04},e{n}@x\n"));
        }
        let columns = [("customer_id", "customer_id".to_string()), ("EMAIL", "id:EMAIL".to_string())];
        import_text(db, &ws, &text, &columns).await;
        ws
    }

    on_both_databases!(ids_are_matched_once_and_strangers_are_kept_with_their_lines, |db| async move {
        let ws = setup(&db).await;
        let mut text = String::from("\u{feff}Customer ID\r\n");
        for n in (0..6_000).chain(0..10) {
            text.push_str(&format!("c{n:04}\r\n"));
        }
        text.push_str("stranger\r\n\r\n\"c0001\"\r\nc0002,with more\r\n");
        let found = read_into(&db, &ws, "l1", &IdKind::Customer, file(text.as_bytes()).path()).await.unwrap();
        assert_eq!(found, (6_000, 1));
        let emails = file(b"e1@x\nE1@x\ne2@x\nc0003\n");
        let found = read_into(&db, &ws, "l2", &IdKind::Type("EMAIL".into()), emails.path()).await.unwrap();
        assert_eq!(found, (2, 2));
        assert_eq!(
            store::unmatched(&db, &ws, "l2", 0, 10).await.unwrap(),
            [(2, "E1@x".to_string()), (4, "c0003".to_string())]
        );
        let audience = Audience { id: "l2".into(), ..Audience::unsaved(Kind::List, Rules::default()) };
        let members = store::page_of(&db, &ws, &audience, "EMAIL", None, 10).await.unwrap();
        assert_eq!(members.iter().map(|m| m.customer_id.as_str()).collect::<Vec<_>>(), ["c0001", "c0002"]);
        forget(&db, &ws, "l2").await;
        assert_eq!(store::size_of(&db, &ws, &audience).await.unwrap(), 0);
    });

    on_both_databases!(the_first_line_says_what_stands_between_the_cells, |db| async move {
        let ws = setup(&db).await;
        // A semicolon further down is no separator; nor is one in quotation marks.
        let text = b"customer id,note\nc0001,a;b\n\"c0002\",c\tc\nc;3,x\n";
        let found = read_into(&db, &ws, "l1", &IdKind::Customer, file(text).path()).await.unwrap();
        assert_eq!(found, (2, 1));
        assert_eq!(store::unmatched(&db, &ws, "l1", 0, 10).await.unwrap(), [(4, "c;3".to_string())]);
        let text = b"\xef\xbb\xbfcustomer id;note, long\nc0001;a,b\n";
        let found = read_into(&db, &ws, "l2", &IdKind::Customer, file(text).path()).await.unwrap();
        assert_eq!(found, (1, 0));
    });

    on_both_databases!(what_is_no_list_is_refused, |db| async move {
        let ws = workspace(&db).await;
        for (bytes, said) in [(b"".as_slice(), "no ID"), (b"id\n\n", "no ID"), (b"\x89PNG\r\n\x1a\n\0\0", "binary")] {
            let error = read_into(&db, &ws, "l", &IdKind::Customer, file(bytes).path()).await.unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    });
}
