//! What an answer means (PRODUCT, "Request to the customer's system"; seed 002, "Response parameters").

use super::{post::ANSWER_MAX, retry::retry_after};
use crate::clock::Millis;
use http::{HeaderMap, header::RETRY_AFTER};
use serde::Deserialize;

/// What came back, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// At most [`ANSWER_MAX`] bytes of a delivery's.
    pub body: Vec<u8>,
}

/// What the reason of a POST begins with that was not made ([`Problem::Refused`]).
pub const NOT_SENT: &str = "not sent: ";

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No answer's head, in so many seconds.
    #[error("timed out: no answer within {0} s")]
    TimedOut(u64),
    /// A head and not all of the body, in so many seconds.
    #[error("timed out: the answer did not end within {0} s")]
    Endless(u64),
    #[error("cannot connect: {0}")]
    Connect(String),
    #[error("TLS: {0}")]
    Tls(String),
    #[error("the connection broke: {0}")]
    Broken(String),
    /// More than the client keeps of it.
    #[error("the answer's head is too large")]
    HeadTooLarge,
    /// An answer came, and it is no HTTP.
    #[error("the answer is broken: {0}")]
    Malformed(String),
    /// No POST was made, and trying again would not help.
    #[error("not sent: {0}")]
    Refused(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// For good: the receiver's refusal, or an answer that a retry would not change.
    Failed(String),
    /// Worth another try, not before this many ms when the receiver says so.
    Retry(String, Option<Millis>),
}

/// The receiver's refusal is shown in lists and counted by its text.
const REASON_MAX: usize = 200;

/// `{"code":"OK","message":""}`; a code that is a number is read as its digits.
#[derive(Deserialize)]
struct Reply {
    code: serde_json::Value,
    #[serde(default)]
    message: serde_json::Value,
}

pub fn judge(result: &Result<Answer, Problem>, now: Millis) -> Verdict {
    match result {
        Ok(answer) => judge_answer(answer, now),
        // An answer that can't be read: the same again, as with a body that can't.
        Err(problem @ (Problem::Refused(_) | Problem::HeadTooLarge | Problem::Malformed(_))) => {
            Verdict::Failed(cut(&problem.to_string()))
        }
        Err(problem) => Verdict::Retry(cut(&problem.to_string()), None),
    }
}

fn judge_answer(answer: &Answer, now: Millis) -> Verdict {
    let status = answer.status;
    match status {
        200..=299 => judge_reply(&answer.body),
        408 | 429 | 500..=599 => {
            let asked = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            Verdict::Retry(format!("HTTP {status}"), asked.and_then(|value| retry_after(value, now)))
        }
        300..=399 => Verdict::Failed(format!("HTTP {status} (redirects are not followed)")),
        _ => Verdict::Failed(format!("HTTP {status}")),
    }
}

fn judge_reply(body: &[u8]) -> Verdict {
    let reply = serde_json::from_slice::<Reply>(body).ok();
    let Some((code, message)) = reply.and_then(|reply| Some((text(&reply.code)?, text(&reply.message)))) else {
        if body.len() >= ANSWER_MAX {
            return Verdict::Failed(format!("the answer is larger than {} KiB", ANSWER_MAX / 1024));
        }
        return Verdict::Failed("the answer is not JSON with a code".into());
    };
    if code == "OK" {
        return Verdict::Accepted;
    }
    Verdict::Failed(cut(format!("refused: {code} {}", message.unwrap_or_default()).trim_end()))
}

fn text(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// One line of at most [`REASON_MAX`] characters. Control characters (PostgreSQL has no NUL) become spaces.
fn cut(text: &str) -> String {
    text.chars().take(REASON_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Verdict {
        judge(&Ok(Answer { status, headers: HeaderMap::new(), body: body.into() }), 0)
    }

    fn failed(reason: &str) -> Verdict {
        Verdict::Failed(reason.into())
    }

    #[test]
    fn only_an_upper_case_ok_is_success() {
        assert_eq!(answer(200, r#"{"code":"OK"}"#), Verdict::Accepted);
        assert_eq!(answer(204, r#"{"code":"OK","message":null,"more":[1]}"#), Verdict::Accepted);
        assert_eq!(answer(200, r#"{"code":"ok"}"#), failed("refused: ok"));
        assert_eq!(answer(200, r#"{"code":200,"message":"Success"}"#), failed("refused: 200 Success"));
        assert_eq!(answer(200, r#"{"code":"BUDGET_EMPTY","message":"余额"}"#), failed("refused: BUDGET_EMPTY 余额"));
        for garbage in ["", "OK", "<html>", "[]", r#"{"message":"x"}"#, r#"{"code":null}"#, "\u{0}"] {
            assert_eq!(answer(200, garbage), failed("the answer is not JSON with a code"), "{garbage}");
        }
    }

    #[test]
    fn statuses_are_failures_or_worth_a_retry() {
        for retried in [408, 429, 500, 503, 599] {
            assert_eq!(answer(retried, ""), Verdict::Retry(format!("HTTP {retried}"), None));
        }
        assert_eq!(answer(404, r#"{"code":"OK"}"#), failed("HTTP 404"));
        assert_eq!(answer(302, ""), failed("HTTP 302 (redirects are not followed)"));
        let busy =
            Answer { status: 429, headers: [(RETRY_AFTER, "3".parse().unwrap())].into_iter().collect(), body: vec![] };
        assert_eq!(judge(&Ok(busy), 0), Verdict::Retry("HTTP 429".into(), Some(3_000)));
    }

    #[test]
    fn what_was_never_sent_is_not_tried_again() {
        assert_eq!(judge(&Err(Problem::Refused("x".into())), 0), failed(&format!("{NOT_SENT}x")));
        for retried in [
            Problem::TimedOut(10),
            Problem::Endless(10),
            Problem::Connect("x".into()),
            Problem::Tls("x".into()),
            Problem::Broken("x".into()),
        ] {
            assert_eq!(judge(&Err(retried.clone()), 0), Verdict::Retry(retried.to_string(), None));
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_asked_for_again() {
        for (read, told) in [
            (Problem::HeadTooLarge, "the answer's head is too large"),
            (Problem::Malformed("it is not HTTP".into()), "the answer is broken: it is not HTTP"),
        ] {
            assert_eq!(judge(&Err(read), 0), failed(told));
        }
        assert_eq!(answer(200, &" ".repeat(ANSWER_MAX)), failed("the answer is larger than 64 KiB"));
        assert_eq!(answer(503, &" ".repeat(ANSWER_MAX)), Verdict::Retry("HTTP 503".into(), None));
    }

    #[test]
    fn a_refusal_is_one_short_line() {
        let Verdict::Failed(reason) = answer(200, &format!(r#"{{"code":"X","message":"a\nb{}"}}"#, "文".repeat(500)))
        else {
            panic!("not refused")
        };
        assert!(reason.starts_with("refused: X a b文"));
        assert_eq!(reason.chars().count(), REASON_MAX);
    }
}
