//! Who is at the other end of the line, as an address: the TCP peer, or what
//! a trusted proxy says of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// The caller's network place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The other end of the TCP connection.
    pub peer: SocketAddr,
    /// The caller itself, if a trusted proxy stands between.
    pub address: IpAddr,
}

impl Client {
    pub fn prefix(&self) -> AddressPrefix {
        AddressPrefix::of(self.address)
    }
}

/// What one household or office holds: a /24 of IPv4, a /56 of IPv6. Limits
/// count by it, and the log shows no more than it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressPrefix(IpAddr);

impl AddressPrefix {
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & !0xff)),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 72))),
        })
    }
}

impl std::fmt::Display for AddressPrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let length = if self.0.is_ipv4() { 24 } else { 56 };
        write!(f, "{}/{length}", self.0)
    }
}

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    pub fn new(nets: Vec<IpNet>) -> Self {
        Self(nets)
    }

    /// The right-most hop that is not one of ours. Anything further left was
    /// written by strangers and proves nothing.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Client {
        let mut address = peer.ip().to_canonical();
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or("").rsplit(','));
        for hop in hops {
            if !self.trusts(address) {
                break;
            }
            let Some(next) = parse_hop(hop.trim()) else { break };
            address = next;
        }
        Client { peer, address }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// Proxies write `1.2.3.4`, `1.2.3.4:567`, `2001:db8::1` or `[2001:db8::1]:567`.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().or_else(|_| bare.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let proxies = TrustedProxies::new(trusted.iter().map(|net| net.parse().unwrap()).collect());
        proxies.client(peer.parse().unwrap(), &headers).address.to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client(&[], "192.0.2.1:80", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1:80", &["203.0.113.9"]), "192.0.2.1");
    }

    #[test]
    fn the_right_most_untrusted_hop_is_the_client() {
        let trusted = ["10.0.0.0/8", "192.0.2.1/32"];
        assert_eq!(client(&trusted, "192.0.2.1:80", &["6.6.6.6, 203.0.113.9, 10.1.1.1"]), "203.0.113.9");
        assert_eq!(client(&trusted, "10.9.9.9:80", &["6.6.6.6", "203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(client(&trusted, "10.9.9.9:80", &["[2001:db8::1]:99"]), "2001:db8::1");
    }

    #[test]
    fn an_unreadable_hop_ends_the_walk() {
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1:80", &["203.0.113.9, unknown"]), "10.0.0.1");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1:80", &["203.0.113.9, junk, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1:80", &[]), "10.0.0.1");
    }

    #[test]
    fn prefixes_hold_a_household() {
        let prefix = |text: &str| AddressPrefix::of(text.parse().unwrap()).to_string();
        assert_eq!(prefix("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(prefix("::ffff:203.0.113.77"), "203.0.113.0/24");
        assert_eq!(prefix("2001:db8:1:23ff::1"), "2001:db8:1:2300::/56");
    }
}
