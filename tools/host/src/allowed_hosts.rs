//! `allowed_outbound_hosts`: where a component may send requests.
//!
//! Nothing is allowed unless it is listed. The grammar is Spin's: `scheme://host[:port]`, with `*` for the
//! scheme, the host, a subdomain or the port, a CIDR block as host, a range as port, and `self` for the
//! application's own public routes.

use crate::variables::{Variables, is_template};
use anyhow::{Context as _, Result, bail};
use http::Uri;
use std::net::IpAddr;
use std::ops::Range;
use url::Host;

/// The domain of chained calls: `http://<component>.spin.internal`.
const CHAINING_SUFFIX: &str = ".spin.internal";

/// A component's allow-list.
#[derive(Debug, Default)]
pub struct AllowedHosts(Vec<AllowedHost>);

#[derive(Debug)]
struct AllowedHost {
    /// `None` is any.
    scheme: Option<String>,
    host: HostRule,
    /// `None` is any.
    ports: Option<Range<u32>>,
}

#[derive(Debug)]
enum HostRule {
    Any,
    ToSelf,
    /// The suffix with its dot.
    Subdomains(String),
    Exactly(Host<String>),
    Network(IpAddr, u8),
}

impl AllowedHosts {
    /// Reads the list, putting variables into its templates. A template that renders to nothing, or to a bare
    /// `http://`, is skipped: that is how an optional service is left out.
    pub fn parse(list: &[String], variables: &Variables) -> Result<Self> {
        let mut hosts = Vec::new();
        for written in list {
            let rendered = variables.render(written)?;
            if is_template(written) && matches!(rendered.as_str(), "" | "http://" | "https://") {
                continue;
            }
            let host = AllowedHost::parse(&rendered)
                .with_context(|| format!("`{written}` is no allowed outbound host"))?;
            hosts.push(host);
        }
        Ok(Self(hosts))
    }

    /// Whether a request to this address may leave.
    pub fn allow(&self, uri: &Uri) -> bool {
        let Some(host) = uri.host().and_then(|host| Host::parse(host).ok()) else {
            return false;
        };
        let scheme = uri.scheme_str().unwrap_or("https");
        let Some(port) = uri.port_u16().or_else(|| default_port(scheme)) else {
            return false;
        };
        self.0.iter().any(|allowed| allowed.allows(scheme, &host, port))
    }

    /// Whether requests to the application's own routes are allowed.
    pub fn allow_self(&self) -> bool {
        self.0.iter().any(|allowed| {
            let scheme = matches!(allowed.scheme.as_deref(), None | Some("http" | "https"));
            scheme && matches!(allowed.host, HostRule::Any | HostRule::ToSelf)
        })
    }
}

impl AllowedHost {
    fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            bail!("write <scheme>://<host>[:<port>], for example http://posts.spin.internal");
        };
        if scheme != "*" && !scheme.chars().all(char::is_alphabetic) {
            bail!("the scheme `{scheme}` may hold letters only: write http, https or *");
        }
        let (host, port) = split_port(rest)?;
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: HostRule::parse(host)?,
            ports: parse_ports(port, scheme)?,
        })
    }

    fn allows(&self, scheme: &str, host: &Host<String>, port: u16) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
            && self.ports.as_ref().is_none_or(|ports| ports.contains(&u32::from(port)))
            && self.host.allows(host)
    }
}

impl HostRule {
    fn parse(host: &str) -> Result<Self> {
        if let Some((address, bits)) = host.split_once('/').filter(|(_, bits)| !bits.is_empty()) {
            let network = address.parse::<IpAddr>().ok().zip(bits.parse::<u8>().ok());
            return match network {
                Some((address, bits)) if bits <= if address.is_ipv4() { 32 } else { 128 } => {
                    Ok(Self::Network(address, bits))
                }
                _ => bail!("a path is not allowed: end after the host and port"),
            };
        }
        match host.strip_suffix('/').unwrap_or(host) {
            "*" => Ok(Self::Any),
            "self" | "self.alt" => Ok(Self::ToSelf),
            host => match host.strip_prefix("*.") {
                Some(domain) => match Host::parse(domain) {
                    Ok(Host::Domain(domain)) => Ok(Self::Subdomains(format!(".{domain}"))),
                    _ => bail!("`*.` must be followed by a domain"),
                },
                None if host.contains('*') => {
                    bail!("`*` may stand only for the whole host or its first label")
                }
                None => {
                    Ok(Self::Exactly(Host::parse(host).with_context(|| format!("`{host}` is no host name"))?))
                }
            },
        }
    }

    fn allows(&self, host: &Host<String>) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::ToSelf, _) => false,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Subdomains(_), _) => false,
            (Self::Exactly(allowed), host) => allowed == host,
            (Self::Network(net, bits), Host::Ipv4(ip)) => in_network(*net, *bits, IpAddr::V4(*ip)),
            (Self::Network(net, bits), Host::Ipv6(ip)) => in_network(*net, *bits, IpAddr::V6(*ip)),
            (Self::Network(..), Host::Domain(_)) => false,
        }
    }
}

/// Parts `host[:port][/]`. A colon inside an IPv6 address is no port's.
fn split_port(rest: &str) -> Result<(&str, &str)> {
    match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && (!host.contains(':') || host.ends_with(']')) => {
            match port.split_once('/') {
                Some((_, path)) if !path.is_empty() => {
                    bail!("a path is not allowed: end after the port")
                }
                Some((port, _)) => Ok((host, port)),
                None => Ok((host, port)),
            }
        }
        _ => Ok((rest, "")),
    }
}

fn parse_ports(port: &str, scheme: &str) -> Result<Option<Range<u32>>> {
    let number =
        |text: &str| text.parse::<u16>().map(u32::from).with_context(|| format!("`{text}` is no port"));
    match port {
        "*" => Ok(None),
        "" => match default_port(scheme) {
            Some(port) => Ok(Some(u32::from(port)..u32::from(port) + 1)),
            None => bail!("the scheme `{scheme}` has no default port: add one, or :*"),
        },
        range => match range.split_once("..") {
            Some((start, end)) => Ok(Some(number(start)?..number(end)?)),
            None => number(range).map(|port| Some(port..port + 1)),
        },
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

fn in_network(network: IpAddr, bits: u8, ip: IpAddr) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let shift = width.saturating_sub(u32::from(bits));
        a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
    };
    match (network, ip) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
        _ => false,
    }
}

/// The component a chained call is for.
pub fn chaining_target(uri: &Uri) -> Option<&str> {
    let name = uri.host()?.strip_suffix(CHAINING_SUFFIX)?;
    (!name.is_empty() && !name.contains('.')).then_some(name)
}

/// Whether a `Host` header claims the chaining domain, which only a chained call has.
pub fn is_chaining_host(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix(CHAINING_SUFFIX).is_some_and(|label| !label.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &[&str]) -> AllowedHosts {
        let list: Vec<_> = list.iter().map(|host| (*host).to_owned()).collect();
        AllowedHosts::parse(&list, &Variables::default()).unwrap()
    }

    fn fault(host: &str) -> String {
        format!("{:#}", AllowedHosts::parse(&[host.to_owned()], &Variables::default()).unwrap_err())
    }

    #[test]
    fn what_is_listed_is_allowed_and_nothing_else() {
        for (rule, yes, no) in [
            ("https://example.com", "https://example.com/a?b", "http://example.com/"),
            ("https://example.com", "https://EXAMPLE.com:443", "https://example.com:8443"),
            ("https://example.com", "https://example.com", "https://evil-example.com"),
            ("http://example.com:8080", "http://example.com:8080", "http://example.com"),
            ("http://example.com:*", "http://example.com:9", "https://example.com:9"),
            ("http://127.0.0.1:8000..9000", "http://127.0.0.1:8999", "http://127.0.0.1:9000"),
            ("*://example.com:*", "https://example.com", "https://sub.example.com"),
            ("https://*.example.com", "https://a.b.example.com", "https://example.com"),
            ("http://10.0.0.0/8:80", "http://10.1.2.3", "http://11.1.2.3"),
            ("http://[::1]:80", "http://[::1]", "http://[::2]"),
            ("http://*:80", "http://anything", "https://anything"),
            ("http://posts.spin.internal", "http://posts.spin.internal/x", "http://users.spin.internal/x"),
            ("http://*.spin.internal", "http://users.spin.internal/x", "http://spin.internal.evil.com/"),
            ("http://example.com", "http://user:pw@example.com/", "http://example.com@evil.com/"),
        ] {
            let hosts = allowed(&[rule]);
            assert!(hosts.allow(&yes.parse().unwrap()), "{rule} should allow {yes}");
            assert!(!hosts.allow(&no.parse().unwrap()), "{rule} should refuse {no}");
        }
        assert!(!allowed(&[]).allow(&"http://example.com".parse().unwrap()));
    }

    #[test]
    fn the_applications_own_routes_are_a_matter_of_their_own() {
        assert!(allowed(&["http://self"]).allow_self());
        assert!(allowed(&["*://*:*"]).allow_self());
        assert!(!allowed(&["http://localhost:3000"]).allow_self());
        assert!(!allowed(&["http://self"]).allow(&"http://self/".parse().unwrap()));
    }

    #[test]
    fn a_wrong_rule_says_what_is_wrong() {
        for (rule, word) in [
            ("example.com", "<scheme>://<host>"),
            ("*", "<scheme>://<host>"),
            ("https://example.com/path", "path"),
            ("https://example.com:80/path", "path"),
            ("ftp://example.com", "no default port"),
            ("http://example.com:many", "no port"),
            ("http://a.*.com", "first label"),
            ("ht+tp://example.com", "letters only"),
            ("http://{{ nothing }}", "[variables]"),
        ] {
            let said = fault(rule);
            assert!(said.contains(word) && said.contains(rule), "{rule}: {said}");
        }
    }

    #[test]
    fn a_template_that_renders_to_nothing_is_left_out() {
        let manifest = "spin_manifest_version = 2\n[application]\nname = \"a\"\n[trigger]\n[variables]\nurl = { default = \"\" }\n";
        let manifest = crate::manifest::parse(manifest, std::path::Path::new(".")).unwrap();
        let none = Variables::resolve(&manifest, &Default::default(), |_| None).unwrap();
        let list = ["{{ url }}".to_owned(), "http://{{ url }}".to_owned()];
        assert!(AllowedHosts::parse(&list, &none).unwrap().0.is_empty());
        let given = [("url".to_owned(), "http://s3.local:9000".to_owned())].into();
        let some = Variables::resolve(&manifest, &given, |_| None).unwrap();
        let hosts = AllowedHosts::parse(&list[..1], &some).unwrap();
        assert!(hosts.allow(&"http://s3.local:9000/bucket".parse().unwrap()));
        assert!(AllowedHosts::parse(&[String::new()], &none).is_err(), "an empty literal is a mistake");
    }

    #[test]
    fn chained_calls_are_told_apart() {
        let target = |uri: &str| chaining_target(&uri.parse().unwrap()).map(str::to_owned);
        assert_eq!(target("http://posts.spin.internal/a").as_deref(), Some("posts"));
        assert_eq!(target("http://a.b.spin.internal/"), None);
        assert_eq!(target("http://posts.spin.internal.evil.com/"), None);
        assert!(is_chaining_host("posts.spin.internal:3000"));
        assert!(!is_chaining_host("posts.example.com"));
    }
}
