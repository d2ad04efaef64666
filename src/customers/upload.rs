//! Receiving a file of a multipart form, or one that is the whole body: straight to the folder of uploads, never whole in memory.

use super::upload_page::TOO_LARGE;
use crate::error::{AppError, AppResult, internal};
use axum::{
    body::Body,
    extract::multipart::{Field, MultipartError},
};
use futures::StreamExt;
use http::{HeaderMap, StatusCode, header};
use std::path::{Path, PathBuf};
use tokio::{fs::File, io::AsyncWriteExt};

/// A received file. It goes when this is dropped, unless it is kept.
pub struct Upload {
    path: PathBuf,
    kept: bool,
    pub bytes: i64,
    /// As the browser says it, at most 200 characters.
    pub file_name: String,
}

impl Upload {
    pub async fn receive(folder: &Path, id: &str, mut field: Field<'_>) -> AppResult<Self> {
        let name = field.file_name().unwrap_or("").to_string();
        let (mut upload, mut file) = Self::begin(folder, id, &name).await?;
        while let Some(piece) = field.chunk().await.map_err(broken)? {
            upload.bytes += piece.len() as i64;
            file.write_all(&piece).await.map_err(internal)?;
        }
        file.sync_all().await.map_err(internal)?;
        Ok(upload)
    }

    /// A body that is the file itself, of at most `limit` bytes.
    pub async fn of_body(folder: &Path, id: &str, name: &str, body: Body, limit: u64) -> AppResult<Self> {
        let (mut upload, mut file) = Self::begin(folder, id, name).await?;
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| AppError::invalid("file", NOT_WHOLE))?;
            upload.bytes += piece.len() as i64;
            if upload.bytes.unsigned_abs() > limit {
                return Err(AppError::invalid("file", TOO_LARGE));
            }
            file.write_all(&piece).await.map_err(internal)?;
        }
        file.sync_all().await.map_err(internal)?;
        Ok(upload)
    }

    async fn begin(folder: &Path, id: &str, name: &str) -> AppResult<(Self, File)> {
        tokio::fs::create_dir_all(folder).await.map_err(internal)?;
        let file_name = name.chars().filter(|c| !c.is_control()).take(200).collect();
        let path = folder.join(format!("{id}.part"));
        let file = File::create(&path).await.map_err(internal)?;
        Ok((Self { path, kept: false, bytes: 0, file_name }, file))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the file under another name.
    pub async fn keep(mut self, path: &Path) -> AppResult<()> {
        tokio::fs::rename(&self.path, path).await.map_err(internal)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(%error, file = %self.path.display(), "an upload that is not needed could not be removed");
        }
    }
}

/// Refuses a body that says to be longer than the limit before any of it is read.
pub fn check_length(headers: &HeaderMap, limit: u64) -> AppResult<()> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(AppError::invalid("file", TOO_LARGE));
    }
    Ok(())
}

/// The text of a field that is no file.
pub async fn text_of(mut field: Field<'_>) -> AppResult<String> {
    const BYTES_MAX: usize = 4 << 10;
    let name = field.name().unwrap_or("").to_string();
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        if bytes.len() + piece.len() > BYTES_MAX {
            return Err(AppError::invalid(&name, "This is far too long."));
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| AppError::invalid(&name, "This is not text in UTF-8."))
}

const NOT_WHOLE: &str = "The upload did not arrive whole. Try again.";

/// What is wrong with a multipart body.
pub fn broken(error: MultipartError) -> AppError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        AppError::invalid("file", TOO_LARGE)
    } else {
        AppError::invalid("file", NOT_WHOLE)
    }
}

/// Whether the answer is for a script; a plain form gets a page.
pub fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("application/json"))
}
