//! Settings: defaults < `reachwire.toml` < `REACHWIRE_*` < flags. `reachwire.toml.example` lists every one, and is
//! itself the source of the defaults.

mod nodes;

pub use nodes::{NodeConfig, RoleFlags, Roles};

use crate::clock::{DAY, HOUR, Millis, SECOND};
use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
    value::Value,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::{net::SocketAddr, path::PathBuf};

const DEFAULTS: &str = include_str!("../reachwire.toml.example");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    pub public_url: String,
    pub data: PathBuf,
    #[serde(deserialize_with = "secret")]
    pub database: SecretString,
    pub database_connections: u32,
    #[serde(deserialize_with = "secret")]
    pub secret: SecretString,
    pub log_format: LogFormat,
    pub upload_limit: u64,
    pub trusted_proxies: Vec<ipnet::IpNet>,
    pub public_guide: bool,
    pub roles: Roles,
    pub nodes: NodeConfig,
    pub sessions: SessionConfig,
    pub engine: EngineConfig,
    pub receipts: ReceiptConfig,
    pub mail: MailConfig,
    pub otlp: OtlpConfig,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionConfig {
    pub idle_hours: i64,
    pub days: i64,
}

impl SessionConfig {
    /// How long a session lasts without a request.
    pub fn idle(&self) -> Millis {
        self.idle_hours * HOUR
    }

    /// How long a session lasts at most.
    pub fn longest(&self) -> Millis {
        self.days * DAY
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineConfig {
    pub posts_at_once: usize,
    pub lease_ms: i64,
    pub tries: i64,
    pub retry_first_ms: i64,
    pub retry_longest_ms: i64,
    pub misfire_minutes: i64,
    pub give_up_hours: i64,
    pub ready_due_seconds: i64,
    pub allow_networks: Vec<ipnet::IpNet>,
    pub proxy: String,
    pub breaker: BreakerConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakerConfig {
    pub window_seconds: i64,
    pub least_batches: i64,
    pub failed_share: f64,
    pub open_first_seconds: i64,
    pub open_longest_seconds: i64,
    pub disable_after: i64,
}

impl BreakerConfig {
    fn check(&self) -> Result<(), String> {
        const DAY_SECONDS: i64 = DAY / SECOND;
        let within = |name: &str, value: i64, least: i64, most: i64| match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(format!("settings: engine.breaker.{name} must be {least} to {most}")),
        };
        within("window_seconds", self.window_seconds, 1, DAY_SECONDS)?;
        within("least_batches", self.least_batches, 1, 1_000_000)?;
        within("open_first_seconds", self.open_first_seconds, 1, DAY_SECONDS)?;
        within("open_longest_seconds", self.open_longest_seconds, self.open_first_seconds, DAY_SECONDS)?;
        within("disable_after", self.disable_after, 1, 1_000_000)?;
        if self.failed_share > 0.0 && self.failed_share <= 1.0 {
            Ok(())
        } else {
            Err("settings: engine.breaker.failed_share must be more than 0 and at most 1".into())
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptConfig {
    pub tolerance_seconds: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    #[serde(deserialize_with = "secret")]
    pub url: SecretString,
    pub from: String,
}

impl MailConfig {
    /// Whether mail is sent at all.
    pub fn is_on(&self) -> bool {
        !self.url.expose_secret().is_empty()
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtlpConfig {
    pub endpoint: String,
    #[serde(deserialize_with = "secret")]
    pub headers: SecretString,
    pub sample_share: f64,
}

/// The usual error would show what was given.
fn secret<'de, D: Deserializer<'de>>(value: D) -> Result<SecretString, D::Error> {
    let text = String::deserialize(value).map_err(|_| D::Error::custom("this setting must be text, in quotes"))?;
    Ok(text.into())
}

/// A year.
const MISFIRE_MOST: i64 = 365 * 24 * 60;
/// Variables that are the scripts' and the crash tests' ([`crate::steps`]), and no settings.
const NOT_SETTINGS: &[&str] = if cfg!(debug_assertions) { &["tools", "crash_at"] } else { &["tools"] };
/// Settings that are text also when they look like a number.
const TEXTS: [&str; 10] = [
    "secret",
    "database",
    "data",
    "public_url",
    "mail.url",
    "mail.from",
    "otlp.endpoint",
    "otlp.headers",
    "nodes.name",
    "nodes.direct_url",
];

/// The settings among the variables: `REACHWIRE_ENGINE__POSTS_AT_ONCE` is `engine.posts_at_once`.
fn settings(variables: impl Iterator<Item = (String, String)>) -> impl Iterator<Item = (String, Value)> {
    variables.filter_map(|(name, text)| {
        let key = name.strip_prefix("REACHWIRE_")?.to_lowercase().replace("__", ".");
        if NOT_SETTINGS.contains(&key.as_str()) {
            return None;
        }
        let plain = if TEXTS.contains(&key.as_str()) { Value::from(text.as_str()) } else { text.parse().ok()? };
        Some((key, plain))
    })
}

/// What the command line may set; absent ones leave the setting alone.
#[derive(Clone, Debug, Default, Serialize, clap::Args)]
pub struct Flags {
    /// Address to listen on.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Folder of the SQLite database, the uploads and secret.key.
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// PostgreSQL instead of SQLite: postgres://user:password@host/name
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
}

impl Config {
    pub fn load(flags: &Flags) -> Result<Self, String> {
        // A variable that is not text is none of ours.
        let variables =
            std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        Self::read(Figment::from(Toml::string(DEFAULTS)).merge(Toml::file("reachwire.toml")), variables, flags)
    }

    fn read(file: Figment, variables: impl Iterator<Item = (String, String)>, flags: &Flags) -> Result<Self, String> {
        let figment = settings(variables).fold(file, |file, (key, value)| file.merge(Serialized::default(&key, value)));
        let config: Self =
            figment.merge(Serialized::defaults(flags)).extract().map_err(|error| format!("settings: {error}"))?;
        config.check()?;
        Ok(config)
    }

    /// With the roles that the command line says, if it says any.
    pub fn serving(mut self, flags: RoleFlags) -> Result<Self, String> {
        self.roles = flags.roles().unwrap_or(self.roles);
        self.check()?;
        Ok(self)
    }

    /// Defaults alone, for tests.
    pub fn defaults() -> Self {
        Figment::from(Toml::string(DEFAULTS))
            .extract()
            .unwrap_or_else(|error| panic!("reachwire.toml.example: {error}"))
    }

    fn check(&self) -> Result<(), String> {
        if self.engine.lease_ms < 25_000 {
            return Err(
                "settings: engine.lease_ms must be at least 25000: a batch may wait for a POST of 10 s before \
                        its own, and its result is yet to be recorded"
                    .into(),
            );
        }
        if self.engine.posts_at_once == 0 || self.engine.tries < 1 {
            return Err("settings: engine.posts_at_once and engine.tries must be at least 1".into());
        }
        if !(1..=MISFIRE_MOST).contains(&self.engine.misfire_minutes) {
            return Err(format!("settings: engine.misfire_minutes must be 1 to {MISFIRE_MOST}"));
        }
        if !(1..=8_760).contains(&self.engine.give_up_hours) {
            return Err("settings: engine.give_up_hours must be 1 to 8760".into());
        }
        if !(10..=86_400).contains(&self.engine.ready_due_seconds) {
            return Err("settings: engine.ready_due_seconds must be 10 to 86400".into());
        }
        self.engine.breaker.check()?;
        if self.database.expose_secret().is_empty() && self.roles != Roles::ALL {
            return Err(
                "settings: roles: one process does everything on SQLite; to share the work among several, give \
                        them a PostgreSQL (database)"
                    .into(),
            );
        }
        if self.nodes.name.chars().count() > 100 {
            return Err("settings: nodes.name must be at most 100 characters".into());
        }
        if !(1..=365).contains(&self.sessions.days)
            || !(1..=self.sessions.days * 24).contains(&self.sessions.idle_hours)
        {
            return Err(
                "settings: sessions.days must be 1 to 365, and sessions.idle_hours at least 1 and no longer than that"
                    .into(),
            );
        }
        let schemes = ["http://", "https://"];
        if !self.public_url.is_empty() && !schemes.iter().any(|scheme| self.public_url.starts_with(scheme)) {
            return Err("settings: public_url must begin with http:// or https://".into());
        }
        let rest = crate::mail::check(&self.mail).and_then(|()| crate::traces::check(&self.otlp));
        rest.map_err(|error| format!("settings: {error}"))
    }

    /// Without a slash at the end.
    pub fn public_url(&self) -> String {
        if self.public_url.is_empty() {
            format!("http://{}", self.listen)
        } else {
            self.public_url.trim_end_matches('/').to_string()
        }
    }

    /// Whether browsers come by https, so that cookies can be Secure.
    pub fn behind_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    pub fn uploads(&self) -> PathBuf {
        self.data.join("uploads")
    }
}

#[cfg(test)]
mod tests;
