//! What the simulator has received.

use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, fs::File, io, io::BufWriter, io::Write, path::Path};

/// One action that was received: a line of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Unix milliseconds.
    pub time: i64,
    #[serde(rename = "batchId")]
    pub batch_id: String,
    #[serde(rename = "actionId")]
    pub action_id: String,
    pub customer_id: String,
    pub target: String,
    /// Both signatures are right.
    pub signature: bool,
    /// What it was answered.
    pub answer: String,
    /// SHA-256 of the request's body, in hex: the same for every try of a batch.
    #[serde(default)]
    pub body: String,
    /// Of the request, another one for every try.
    #[serde(default)]
    pub timestamp: String,
    #[serde(default)]
    pub nonce: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub requests: u64,
    pub actions: u64,
    /// Requests with a wrong signature or a body that can't be read.
    pub bad: u64,
}

pub struct Book {
    counters: Counters,
    latest: VecDeque<Row>,
    remember: usize,
    manifest: Option<BufWriter<File>>,
}

impl Book {
    pub fn open(manifest: Option<&Path>, remember: usize) -> io::Result<Self> {
        let open = |path| File::options().create(true).append(true).open(path);
        let manifest = manifest.map(open).transpose()?.map(BufWriter::new);
        Ok(Self { counters: Counters::default(), latest: VecDeque::new(), remember, manifest })
    }

    /// Keeps the rows of a request; they are in the manifest when this returns.
    pub fn enter(&mut self, rows: Vec<Row>, bad: bool) {
        self.counters.requests += 1;
        self.counters.bad += u64::from(bad);
        self.counters.actions += rows.len() as u64;
        if let Some(file) = &mut self.manifest
            && let Err(error) = write(file, &rows)
        {
            tracing::error!(%error, "cannot write the manifest");
        }
        let surplus = (self.latest.len() + rows.len()).saturating_sub(self.remember);
        self.latest.drain(..surplus.min(self.latest.len()));
        let from = rows.len().saturating_sub(self.remember);
        self.latest.extend(rows.into_iter().skip(from));
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    pub fn rows(&self) -> Vec<Row> {
        self.latest.iter().cloned().collect()
    }
}

fn write(file: &mut BufWriter<File>, rows: &[Row]) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *file, row)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(action_id: &str) -> Row {
        Row {
            time: 1,
            batch_id: "b".into(),
            action_id: action_id.into(),
            customer_id: "c".into(),
            target: "t".into(),
            signature: true,
            answer: "ok".into(),
            body: "00".into(),
            timestamp: "1".into(),
            nonce: "n".into(),
        }
    }

    #[test]
    fn the_latest_rows_are_kept_and_all_are_in_the_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("manifest");
        let mut book = Book::open(Some(&file), 2).unwrap();
        book.enter(vec![row("1"), row("2"), row("3")], false);
        book.enter(vec![row("4")], true);
        assert_eq!(book.rows(), [row("3"), row("4")]);
        assert_eq!(book.counters(), Counters { requests: 2, actions: 4, bad: 1 });
        let lines = std::fs::read_to_string(file).unwrap();
        let rows: Vec<Row> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows, ["1", "2", "3", "4"].map(row));
    }
}
