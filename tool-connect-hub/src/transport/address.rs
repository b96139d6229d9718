//! Which kind of network an address belongs to, after the IANA special-purpose registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressKind {
    /// Anybody on the internet may be asked.
    Public,
    /// This machine.
    Loopback,
    /// A private network: a rule for the name or for the network opens it.
    Internal(&'static str),
    /// Never a service's own address (metadata, link-local, multicast, reserved): only a rule for
    /// the network opens it, so that a name's owner cannot point there.
    Special(&'static str),
}

impl AddressKind {
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Public => "a public address",
            Self::Loopback => "a loopback address",
            Self::Internal(what) | Self::Special(what) => what,
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291 §2.5.5), and through the
/// well-known NAT64 prefix (RFC 6052 §2.1). Everything else is itself.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let segments = v6.segments();
    match segments {
        // `::` and `::1` are not IPv4-compatible addresses.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0x0064, 0xff9b, 0, 0, 0, 0, _, _] => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => address,
    }
}

/// The kind of an address, in whichever form it comes.
pub(crate) fn kind_of(address: IpAddr) -> AddressKind {
    match canonical(address) {
        IpAddr::V4(v4) => kind_of_v4(v4),
        IpAddr::V6(v6) => kind_of_v6(v6),
    }
}

fn kind_of_v4(address: Ipv4Addr) -> AddressKind {
    use AddressKind::{Internal, Loopback, Public, Special};
    match address.octets() {
        [127, ..] => Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Internal("a private network address"),
        // Metadata services of Alibaba Cloud and Azure, which do not live in link-local space.
        [100, 100, 100, 200] | [168, 63, 129, 16] => Special("a cloud metadata address"),
        [100, 64..=127, ..] => Internal("a carrier-grade NAT address"),
        [169, 254, 169, 254] => Special("a cloud metadata address"),
        [169, 254, ..] => Special("a link-local address"),
        [0, ..] => Special("an unspecified address"),
        [192, 0, 0, _] => Special("an address of the IETF protocol block"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Special("a documentation address"),
        [192, 88, 99, _] => Special("a 6to4 relay address"),
        [198, 18 | 19, ..] => Special("a benchmarking address"),
        [224..=239, ..] => Special("a multicast address"),
        [240..=255, ..] => Special("a reserved address"),
        _ => Public,
    }
}

fn kind_of_v6(address: Ipv6Addr) -> AddressKind {
    use AddressKind::{Internal, Loopback, Public, Special};
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Loopback,
        [0, 0, 0, 0, 0, 0, 0, 0] => Special("an unspecified address"),
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] => Special("a cloud metadata address"),
        [0xfc00..=0xfdff, ..] => Internal("a private network address"),
        [0xfe80..=0xfebf, ..] => Special("a link-local address"),
        [0xfec0..=0xfeff, ..] => Special("a site-local address"),
        [0xff00..=0xffff, ..] => Special("a multicast address"),
        // These carry an IPv4 address that somebody else's gateway would unpack.
        [0x2002, ..] => Special("a 6to4 address"),
        [0x2001, 0, ..] => Special("a Teredo address"),
        [0x2001, 0x0001..=0x01ff, ..] => Special("an address of the IETF protocol block"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0x0000..=0x0fff, ..] => Special("a documentation address"),
        // Global unicast is 2000::/3 (RFC 4291 §2.4); the rest is unassigned or for local use.
        [0x2000..=0x3fff, ..] => Public,
        _ => Special("a reserved address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> AddressKind {
        kind_of(text.parse().expect("a literal of this test"))
    }

    #[test]
    fn public_addresses_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.255.255",
            "172.32.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
        ] {
            assert_eq!(kind(text), AddressKind::Public, "{text}");
        }
    }

    #[test]
    fn everything_else_is_not() {
        for text in [
            "127.0.0.1",
            "127.255.255.255",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.192",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "2001::1",
            "2001:0:a9fe:a9fe::",
            "2001:10::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
            "4000::1",
        ] {
            assert_ne!(kind(text), AddressKind::Public, "{text}");
        }
    }

    #[test]
    fn a_name_can_never_open_metadata() {
        for text in
            ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"]
        {
            assert!(matches!(kind(text), AddressKind::Special(_)), "{text}");
        }
    }
}
