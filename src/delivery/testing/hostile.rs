//! A receiver that does what it is told, byte by byte, over a bare connection.

use crate::delivery::post::{Address, Prepared};
use bytes::Bytes;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpSocket,
    task::AbortHandle,
};

/// An answer that accepts.
pub const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"code\":\"OK\"}";

/// Between the bytes of what drips.
const DRIP: Duration = Duration::from_millis(5);
/// The system's buffer for what is sent: what is pushed beyond it has been read by the other side, or nearly.
const SEND_BUFFER: u32 = 16 * 1024;

pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// One connection.
pub struct Line {
    wire: Box<dyn Wire>,
    pushed: Arc<AtomicU64>,
    taken: Arc<AtomicUsize>,
}

/// It ends with this.
pub struct Receiver {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    pushed: Arc<AtomicU64>,
    taken: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Receiver {
    /// Plays `play` with every connection.
    pub async fn start<F, P>(play: F) -> Self
    where
        F: Fn(Line) -> P + Send + 'static,
        P: Future<Output = io::Result<()>> + Send + 'static,
    {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(SEND_BUFFER).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, pushed, taken) = <(Arc<AtomicUsize>, Arc<AtomicU64>, Arc<AtomicUsize>)>::default();
        let (count, sent, took) = (connections.clone(), pushed.clone(), taken.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let line = Line { wire: Box::new(stream), pushed: sent.clone(), taken: took.clone() };
                tokio::spawn(play(line));
            }
        });
        Self { port, connections, pushed, taken, accepting: accepting.abort_handle() }
    }

    pub fn url(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}/", self.port)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Bytes that went out, in all.
    pub fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::SeqCst)
    }

    /// Requests that were answered, as far as the play counts them.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

impl Line {
    /// Reads a request to its end.
    pub async fn request(&mut self) -> io::Result<Vec<u8>> {
        let mut request = Vec::new();
        let head = loop {
            if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            request.push(self.wire.read_u8().await?);
        };
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.wire.read_exact(&mut body).await?;
        debug_assert_eq!(head, request.len());
        request.extend(body);
        Ok(request)
    }

    /// Reads HTTP/2 until the headers of a message have begun.
    pub async fn message_begins(&mut self) -> io::Result<()> {
        self.wire.read_exact(&mut [0; 24]).await?;
        loop {
            let mut head = [0; 9];
            self.wire.read_exact(&mut head).await?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut content = vec![0; length as usize];
            self.wire.read_exact(&mut content).await?;
            if head[3] == 1 {
                return Ok(());
            }
        }
    }

    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let bytes = bytes.as_ref();
        self.wire.write_all(bytes).await?;
        self.pushed.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        self.wire.flush().await
    }

    /// One byte after the other, for ever.
    pub async fn drip(&mut self, text: &str) -> io::Result<()> {
        loop {
            for byte in text.bytes() {
                self.wire.write_all(&[byte]).await?;
                tokio::time::sleep(DRIP).await;
            }
        }
    }

    /// As fast as it is taken, up to 1 GiB.
    pub async fn flood(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        while self.pushed.load(Ordering::SeqCst) < 1 << 30 {
            self.say(&bytes).await?;
        }
        Ok(())
    }

    /// Until the other side hangs up.
    pub async fn hold(&mut self) -> io::Result<()> {
        while self.wire.read(&mut [0; 1024]).await? > 0 {}
        Ok(())
    }

    pub fn took(&self) {
        self.taken.fetch_add(1, Ordering::SeqCst);
    }

    /// Over another protocol; with its error, what it gave back of the connection.
    pub async fn upgrade<N, E, P>(self, shake: impl FnOnce(Box<dyn Wire>) -> P) -> Result<Self, E>
    where
        N: Wire + 'static,
        P: Future<Output = Result<N, E>>,
    {
        let wire = shake(self.wire).await?;
        Ok(Self { wire: Box::new(wire), pushed: self.pushed, taken: self.taken })
    }
}

/// A POST of nothing much.
pub fn prepared(url: &str) -> Prepared {
    Prepared { url: Address::new(url), headers: vec![], body: Bytes::from_static(b"[]") }
}
