//! Settings: defaults < `reachwire.toml` < `REACHWIRE_*` < flags. `reachwire.toml.example` lists every one, and is
//! itself the source of the defaults.

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};

const DEFAULTS: &str = include_str!("../reachwire.toml.example");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    pub public_url: String,
    pub data: PathBuf,
    pub database: secrecy::SecretString,
    pub database_connections: u32,
    pub secret: secrecy::SecretString,
    pub log_format: LogFormat,
    pub upload_limit: u64,
    pub trusted_proxies: Vec<ipnet::IpNet>,
    pub engine: EngineConfig,
    pub receipts: ReceiptConfig,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineConfig {
    pub posts_at_once: usize,
    pub lease_ms: i64,
    pub tries: i64,
    pub retry_first_ms: i64,
    pub retry_longest_ms: i64,
    pub allow_networks: Vec<ipnet::IpNet>,
    pub proxy: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptConfig {
    pub tolerance_seconds: i64,
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
        let config: Self = Figment::from(Toml::string(DEFAULTS))
            .merge(Toml::file("reachwire.toml"))
            .merge(Env::prefixed("REACHWIRE_").split("__"))
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| format!("settings: {error}"))?;
        config.check()?;
        Ok(config)
    }

    /// Defaults alone, for tests.
    pub fn defaults() -> Self {
        Figment::from(Toml::string(DEFAULTS))
            .extract()
            .unwrap_or_else(|error| panic!("reachwire.toml.example: {error}"))
    }

    fn check(&self) -> Result<(), String> {
        if self.engine.lease_ms <= 12_000 {
            return Err("settings: engine.lease_ms must be above 12000, longer than a POST may take".into());
        }
        if self.engine.posts_at_once == 0 || self.engine.tries < 1 {
            return Err("settings: engine.posts_at_once and engine.tries must be at least 1".into());
        }
        let schemes = ["http://", "https://"];
        if !self.public_url.is_empty() && !schemes.iter().any(|scheme| self.public_url.starts_with(scheme)) {
            return Err("settings: public_url must begin with http:// or https://".into());
        }
        Ok(())
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
mod tests {
    use super::*;

    #[test]
    fn the_example_file_holds_every_default() {
        let config = Config::defaults();
        assert_eq!(config.public_url(), "http://127.0.0.1:3000");
        assert!(!config.behind_https());
        config.check().unwrap();
    }

    #[test]
    fn a_lease_shorter_than_a_post_is_refused() {
        let mut config = Config::defaults();
        config.engine.lease_ms = 10_000;
        assert!(config.check().unwrap_err().contains("lease_ms"));
    }
}
