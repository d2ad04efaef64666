//! No request to private addresses, nor to ports of what is no HTTP: what a name resolves to is vetted when the
//! connection is made, and what stands in the URL itself (reqwest does not resolve addresses) before.

use futures::future::BoxFuture;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// For resolving one name: what remains of a POST's time is for the POST.
pub const LOOKUP_LIMIT: Duration = Duration::from_secs(5);

/// Why a request was not made. It does not say which address a name has: that is nobody's business.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// With the host as the URL has it.
    #[error("{0} is not on the public internet; an administrator can allow its network (engine.allow_networks)")]
    Private(String),
    #[error("port {0} is not for HTTP")]
    Port(u16),
}

/// Why a name led nowhere. Another try may find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    #[error("its name cannot be resolved")]
    Unknown,
    #[error("its name was not resolved within {0} s")]
    Slow(u64),
}

/// The addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// The public internet and the networks that the configuration allows besides.
#[derive(Clone)]
pub struct Guard {
    allowed: Arc<[IpNet]>,
    lookup: Lookup,
    patience: Duration,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self::new(&[])
    }
}

/// Everything in IANA's registry of special-purpose IPv4 addresses (as of 2026, those that are reachable for services
/// of the network itself included: no webhook is there), and multicast.
const SPECIAL_V4: [Ipv4Net; 18] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 31, 196, 0, 24),
    v4(192, 52, 193, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(192, 175, 48, 0, 24),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// The only range of IPv6 in which public hosts are, and what is special within it: IETF protocols (Teredo, ORCHID,
/// benchmarks, anycast), documentation twice, and AS112.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);
const SPECIAL_V6: [Ipv6Net; 4] =
    [v6(0x2001, 0, 0, 23), v6(0x2001, 0xdb8, 0, 32), v6(0x2620, 0x4f, 0x8000, 48), v6(0x3fff, 0, 0, 20)];
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

/// Ports of well-known services that are no HTTP: the list by which browsers block them (WHATWG Fetch, "Port
/// blocking"), and databases, queues and remote desktops, which it leaves out. In order.
const NO_HTTP: [u16; 96] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526, 530,
    531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 1883, 2049,
    3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5672, 5900, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 9042, 10080, 11211, 27017,
];

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// Whether an address is one of the public internet. An IPv6 address that stands for an IPv4 one (mapped, 6to4,
/// NAT64) is what that one is; one that leads through a tunnel to an IPv4 one (ISATAP) is public when both are. The
/// deprecated compatible form (`::a.b.c.d`) and Teredo never are.
pub fn is_public(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V4(address) => return !SPECIAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => address,
    };
    match embedded(address) {
        Some(inner) => is_public(IpAddr::V4(inner)),
        None => {
            GLOBAL_V6.contains(&address)
                && !SPECIAL_V6.iter().any(|net| net.contains(&address))
                && tunnelled(address).is_none_or(|inner| is_public(IpAddr::V4(inner)))
        }
    }
}

fn join(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [first, second, third, .., low, last] = address.segments();
    if let Some(mapped) = address.to_ipv4_mapped() {
        Some(mapped)
    } else if first == 0x2002 {
        Some(join(second, third))
    } else if NAT64.contains(&address) {
        Some(join(low, last))
    } else {
        None
    }
}

/// Where an ISATAP address leads (RFC 5214, 6.1): its interface's identifier holds the IPv4 address.
fn tunnelled(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [.., 0 | 0x200, 0x5efe, high, low] => Some(join(high, low)),
        _ => None,
    }
}

impl Guard {
    /// With the system's resolver.
    pub fn new(allowed: &[IpNet]) -> Self {
        let lookup: Lookup = Arc::new(|host| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((host, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        });
        Self::with_lookup(allowed, lookup, LOOKUP_LIMIT)
    }

    /// With another resolver, which has so long for each name.
    pub fn with_lookup(allowed: &[IpNet], lookup: Lookup, patience: Duration) -> Self {
        Self { allowed: allowed.into(), lookup, patience }
    }

    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|net| net.contains(&address))
    }

    /// Checks a URL's port, and its host when that is an address or "localhost"; other names are vetted when they are
    /// resolved.
    pub fn check_url(&self, url: &Url) -> Result<(), Blocked> {
        if let Some(port) = url.port_or_known_default().filter(|port| NO_HTTP.binary_search(port).is_ok()) {
            return Err(Blocked::Port(port));
        }
        let Some(host) = url.host_str() else { return Ok(()) };
        // The parser has brought 0x7f.1 and 2130706433 into dotted form, and refuses zone ids.
        let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let address = match bare.parse() {
            Ok(address) => address,
            Err(_) if bare == "localhost" || bare.ends_with(".localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Err(_) => return Ok(()),
        };
        if self.allows(address) { Ok(()) } else { Err(Blocked::Private(host.to_string())) }
    }

    /// The addresses of a name. One that is not allowed refuses the name, so that none can hide behind a good one.
    async fn vetted(&self, host: &str) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let lookup = tokio::time::timeout(self.patience, (self.lookup)(host.to_string())).await;
        let found = lookup.map_err(|_| Unresolved::Slow(self.patience.as_secs()))?.map_err(|error| {
            tracing::debug!(host, %error, "a name was not resolved");
            Unresolved::Unknown
        })?;
        if found.is_empty() {
            return Err(Unresolved::Unknown.into());
        }
        if !found.iter().all(|address| self.allows(*address)) {
            return Err(Blocked::Private(host.to_string()).into());
        }
        Ok(found)
    }
}

/// For reqwest, which connects to what this answers and resolves nothing again: what was vetted is what is called. It
/// takes the port from the URL.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.vetted(name.as_str()).await?;
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
