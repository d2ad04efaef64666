//! Which node of several this process is, and what it does.

use serde::Deserialize;
use std::net::SocketAddr;

/// What a process does: all of it, or a part when several share a PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Role>")]
pub struct Roles {
    /// Pages and what they ask for.
    pub web: bool,
    /// The engine's loops.
    pub worker: bool,
    /// Receipts.
    pub intake: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Web,
    Worker,
    Intake,
}

impl TryFrom<Vec<Role>> for Roles {
    type Error = &'static str;

    fn try_from(roles: Vec<Role>) -> Result<Self, Self::Error> {
        let has = |role| roles.contains(&role);
        let roles = Self { web: has(Role::Web), worker: has(Role::Worker), intake: has(Role::Intake) };
        if roles == Self::NONE { Err("name at least one of \"web\", \"worker\" and \"intake\"") } else { Ok(roles) }
    }
}

impl Roles {
    pub const ALL: Self = Self { web: true, worker: true, intake: true };
    const NONE: Self = Self { web: false, worker: false, intake: false };

    /// As the database keeps them and Overview shows them: "web, worker".
    pub fn text(self) -> String {
        let names = [(self.web, "web"), (self.worker, "worker"), (self.intake, "intake")];
        names.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// What the command line says of the roles; none: as the settings say.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct RoleFlags {
    /// Serve the pages; with no such flag everything is done.
    #[arg(long)]
    pub web: bool,
    /// Send.
    #[arg(long)]
    pub worker: bool,
    /// Take receipts.
    #[arg(long)]
    pub intake: bool,
}

impl RoleFlags {
    pub fn roles(self) -> Option<Roles> {
        let roles = Roles { web: self.web, worker: self.worker, intake: self.intake };
        (roles != Roles::NONE).then_some(roles)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    pub name: String,
    pub listen: bool,
    #[serde(deserialize_with = "super::secret")]
    pub direct_url: secrecy::SecretString,
}

impl NodeConfig {
    /// What Overview calls this node: no two have the same.
    pub fn name(&self, listen: SocketAddr) -> String {
        if self.name.is_empty() { format!("{}:{}", machine(), listen.port()) } else { self.name.clone() }
    }
}

fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).unwrap_or_else(|| "node".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_and_flags_choose_some() {
        assert_eq!(Roles::try_from(vec![Role::Intake, Role::Web]).unwrap().text(), "web, intake");
        assert!(Roles::try_from(vec![]).is_err());
        assert_eq!(RoleFlags::default().roles(), None);
        let worker = RoleFlags { worker: true, ..RoleFlags::default() }.roles().unwrap();
        assert_eq!((worker.text().as_str(), Roles::ALL.text().as_str()), ("worker", "web, worker, intake"));
    }

    #[test]
    fn a_node_is_called_as_the_settings_say_or_after_its_machine_and_port() {
        let listen = "0.0.0.0:3007".parse().unwrap();
        let named = |name: &str| NodeConfig { name: name.into(), listen: true, direct_url: String::new().into() };
        assert_eq!(named("north").name(listen), "north");
        let (machine, port) = (machine(), ":3007");
        assert!(!machine.is_empty());
        assert_eq!(named("").name(listen), format!("{machine}{port}"));
    }
}
