//! Workspaces and imports for tests.

use super::{run::Run, store};
use crate::{
    audit::By,
    clock::{Clock, new_id},
    customers::{
        mapping::{ColumnInput, Mapping, from_inputs},
        model::Import,
    },
    db::Db,
};
use std::io::Write;

pub async fn workspace(db: &Db) -> String {
    crate::access::store::put_workspace(db, &new_id(), "UTC", 1).await.unwrap()
}

/// Header and target code; a tag is named as its column.
pub fn mapping(columns: &[(&str, String)]) -> Mapping {
    let input = |(header, target): &(&str, String)| ColumnInput {
        header: (*header).into(),
        target: target.clone(),
        name: (*header).into(),
    };
    from_inputs(columns.iter().map(input).collect()).unwrap()
}

/// A started import of a file with this content.
pub async fn started(
    db: &Db,
    workspace: &str,
    bytes: &[u8],
    columns: &[(&str, String)],
) -> (String, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let new = store::NewImport {
        source: store::Source::Upload,
        file_name: "test.csv",
        bytes: bytes.len() as i64,
        by: "test",
    };
    let id = store::add(db, workspace, &new, 1).await.unwrap();
    assert!(store::start(db, workspace, &id, &mapping(columns), &By::command_line(2)).await.unwrap());
    (id, file)
}

/// Imports the text to its end.
pub async fn import_text(db: &Db, workspace: &str, text: &str, columns: &[(&str, String)]) -> Import {
    let (id, file) = started(db, workspace, text.as_bytes(), columns).await;
    let clock = Clock::manual(3);
    let run = Run { db, clock: &clock, workspace, id: &id };
    run.to_end(file.path(), |_| {}).await.unwrap();
    store::get(db, workspace, &id).await.unwrap()
}
