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
