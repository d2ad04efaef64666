//! Imports from CSV.
//!
//! A file is inspected (refused before anything changes when it is no CSV file), its columns are mapped, and then it
//! is imported in chunks by a background task or the command line. What a chunk changes, how many rows it counts and
//! where it ends are one transaction, so an interrupted import goes on where it stopped and ends the same.

pub mod csv;
pub mod guess;
pub mod inspect;
pub mod row;
pub mod run;
pub mod settle;
pub mod store;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod upsert;

use crate::server::AppState;
use run::{Run, RunError};
use std::path::PathBuf;

/// The stored upload of an import.
pub fn file_of(state: &AppState, id: &str) -> PathBuf {
    state.config.uploads().join(format!("{id}.csv"))
}

/// Goes on with the imports that a stop interrupted and whose files are here; their ids. The others are another node's.
pub async fn resume(state: &AppState) -> Vec<String> {
    let running = match store::running(&state.db).await {
        Ok(running) => running,
        Err(error) => {
            tracing::error!(%error, "imports that a stop interrupted could not be found");
            return vec![];
        }
    };
    let here: Vec<_> = running.into_iter().filter(|(_, id)| file_of(state, id).exists()).collect();
    here.iter().for_each(|(workspace, id)| spawn(state, workspace.clone(), id.clone()));
    here.into_iter().map(|(_, id)| id).collect()
}

/// Runs a started import in the background; the stored file goes when it has been read.
pub fn spawn(state: &AppState, workspace: String, id: String) {
    let state = state.clone();
    tokio::spawn(async move {
        let path = file_of(&state, &id);
        let run = Run { db: &state.db, clock: &state.clock, workspace: &workspace, id: &id };
        match run.to_end(&path, |_| {}).await {
            Ok(()) => {
                if let Err(error) = tokio::fs::remove_file(&path).await {
                    tracing::warn!(%error, import = id, "the imported file could not be removed");
                }
            }
            // Whoever overtook this run is responsible for the end.
            Err(RunError::Overtaken | RunError::NotRunning) => {}
            Err(error) => tracing::error!(%error, import = id, "an import failed"),
        }
    });
}
