//! A small SMTP server that keeps what it gets.

use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// Listens on loopback until the test's runtime ends. Refuses the address `refused@example.com`.
pub struct Sink {
    pub url: String,
    mails: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = mails.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, kept.clone()));
            }
        });
        Self { url, mails }
    }

    /// Heads and texts, as they came.
    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

async fn talk(stream: TcpStream, mails: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    write.write_all(b"220 sink\r\n").await.ok()?;
    loop {
        let line = line(&mut lines).await?;
        let answer = match line.split_whitespace().next().unwrap_or("").to_uppercase().as_str() {
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut mail = String::new();
                loop {
                    let line = self::line(&mut lines).await?;
                    if line == ".\r\n" {
                        break;
                    }
                    mail.push_str(&line);
                }
                mails.lock().unwrap().push(mail);
                "250 kept\r\n"
            }
            "RCPT" if line.contains("refused@") => "550 nobody here\r\n",
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return Some(());
            }
            _ => "250 sink\r\n",
        };
        write.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// `None` at the end.
async fn line(lines: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let mut line = String::new();
    lines.read_line(&mut line).await.ok().filter(|bytes| *bytes > 0)?;
    Some(line)
}
