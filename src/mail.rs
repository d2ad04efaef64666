//! E-mail over SMTP, when the settings say where to.

use crate::config::MailConfig;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use secrecy::ExposeSecret;
use std::time::Duration;

/// For one mail, from connecting to the server's last answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A text in plain English.
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// What is wrong with the settings; the URL, which may hold a password, is not shown.
pub fn check(config: &MailConfig) -> Result<(), String> {
    if !config.is_on() {
        return Ok(());
    }
    from(config)?;
    let url = config.url.expose_secret();
    if !url.starts_with("smtp://") && !url.starts_with("smtps://") {
        return Err("mail.url must begin with smtp:// or smtps://".into());
    }
    AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
        .map(|_| ())
        .map_err(|_| "mail.url is no address of an SMTP server".into())
}

fn from(config: &MailConfig) -> Result<Mailbox, String> {
    config.from.parse().map_err(|_| "mail.from must be an e-mail address, such as Reachwire <reach@example.com>".into())
}

/// Sends one mail; why it could not be sent, for people.
pub async fn send(config: &MailConfig, mail: Mail) -> Result<(), String> {
    let to: Mailbox = mail.to.parse().map_err(|_| format!("{} is no address that mail can be sent to", mail.to))?;
    let message = Message::builder()
        .from(from(config)?)
        .to(to)
        .subject(mail.subject)
        .header(ContentType::TEXT_PLAIN)
        .body(mail.text)
        .map_err(|error| error.to_string())?;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.url.expose_secret())
        .map_err(|_| "mail.url is no address of an SMTP server".to_string())?
        .timeout(Some(TIMEOUT))
        .build();
    let sent = tokio::time::timeout(TIMEOUT, transport.send(message)).await;
    let problem = match sent {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the mail server did not answer within {} s", TIMEOUT.as_secs()),
    };
    tracing::warn!(problem, "a mail could not be sent");
    Err(problem)
}

#[cfg(test)]
pub mod testing;

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, from: &str) -> MailConfig {
        MailConfig { url: url.into(), from: from.into() }
    }

    #[test]
    fn settings_are_checked_without_showing_the_password() {
        assert!(check(&config("", "")).is_ok());
        assert!(check(&config("smtps://me:hidden@mail.example.com", "Reachwire <reach@example.com>")).is_ok());
        assert!(check(&config("smtp://127.0.0.1:25", "reach@example.com")).is_ok());
        for (url, from) in [("http://me:hidden@x", "a@b.c"), ("smtps://me:hidden@", "a@b.c"), ("smtp://x", "nobody")] {
            let said = check(&config(url, from)).unwrap_err();
            assert!(!said.contains("hidden"), "{said}");
        }
    }

    #[tokio::test]
    async fn a_mail_comes_as_it_was_written_and_a_refusal_is_told() {
        let sink = testing::Sink::start().await;
        let mail = |to: &str| Mail { to: to.into(), subject: "Héllo".into(), text: "Line one\n\nLine two".into() };
        let settings = config(&sink.url, "Reachwire <reach@example.com>");
        send(&settings, mail("ada@example.com")).await.unwrap();
        let got = sink.mails();
        assert_eq!(got.len(), 1);
        assert!(got[0].contains("Line one\r\n\r\nLine two") && got[0].contains("To: ada@example.com"), "{}", got[0]);
        let said = send(&settings, mail("refused@example.com")).await.unwrap_err();
        assert!(said.contains("550"), "{said}");
        assert!(send(&settings, mail("no address")).await.is_err());
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let gone = config(&format!("smtp://{nobody}"), "reach@example.com");
        assert!(send(&gone, mail("ada@example.com")).await.is_err());
        assert_eq!(sink.mails().len(), 1);
    }
}
