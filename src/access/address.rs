//! Whose address a request comes from, also behind a reverse proxy.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The peer, unless it is one of our proxies: then the right-most address of `X-Forwarded-For` that is none of them.
/// What stands to the left of it anybody may have written.
pub fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let ours = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut nearest = peer.to_canonical();
    let forwarded: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    for hop in forwarded.iter().flat_map(|value| value.split(',')).rev() {
        if !ours(&nearest) {
            break;
        }
        // What a proxy of ours cannot tell stays with the proxy.
        let Some(address) = parse(hop.trim()) else { break };
        nearest = address;
    }
    nearest
}

/// An address, as proxies write it: with a port or without, IPv6 in brackets or not.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// What tries are counted by: one IPv6 network of 64 bits is one household.
pub fn household(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|network| network.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_our_proxies_are_believed() {
        let ours = ["127.0.0.1/32", "10.0.0.0/8"];
        assert_eq!(seen("127.0.0.1", &["9.9.9.9"], &[]), "127.0.0.1", "nobody is trusted by default");
        assert_eq!(seen("8.8.8.8", &["9.9.9.9"], &ours), "8.8.8.8", "a stranger writes what he likes");
        assert_eq!(seen("127.0.0.1", &["9.9.9.9"], &ours), "9.9.9.9");
        assert_eq!(seen("127.0.0.1", &["1.1.1.1, 9.9.9.9, 10.2.3.4"], &ours), "9.9.9.9");
        assert_eq!(seen("127.0.0.1", &["1.1.1.1", "9.9.9.9:4711"], &ours), "9.9.9.9");
        assert_eq!(seen("::ffff:127.0.0.1", &["[2001:db8::7]:80"], &ours), "2001:db8::7");
        assert_eq!(seen("127.0.0.1", &["9.9.9.9, unknown"], &ours), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &["10.1.1.1"], &ours), "10.1.1.1");
        assert_eq!(seen("127.0.0.1", &[], &ours), "127.0.0.1");
    }

    #[test]
    fn a_network_of_one_household_counts_as_one() {
        let household = |text: &str| household(text.parse().unwrap());
        assert_eq!(household("2001:db8:1:2:3:4:5:6"), household("2001:db8:1:2::9"));
        assert_ne!(household("2001:db8:1:2::9"), household("2001:db8:1:3::9"));
        assert_eq!(household("9.9.9.9"), "9.9.9.9");
    }
}
