//! A customer's system to try against: it verifies both signatures and says what was wrong, records what it got,
//! answers as told, and posts receipts. `reachwire crm` runs it; the demo, the tests and the bench run it inside.
//!
//! Its memory is bounded: it counts all, keeps the latest rows, and writes all of them to the manifest.

mod book;
mod endpoint;
mod options;
mod page;
mod places;
mod receipts;

pub use book::{Counters, Row};
pub use options::{Answer, Options, ReceiptOptions};

use book::Book;
use rand::{SeedableRng, rngs::StdRng};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// What the request handlers share.
struct Shared {
    options: Options,
    book: Mutex<Book>,
    random: Mutex<StdRng>,
    receipts: Option<tokio::sync::mpsc::Sender<crate::wire::receipt::Receipt>>,
}

/// A running simulator; it ends when this is dropped.
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl Simulator {
    /// Listens and answers. Port 0 takes a free one.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let mut tasks = Vec::new();
        let receipts = options.receipts.clone().map(|wanted| {
            let (sender, task) = receipts::start(wanted, options.key.clone());
            tasks.push(task);
            sender
        });
        let shared = Arc::new(Shared {
            book: Mutex::new(Book::open(options.manifest.as_deref(), options.remember)?),
            random: Mutex::new(StdRng::seed_from_u64(options.seed)),
            receipts,
            options,
        });
        let router = endpoint::router(shared.clone());
        tasks.push(tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the simulator ended");
            }
        }));
        Ok(Self { address, shared, tasks })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a webhook is to point.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The interface of the parameters `province`, `city` and `shop`.
    pub fn interface_url(&self) -> String {
        format!("http://{}{}", self.address, places::PATH)
    }

    pub fn counters(&self) -> Counters {
        self.shared.book().counters()
    }

    /// The latest rows, at most [`Options::remember`], the oldest first.
    pub fn rows(&self) -> Vec<Row> {
        self.shared.book().rows()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the next request is answered.
    fn answer(&self) -> Answer {
        if self.chance() < self.options.share { self.options.answer } else { Answer::Ok }
    }

    /// A number from 0 to 1 from the seed's sequence.
    fn chance(&self) -> f64 {
        use rand::RngExt;
        self.random.lock().unwrap_or_else(PoisonError::into_inner).random()
    }
}

#[cfg(test)]
mod tests;
