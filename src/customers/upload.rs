//! Receiving a file of a multipart form: straight to the folder of uploads, never whole in memory.

use crate::error::{AppError, AppResult, internal};
use axum::extract::multipart::{Field, MultipartError};
use http::{HeaderMap, StatusCode, header};
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt;

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
        tokio::fs::create_dir_all(folder).await.map_err(internal)?;
        let name: String = field.file_name().unwrap_or("").chars().filter(|c| !c.is_control()).take(200).collect();
        let mut upload = Self { path: folder.join(format!("{id}.part")), kept: false, bytes: 0, file_name: name };
        let mut file = tokio::fs::File::create(&upload.path).await.map_err(internal)?;
        while let Some(piece) = field.chunk().await.map_err(broken)? {
            upload.bytes += piece.len() as i64;
            file.write_all(&piece).await.map_err(internal)?;
        }
        file.sync_all().await.map_err(internal)?;
        Ok(upload)
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

/// What is wrong with a multipart body.
pub fn broken(error: MultipartError) -> AppError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        AppError::invalid("file", "The file is larger than this server takes. Split it, or use the command line.")
    } else {
        AppError::invalid("file", "The upload did not arrive whole. Try again.")
    }
}

/// Whether the answer is for a script; a plain form gets a page.
pub fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("application/json"))
}
