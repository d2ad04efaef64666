//! Receivers that do everything wrong: each POST ends within its bound, with a reason of its own, and takes little.

use super::*;
use crate::{
    delivery::{
        post::{Bounds, Poster, Prepared, Transfer},
        testing::{
            config,
            hostile::{Line, Receiver, TAKEN, prepared},
            tls::{self, Authority, Leaf},
        },
        tls::Tls,
        verdict::{self, Verdict},
    },
    secrets::random_hex,
};
use std::time::Duration;

/// A tenth of a second is long on loopback; what must not time out has all the time of a delivery.
const SHORT: Duration = Duration::from_millis(300);
/// For a head to arrive within, on a machine that is busy.
const LONGER: Duration = Duration::from_secs(1);
/// What an endless answer may bring before it is left: what is read of it, and buffers on the way.
const PUSHED_MAX: u64 = 16 << 20;

fn poster() -> Poster {
    Poster::new(&config().engine).unwrap()
}

async fn send_to(url: &str, time: Duration) -> Transfer {
    poster().send_within(prepared(url), Bounds { time, ..Bounds::default() }).await
}

async fn told(url: &str, time: Duration) -> String {
    send_to(url, time).await.result.map_or_else(|problem| problem.to_string(), |answer| answer.status.to_string())
}

/// What is said of a receiver that plays this.
async fn said_of<F, P>(play: F) -> String
where
    F: Fn(Line) -> P + Send + 'static,
    P: Future<Output = io::Result<()>> + Send + 'static,
{
    let receiver = Receiver::start(play).await;
    told(&receiver.url("http", "127.0.0.1"), Bounds::default().time).await
}

/// The same of one that would go on for ever, within this bound.
async fn said_within<F, P>(time: Duration, play: F) -> String
where
    F: Fn(Line) -> P + Send + 'static,
    P: Future<Output = io::Result<()>> + Send + 'static,
{
    let receiver = Receiver::start(play).await;
    told(&receiver.url("http", "127.0.0.1"), time).await
}

/// Of one that answers with this and then hangs up.
async fn said_of_answer(answer: &'static str) -> String {
    said_of(move |mut line| async move {
        line.request().await?;
        line.say(answer).await
    })
    .await
}

const NO_ANSWER: &str = "timed out: no answer within 0 s";
const NO_END: &str = "timed out: the answer did not end within 1 s";

#[tokio::test]
async fn silence_and_single_bytes_time_out() {
    assert_eq!(said_within(SHORT, |mut line| async move { line.hold().await }).await, NO_ANSWER);
    let slow_head = |mut line: Line| async move {
        line.request().await?;
        line.drip("HTTP/1.1 200 OK\r\nx-name: and more of the head\r\n").await
    };
    assert_eq!(said_within(SHORT, slow_head).await, NO_ANSWER);
    let slow_body = |mut line: Line| async move {
        line.request().await?;
        line.say("HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n").await?;
        line.drip(" ").await
    };
    assert_eq!(said_within(LONGER, slow_body).await, NO_END);
    let slow_chunks = |mut line: Line| async move {
        line.request().await?;
        line.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
        line.drip("1\r\n \r\n").await
    };
    assert_eq!(said_within(LONGER, slow_chunks).await, NO_END);
    let promises = |mut line: Line| async move {
        line.request().await?;
        line.flood("HTTP/1.1 100 Continue\r\n\r\n").await
    };
    assert_eq!(said_within(SHORT, promises).await, NO_ANSWER);
}

#[tokio::test]
async fn an_endless_head_is_left_early() {
    for (first, more) in [
        ("HTTP/1.1 200 OK\r\nx-name: ", "and more of one header, without an end "),
        ("HTTP/1.1 200 OK\r\n", "x-name: one of a great many\r\n"),
        ("HTTP/1.1 200 ", "and more of the first line "),
    ] {
        let receiver = Receiver::start(move |mut line| async move {
            line.request().await?;
            line.say(first).await?;
            line.flood(more.repeat(256)).await
        })
        .await;
        let said = told(&receiver.url("http", "127.0.0.1"), Bounds::default().time).await;
        assert_eq!(said, "the answer's head is too large");
        assert!(receiver.pushed() < PUSHED_MAX, "{} bytes", receiver.pushed());
    }
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), content].concat()
}

#[tokio::test]
async fn http_2_has_no_endless_answers_either() {
    const SETTINGS: u8 = 4;
    const ACK: u8 = 1;
    // ":status: 200", and a header of 60 bytes that no table keeps.
    let header = [&[0x10, 5][..], b"x-nam", &[60], &[b'x'; 60]].concat();
    let endless_head = (frame(1, 0, 1, &[0x88]), frame(9, 0, 1, &header.repeat(100)));
    let endless_body = (frame(1, 4, 1, &[0x88]), frame(0, 0, 1, &[b' '; 1024]));
    let authority = Authority::new("CA");
    let trusting = Tls { ca_certificate: authority.certificate.clone(), ..Tls::default() };
    for (first, more) in [endless_head, endless_body] {
        let receiver = tls::playing(&authority.server(&["127.0.0.1"]), None, "h2", move |mut line| {
            let (first, more) = (first.clone(), more.clone());
            async move {
                line.say(frame(SETTINGS, 0, 0, &[])).await?;
                line.say(frame(SETTINGS, ACK, 0, &[])).await?;
                // The preface, settings, then the message: its headers' frame is the first of type 1.
                line.message_begins().await?;
                line.say(first).await?;
                line.flood(more).await
            }
        })
        .await;
        let poster = poster().of_webhook("w", &trusting).unwrap();
        let result = poster.send(prepared(&receiver.url("https", "127.0.0.1"))).await.result;
        match &result {
            Ok(answer) => assert_eq!((answer.status, answer.body.len()), (200, Bounds::default().answer)),
            Err(problem) => assert!(matches!(problem, Problem::Broken(_)), "{problem}"),
        }
        assert!(receiver.pushed() < PUSHED_MAX, "{} bytes", receiver.pushed());
    }
}

#[tokio::test]
async fn an_endless_body_is_read_no_further_than_it_is_kept() {
    for (head, more) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "no end "),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n", "no end "),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "6\r\nno end\r\n"),
    ] {
        let receiver = Receiver::start(move |mut line| async move {
            line.request().await?;
            line.say(head).await?;
            line.flood(more.repeat(1024)).await
        })
        .await;
        let sent = send_to(&receiver.url("http", "127.0.0.1"), Bounds::default().time).await;
        assert_eq!(sent.result.as_ref().unwrap().body.len(), Bounds::default().answer);
        assert_eq!(verdict::judge(&sent.result, 0), Verdict::Failed("the answer is larger than 64 KiB".into()));
        assert!(receiver.pushed() < PUSHED_MAX, "{} bytes", receiver.pushed());
    }
}

#[tokio::test]
async fn a_chunk_without_end_is_left_early() {
    for more in ["1;x=", "0\r\nx-name: "] {
        let receiver = Receiver::start(move |mut line| async move {
            line.request().await?;
            line.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            line.say(more).await?;
            line.flood("and so on ".repeat(1024)).await
        })
        .await;
        let said = told(&receiver.url("http", "127.0.0.1"), Bounds::default().time).await;
        assert_eq!(said, "the answer is broken: its parts are not as HTTP has them", "{more:?}");
        assert!(receiver.pushed() < PUSHED_MAX, "{} bytes", receiver.pushed());
    }
}

#[tokio::test]
async fn broken_answers_are_named() {
    const NOT_HTTP: &str = "the answer is broken: it is not HTTP";
    const BAD_PARTS: &str = "the answer is broken: its parts are not as HTTP has them";
    const CUT_HEAD: &str = "the connection broke: it was closed before the answer was complete";
    const CUT_BODY: &str = "the connection broke: it was closed in the middle of the answer";
    for (answer, said) in [
        ("", CUT_HEAD),
        ("HTTP/1.1 200 OK\r\nx: y\r\n", CUT_HEAD),
        ("SSH-2.0-OpenSSH_9.9\r\n", NOT_HTTP),
        ("220 mail.example.com ESMTP\r\n", NOT_HTTP),
        ("<html>hello</html>\r\n\r\n", NOT_HTTP),
        ("\0\0\0\u{12}\u{4}\0\0\0\0\0", NOT_HTTP),
        ("HTTP/1.1 abc OK\r\n\r\n", NOT_HTTP),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", NOT_HTTP),
        ("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n", NOT_HTTP),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nOK", NOT_HTTP),
        ("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nOK", CUT_BODY),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nOK\r\n", BAD_PARTS),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nOKAY\r\n0\r\n\r\n", BAD_PARTS),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n", BAD_PARTS),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nOK\r\n", CUT_BODY),
        // Odd, and within the rules.
        ("HTTP/1.0 200 OK\r\n\r\n{\"code\":\"OK\"}", "200"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "204"),
    ] {
        assert_eq!(said_of_answer(answer).await, said, "{answer:?}");
    }
    assert_eq!(said_of(|_| async { Ok(()) }).await.split_once(':').unwrap().0, "the connection broke");
}

/// Nothing of what follows an answer is taken for the answer to the next message.
#[tokio::test]
async fn more_than_the_stated_length_is_nobody_s_answer() {
    let receiver = Receiver::start(|mut line| async move {
        loop {
            line.request().await?;
            line.say("HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\nNO").await?;
            line.say(TAKEN).await?;
        }
    })
    .await;
    let (poster, url) = (poster(), receiver.url("http", "127.0.0.1"));
    for _ in 0..20 {
        assert_eq!(poster.send(prepared(&url)).await.result.unwrap().status, 503);
    }
}

/// The answer came before the message was read: it is the answer, or the connection broke; never anything else.
#[tokio::test]
async fn an_answer_may_come_before_the_message_is_read() {
    let receiver = Receiver::start(|mut line| async move {
        line.say("HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await?;
        line.hold().await
    })
    .await;
    let body = random_hex(1 << 20).into();
    let large = Prepared { body, ..prepared(&receiver.url("http", "127.0.0.1")) };
    match poster().send(large).await.result {
        Ok(answer) => assert_eq!(answer.status, 413),
        Err(problem) => assert!(matches!(problem, Problem::Broken(_)), "{problem}"),
    }
}

#[tokio::test]
async fn nobody_there_is_said() {
    let receiver = Receiver::start(|_| async { Ok(()) }).await;
    let url = receiver.url("http", "127.0.0.1");
    drop(receiver);
    // The listener goes when its task has ended.
    while tokio::net::TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/')).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(told(&url, Bounds::default().time).await, "cannot connect: connection refused");
}

#[tokio::test]
async fn what_is_wrong_with_tls_is_named() {
    let authority = Authority::new("CA");
    let trusting = Tls { ca_certificate: authority.certificate.clone(), ..Tls::default() };
    let said = async |own: &Leaf| {
        let receiver = tls::receiver(own, None).await;
        let poster = poster().of_webhook("w", &trusting).unwrap();
        let sent = poster.send(prepared(&receiver.url("https", "127.0.0.1"))).await;
        sent.result.map_or_else(|problem| problem.to_string(), |answer| answer.status.to_string())
    };
    let names = ["127.0.0.1"];
    assert_eq!(said(&authority.server(&names)).await, "200");
    assert_eq!(said(&authority.expired(&names)).await, "TLS: the certificate has expired");
    assert_eq!(said(&authority.server(&["other.example.com"])).await, "TLS: the certificate is for another name");
    assert_eq!(said(&authority.client("not a server")).await, "TLS: the certificate is not trusted");
    assert_eq!(said(&tls::self_signed(&names)).await, "TLS: the certificate is not trusted");

    let receiver = tls::receiver(&tls::self_signed(&names), None).await;
    let long = Bounds::default().time;
    assert_eq!(told(&receiver.url("https", "127.0.0.1"), long).await, "TLS: the certificate is not trusted");
    // It answers with an alert, which is no HTTP.
    assert_eq!(told(&receiver.url("http", "127.0.0.1"), long).await, "the answer is broken: it is not HTTP");
}

#[tokio::test]
async fn tls_with_what_speaks_none_ends_too() {
    let plain = async |play: &'static str| {
        let receiver = Receiver::start(move |mut line| async move {
            line.say(play).await?;
            line.hold().await
        })
        .await;
        told(&receiver.url("https", "127.0.0.1"), Bounds::default().time).await
    };
    assert_eq!(plain("HTTP/1.1 400 Bad Request\r\n\r\n").await, "TLS: the receiver does not speak TLS at this port");
    assert_eq!(plain("SSH-2.0-OpenSSH_9.9\r\n").await, "TLS: the receiver does not speak TLS at this port");
    let closing = Receiver::start(|mut line| async move { line.say("").await }).await;
    let said = told(&closing.url("https", "127.0.0.1"), Bounds::default().time).await;
    assert!(
        said == "TLS: the connection was closed during the handshake" || said.contains("connection reset"),
        "{said}"
    );
    let silent = Receiver::start(|mut line| async move { line.hold().await }).await;
    assert_eq!(told(&silent.url("https", "127.0.0.1"), SHORT).await, NO_ANSWER);
}

#[tokio::test]
async fn a_request_that_no_connection_took_was_not_sent() {
    let (wire, receiver) = tokio::io::duplex(1024);
    let wire = hyper_util::rt::TokioIo::new(wire);
    let (mut sender, connection) = hyper::client::conn::http1::handshake::<_, String>(wire).await.unwrap();
    drop(receiver);
    let _ = connection.await;
    let error = sender.send_request(hyper::Request::new(String::new())).await.unwrap_err();
    let told = Problem::Broken("it ended before the message was sent".into());
    assert_eq!(innermost(&error, false).unwrap(), told);
}
