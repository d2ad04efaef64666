//! What is logged, for tests that look for secrets in it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, Once},
};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// Everything that the server logs.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// A log of what this thread does, as long as the guard lives.
    ///
    /// What another test's thread comes by first, while nobody listens, is remembered as of no interest to anybody: a
    /// listener for all threads, which keeps nothing, is there so that this does not happen.
    pub fn of_this_thread() -> (Self, DefaultGuard) {
        static EVERYBODY: Once = Once::new();
        EVERYBODY.call_once(|| {
            // Nothing else in the tests sets one.
            tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
        });
        let log = Self::default();
        let fmt = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
        (log, tracing::subscriber::set_default(fmt.finish()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
