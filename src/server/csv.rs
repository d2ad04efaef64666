//! Downloads as CSV, written while they are read, so that a million rows need no more memory than a thousand.

use crate::error::{AppError, AppResult, internal};
use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use http::header;
use tokio::sync::mpsc;

/// Takes the lines of a download as they are made.
pub struct Lines(mpsc::Sender<Bytes>);

impl Lines {
    /// `false` when nobody reads any more: stop.
    pub async fn send(&self, chunk: Vec<u8>) -> bool {
        self.0.send(chunk.into()).await.is_ok()
    }
}

/// A download whose lines `write` sends as it has them. An error in the middle breaks the connection off, so that half
/// a file is never taken for a whole one.
pub fn download<F, W>(name: &str, head: &[&str], write: W) -> AppResult<Response>
where
    W: FnOnce(Lines) -> F,
    F: Future<Output = Result<(), AppError>> + Send + 'static,
{
    let head = line(head)?;
    let (lines, received) = mpsc::channel::<Bytes>(4);
    let writing = tokio::spawn(write(Lines(lines)));
    let head = futures::stream::once(async move { Ok(Bytes::from(head)) });
    let rest = futures::stream::unfold(received, |mut received| async move {
        received.recv().await.map(|chunk| (Ok(chunk), received))
    });
    let end = futures::stream::once(async move {
        match writing.await {
            Ok(Ok(())) => Ok(Bytes::new()),
            Ok(Err(error)) => Err(std::io::Error::other(error)),
            Err(error) => Err(std::io::Error::other(error)),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(head.chain(rest).chain(end))).into_response())
}

/// One line. Spreadsheets run what begins with these characters as a formula, so such cells get a `'`; numbers stay.
pub fn line(cells: &[&str]) -> AppResult<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let cells = cells.iter().map(|cell| if is_formula(cell) { format!("'{cell}") } else { (*cell).to_string() });
    writer.write_record(cells).map_err(internal)?;
    writer.into_inner().map_err(internal)
}

fn is_formula(cell: &str) -> bool {
    let number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match cell.as_bytes().first() {
        Some(b'+' | b'-') => !number(&cell[1..]),
        Some(b'=' | b'@' | b'\t' | b'\r') => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_a_formula() {
        let cells = ["a,b", "say \"x\"", "=1+1", "-2+3", "-2.5", "+8613800000000", "@x", "", "文"];
        let text = String::from_utf8(line(&cells).unwrap()).unwrap();
        assert_eq!(text, "\"a,b\",\"say \"\"x\"\"\",'=1+1,'-2+3,-2.5,+8613800000000,'@x,,文\n");
    }
}
