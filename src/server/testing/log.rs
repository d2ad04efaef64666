//! What is logged, for tests that look for secrets in it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, Once},
};
use tracing::{Level, subscriber::DefaultGuard};
use tracing_subscriber::{
    Layer, filter::dynamic_filter_fn, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt,
};

/// Everything that the server logs.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// A log of what this thread does, as long as the guard lives.
    pub fn of_this_thread() -> (Self, DefaultGuard) {
        warnings();
        let log = Self::default();
        let fmt = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(log.clone());
        (log, tracing::subscriber::set_default(fmt.finish()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Shows the warnings of all tests with their output.
///
/// What a thread comes by first while nobody listens is remembered as of no interest to anybody, also to a log that
/// another test begins later. So this one, which is there for all, decides anew each time.
pub fn warnings() {
    static SHOWN: Once = Once::new();
    SHOWN.call_once(|| {
        let warns = dynamic_filter_fn(|of, _| *of.level() <= Level::WARN);
        let layer = tracing_subscriber::fmt::layer().with_test_writer().with_filter(warns);
        tracing_subscriber::registry().with(layer).init();
    });
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
