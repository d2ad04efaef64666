//! What the guard lets through.

use super::*;
use crate::delivery::{
    post::Poster,
    testing::{
        config,
        hostile::{Line, Receiver, prepared},
    },
    verdict::Problem,
};
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is no URL goes nowhere.
fn check(guard: &Guard, url: &str) -> Result<(), Blocked> {
    Url::parse(url).map_or(Ok(()), |url| guard.check_url(&url))
}

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
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.88.99.2",
        "192.175.48.6",
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
        "100:0:0:1::1",
        "0:0:0:0:0:0:8.8.8.8",
        "::808:808",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:1::1",
        "2001:1::2",
        "2001:1::3",
        "2001:3::1",
        "2001:4:112::1",
        "2001:20::1",
        "2001:30::1",
        "2620:4f:8000::1",
        "2a00:1450::5efe:10.0.0.1",
        "2a00:1450::200:5efe:192.168.1.1",
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
        "2a00:1450::5efe:8.8.8.8",
        "2620:4f:8001::1",
        "2001:db9::1",
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
        assert_eq!(check(&guard, url).is_ok(), allowed, "{url}");
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
        "http://127.000.000.001/",
        "http://0x7F.0.0x1/",
        "http://017700000001/",
        "http://1.0.0.127@127.0.0.1/",
        "http://%31%32%37.0.0.1/",
        "http://１２７.０.０.１/",
        "http://127。0。0。1/",
        "http://0/",
        "http://[0:0:0:0:0:ffff:7f00:0001]/",
        "http://[::127.0.0.1]/",
        "http://[2002:7f00:1::]/",
        "http:\\\\127.0.0.1\\",
        "http:/127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
    ] {
        assert!(check(&guard, url).is_err(), "{url}");
    }
    assert_eq!(check(&guard, "https://crm.example.com/"), Ok(()));
}

/// A zone id names a link of this machine: no URL may have one.
#[test]
fn zone_ids_are_no_hosts() {
    for url in ["http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1%251]/"] {
        assert!(reqwest::Url::parse(url).is_err(), "{url}");
    }
}

#[test]
fn ports_of_what_is_no_http_are_refused_whatever_the_host() {
    let guard = Guard::new(&["127.0.0.0/8".parse().unwrap()]);
    for port in [22, 25, 6379, 11211] {
        for host in ["127.0.0.1", "8.8.8.8", "[2606:4700:4700::1111]", "crm.example.com"] {
            for scheme in ["http", "https"] {
                let url = format!("{scheme}://{host}:{port}/");
                assert_eq!(check(&guard, &url), Err(Blocked::Port(port)), "{url}");
            }
        }
    }
    for url in ["http://127.0.0.1", "https://127.0.0.1", "http://127.0.0.1:8080", "https://crm.example.com:8443/x"] {
        assert_eq!(check(&guard, url), Ok(()), "{url}");
    }
    assert_eq!(Blocked::Port(25).to_string(), "port 25 is not for HTTP");
    assert!(NO_HTTP.is_sorted(), "it is searched by halves");
}

/// A resolver that gives one answer after the other, and how often it was asked.
fn scripted(answers: &[&[&str]]) -> (Lookup, Arc<AtomicUsize>) {
    let answers: Vec<Vec<IpAddr>> =
        answers.iter().map(|answer| answer.iter().map(|address| address.parse().unwrap()).collect()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        let turn = counted.fetch_add(1, Ordering::SeqCst);
        let answer = answers.get(turn).cloned().ok_or_else(|| io::Error::other("asked too often"));
        Box::pin(async move { answer })
    });
    (lookup, asked)
}

fn loopback() -> IpNet {
    "127.0.0.0/8".parse().unwrap()
}

async fn resolved(answer: &[&str]) -> Result<Vec<IpAddr>, String> {
    let (lookup, _) = scripted(&[answer]);
    let guard = Guard::with_lookup(&[loopback()], lookup, LOOKUP_LIMIT);
    guard.vetted("crm.example.com").await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn one_private_address_refuses_the_name() {
    let all = ["8.8.8.8", "2606:4700:4700::1111", "127.0.0.1"];
    assert_eq!(resolved(&all).await.unwrap().len(), 3);
    for private in ["10.0.0.1", "::1", "::ffff:169.254.169.254", "fe80::1", "64:ff9b::a00:1"] {
        for answer in [vec![private, "8.8.8.8"], vec!["8.8.8.8", private], vec![private]] {
            let refused = resolved(&answer).await.unwrap_err();
            assert!(refused.starts_with("crm.example.com is not on the public internet"), "{refused}");
            assert!(!refused.contains(private), "it tells what is behind: {refused}");
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_said_to() {
    assert_eq!(resolved(&[]).await.unwrap_err(), "its name cannot be resolved");
    let unknown: Lookup = Arc::new(|_| Box::pin(async { Err(io::Error::other("server 10.0.0.53 said NXDOMAIN")) }));
    let never: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
    for (lookup, told) in [
        (unknown, "cannot connect: its name cannot be resolved"),
        (never, "cannot connect: its name was not resolved within 0 s"),
    ] {
        let guard = Guard::with_lookup(&[], lookup, Duration::from_millis(20));
        let poster = Poster::guarded(&config().engine, guard).unwrap();
        let sent = poster.send(prepared("https://gone.example/")).await;
        assert_eq!(sent.result.unwrap_err().to_string(), told);
    }
}

/// What answers first is what is called: a name that leads elsewhere a moment later is not asked again, and the next
/// connection is vetted anew.
#[tokio::test]
async fn a_name_that_moves_after_the_check_moves_nothing() {
    let receiver = Receiver::start(|mut line: Line| async move {
        line.request().await?;
        line.say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nOK").await
    })
    .await;
    let (lookup, asked) = scripted(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let poster = Poster::guarded(&config().engine, Guard::with_lookup(&[loopback()], lookup, LOOKUP_LIMIT)).unwrap();
    let url = format!("http://moving.example:{}/", receiver.port);
    let first = poster.send(prepared(&url)).await.result.unwrap();
    assert_eq!((first.status, asked.load(Ordering::SeqCst), receiver.connections()), (200, 1, 1));
    let second = poster.send(prepared(&url)).await.result.unwrap_err();
    assert!(matches!(&second, Problem::Refused(why) if why.contains("not on the public internet")), "{second}");
    assert_eq!((asked.load(Ordering::SeqCst), receiver.connections()), (2, 1));
}

proptest! {
    #[test]
    fn a_name_is_good_only_if_all_its_addresses_are(bits: Vec<u128>, v4: Vec<u32>) {
        let all: Vec<IpAddr> = bits.into_iter().map(|bits| IpAddr::from(Ipv6Addr::from(bits)))
            .chain(v4.into_iter().map(|bits| IpAddr::from(Ipv4Addr::from(bits)))).collect();
        let given = all.clone();
        let lookup: Lookup = Arc::new(move |_| { let given = given.clone(); Box::pin(async move { Ok(given) }) });
        let guard = Guard::with_lookup(&[], lookup, LOOKUP_LIMIT);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let vetted = runtime.block_on(guard.vetted("many.example")).ok();
        let expected = (!all.is_empty() && all.iter().all(|address| is_public(*address))).then_some(all);
        prop_assert_eq!(vetted, expected);
    }

    #[test]
    fn a_tunnel_to_a_private_address_is_private(prefix in 0x2003u16..0x2600, bits: u32, local: bool) {
        let inner = Ipv4Addr::from(bits);
        let [a, b, c, d] = inner.octets().map(u16::from);
        let kind = if local { 0x200 } else { 0 };
        let address = Ipv6Addr::new(prefix, 1, 2, 3, kind, 0x5efe, a << 8 | b, c << 8 | d);
        prop_assert_eq!(is_public(address.into()), is_public(inner.into()));
    }

    #[test]
    fn a_port_is_refused_by_itself(port: u16) {
        let url = format!("http://8.8.8.8:{port}/");
        prop_assert_eq!(check(&Guard::default(), &url).is_err(), NO_HTTP.contains(&port));
    }

    #[test]
    fn every_way_to_write_an_ipv4_address_is_judged_alike(bits: u32) {
        let address = Ipv4Addr::from(bits);
        let [a, b, c, d] = address.octets().map(u16::from);
        let expected = is_public(address.into());
        prop_assert_eq!(is_public(address.to_ipv6_mapped().into()), expected);
        prop_assert_eq!(is_public(Ipv6Addr::new(0x2002, a << 8 | b, c << 8 | d, 0, 0, 0, 0, 1).into()), expected);
        prop_assert_eq!(is_public(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a << 8 | b, c << 8 | d).into()), expected);
        prop_assert_eq!(check(&Guard::default(), &format!("http://{bits}/")).is_ok(), expected);
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
