//! The loops.

use super::Sender;
use crate::{clock::Clock, config::Config, db::Db, secrets::MasterKey};
use std::{sync::Arc, time::Duration};

/// The running engine's handle. Cheap to clone.
#[derive(Clone)]
pub struct Engine {}

impl Engine {
    pub fn start(
        _config: &Config,
        _db: Db,
        _clock: Clock,
        _master_key: MasterKey,
        _senders: Vec<Arc<dyn Sender>>,
    ) -> Self {
        Self {}
    }

    pub fn alive(&self) -> bool {
        true
    }

    /// Stops claiming, lets running POSTs end within `grace`, records them.
    pub async fn stop(&self, _grace: Duration) {}
}
