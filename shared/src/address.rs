//! Addresses that people give us to call: where they lead, judged before anything is sent. A component cannot resolve names,
//! so those that resolve to private addresses are for the network to block.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Where a URL leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To a host of the world.
    Public,
    /// To the machine itself.
    Loopback,
    /// Into a network of ours, or nowhere.
    Private,
}

/// Where `url` leads. Numbers in every spelling are one to the parser of URLs (`0x7f000001`, `127.1`).
pub fn reach(url: &Url) -> Reach {
    match url.host() {
        Some(Host::Ipv4(ip)) if ip.is_loopback() => Reach::Loopback,
        Some(Host::Ipv6(ip)) if ip.is_loopback() => Reach::Loopback,
        Some(Host::Domain(name)) if is_local_name(name) => Reach::Loopback,
        Some(Host::Ipv4(ip)) if is_public_v4(ip) => Reach::Public,
        Some(Host::Ipv6(ip)) if is_public_v6(ip) => Reach::Public,
        Some(Host::Domain(name)) if is_public_name(name) => Reach::Public,
        _ => Reach::Private,
    }
}

/// Whether `url` may be called: `https` to a public host, or either to loopback where that is admitted.
pub fn may_call(url: &Url, admits_loopback: bool) -> bool {
    match (reach(url), url.scheme()) {
        (Reach::Public, "https") => true,
        (Reach::Loopback, "http" | "https") => admits_loopback,
        _ => false,
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Names of private networks, and those Spin gives to components, are not public.
fn is_public_name(name: &str) -> bool {
    const PRIVATE: [&str; 7] = ["internal", "local", "localdomain", "lan", "home.arpa", "corp", "intranet"];
    let name = name.trim_end_matches('.');
    let ends = |end: &str| name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.contains('.') && !PRIVATE.into_iter().any(ends)
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_reserved = match (a, b, c) {
        (0 | 240.., ..) => true,
        // Carrier-grade NAT, protocol assignments, relays of 6to4, benchmarks.
        (100, 64..128, _) | (192, 0, 0) | (192, 88, 99) | (198, 18 | 19, _) => true,
        _ => ip.is_private() || ip.is_link_local() || ip.is_multicast() || ip.is_documentation(),
    };
    !is_reserved && !ip.is_loopback()
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // Only 2000::/3 is handed out. What holds an IPv4 address (mapped, NAT64, 6to4, Teredo) is outside of it or refused.
    let [a, b, ..] = ip.segments();
    let is_refused = matches!((a, b), (0x2002, _) | (0x2001, 0 | 0xdb8) | (0x3fff, 0..0x1000));
    a & 0xe000 == 0x2000 && !is_refused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach_of(text: &str) -> Reach {
        reach(&Url::parse(text).unwrap())
    }

    #[test]
    fn the_world_is_public() {
        for url in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://web.push.apple.com/abc",
            "https://push.example.com:8443/",
            "https://push.example.com./",
            "https://8.8.8.8/",
            "https://172.15.0.1/",
            "https://[2606:4700::1111]/",
            "https://corp.example.com/",
            "https://not.thelocal/",
        ] {
            assert_eq!(reach_of(url), Reach::Public, "{url}");
            assert!(may_call(&Url::parse(url).unwrap(), false), "{url}");
        }
        assert!(!may_call(&Url::parse("http://push.example.com/").unwrap(), true));
        assert!(!may_call(&Url::parse("ftp://push.example.com/").unwrap(), true));
    }

    #[test]
    fn loopback_is_told_apart_in_every_spelling() {
        for url in [
            "http://127.0.0.1:9000/",
            "http://127.1/",
            "http://127.255.255.254/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://①②⑦.0.0.1/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://any.localhost/",
        ] {
            assert_eq!(reach_of(url), Reach::Loopback, "{url}");
            assert!(may_call(&Url::parse(url).unwrap(), true), "{url}");
            assert!(!may_call(&Url::parse(url).unwrap(), false), "{url}");
        }
    }

    #[test]
    fn nothing_leads_inside() {
        for url in [
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://172.31.255.255/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://0xa9fea9fe/",
            "https://2852039166/",
            "https://100.64.0.1/",
            "https://198.18.0.1/",
            "https://192.0.0.1/",
            "https://192.0.2.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://0.0.0.0/",
            "https://0/",
            "https://[::]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[ff02::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://[2001:0:1::]/",
            "https://[2001:db8::1]/",
            "https://metadata.google.internal/",
            "https://users.spin.internal/",
            "https://users.spin.internal./",
            "https://printer.local/",
            "https://printer/",
            "https://nas.lan/",
            "https://nas.home.arpa/",
        ] {
            assert_eq!(reach_of(url), Reach::Private, "{url}");
            assert!(!may_call(&Url::parse(url).unwrap(), true), "{url}");
        }
    }
}
