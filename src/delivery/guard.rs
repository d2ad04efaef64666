//! No request to private addresses: what a name resolves to is vetted when the connection is made, and an address
//! that stands in the URL itself before (reqwest does not resolve those).

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// Why a request was not made. It does not say which address a name has: that is nobody's business.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is not on the public internet; an administrator can allow its network (engine.allow_networks)")]
pub struct Blocked {
    pub host: String,
}

/// The public internet and the networks that the configuration allows besides.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Arc<[IpNet]>,
}

/// Everything special in IANA's registry of IPv4 addresses, and multicast.
const SPECIAL_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 52, 193, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// The only range of IPv6 in which public hosts are, and what is special within it.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);
const SPECIAL_V6: [Ipv6Net; 3] = [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x3fff, 0, 20)];
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 96);

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

/// Whether an address is one of the public internet. An IPv6 address that stands for an IPv4 one (mapped, 6to4,
/// NAT64) is what that one is.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_public(IpAddr::V4(inner)),
            None => GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|net| net.contains(&address)),
        },
    }
}

fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [first, second, third, .., low, last] = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
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

impl Guard {
    pub fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.into() }
    }

    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|net| net.contains(&address))
    }

    /// Checks a URL whose host is an address or "localhost"; other names are vetted when they are resolved. A text
    /// that is no URL passes: the client refuses it.
    pub fn check_literal(&self, url: &str) -> Result<(), Blocked> {
        let Ok(url) = reqwest::Url::parse(url) else { return Ok(()) };
        let Some(host) = url.host_str() else { return Ok(()) };
        // The parser has brought 0x7f.1 and 2130706433 into dotted form.
        let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let address = match bare.parse() {
            Ok(address) => address,
            Err(_) if bare == "localhost" || bare.ends_with(".localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Err(_) => return Ok(()),
        };
        if self.allows(address) { Ok(()) } else { Err(Blocked { host: host.to_string() }) }
    }
}

/// For reqwest: one address that is not allowed refuses the name, so that none can hide behind a good one.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_string();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if !found.iter().all(|address| guard.allows(address.ip())) {
                return Err(Blocked { host }.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn public(address: &str) -> bool {
        is_public(address.parse().unwrap())
    }

    #[test]
    fn special_addresses_are_not_public() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "64:ff9b::10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(special), "{special}");
        }
    }

    #[test]
    fn public_addresses_are() {
        for good in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.0.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2001:200::1",
            "2606:4700:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(public(good), "{good}");
        }
    }

    #[test]
    fn an_allowed_network_lifts_its_range_alone() {
        let guard = Guard::new(&["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for (url, allowed) in [
            ("http://127.0.0.1:4000/x", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://localhost:4000", true),
            ("http://[fd00::1]/", true),
            ("http://10.0.0.1/", false),
            ("http://[::1]/", false),
        ] {
            assert_eq!(guard.check_literal(url).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn addresses_in_disguise_are_seen() {
        let guard = Guard::default();
        for url in [
            "http://127.0.0.1",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/x",
            "http://0177.0.0.1/",
            "http://[::1]:80/",
            "http://[::ffff:7f00:1]/",
            "http://LOCALHOST/",
            "http://a.localhost./",
            "http://127.0.0.1./",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(guard.check_literal(url).is_err(), "{url}");
        }
        assert_eq!(guard.check_literal("https://crm.example.com/"), Ok(()));
    }

    proptest! {
        #[test]
        fn every_way_to_write_an_ipv4_address_is_judged_alike(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let [a, b, c, d] = address.octets().map(u16::from);
            let expected = is_public(address.into());
            prop_assert_eq!(is_public(address.to_ipv6_mapped().into()), expected);
            prop_assert_eq!(is_public(Ipv6Addr::new(0x2002, a << 8 | b, c << 8 | d, 0, 0, 0, 0, 1).into()), expected);
            prop_assert_eq!(is_public(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a << 8 | b, c << 8 | d).into()), expected);
            prop_assert_eq!(Guard::default().check_literal(&format!("http://{bits}/")).is_ok(), expected);
        }

        #[test]
        fn what_the_standard_library_calls_private_is_never_public(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast()
                || v4.is_documentation() || v4.is_unspecified()
            {
                prop_assert!(!is_public(v4.into()));
            }
        }

        #[test]
        fn ipv6_outside_of_global_unicast_is_public_only_by_an_ipv4_address(bits: u128) {
            let v6 = Ipv6Addr::from(bits);
            if bits >> 125 != 1 {
                prop_assert_eq!(is_public(v6.into()), embedded(v6).is_some_and(|v4| is_public(v4.into())));
            }
        }
    }
}
