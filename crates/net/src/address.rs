//! What kind of address an IP address is. Pure; asked by the guard before and after a name is resolved.
//!
//! The tables follow the IANA special-purpose registries. An IPv6 address that carries an IPv4 address is judged by
//! what it carries: such forms are how filters that know only the plain notation are passed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who may be reached at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Globally routable unicast.
    Public,
    /// Not on the public internet; an admin can grant it.
    Private,
    /// Never granted: metadata services of clouds, link-local, multicast, unspecified.
    Never,
}

/// Metadata services outside the link-local ranges, which are refused as a whole.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle Cloud, older shapes
    Ipv4Addr::new(168, 63, 129, 16),   // Azure: a public address that only the platform answers
];

/// Networks of IPv4 that are special: address, prefix length, kind.
const SPECIAL_V4: [([u8; 4], u32, Kind); 19] = [
    ([0, 0, 0, 0], 8, Kind::Never), // "this network"; 0.0.0.0 reaches the machine itself
    ([169, 254, 0, 0], 16, Kind::Never), // link-local: metadata services of nearly every cloud
    ([224, 0, 0, 0], 4, Kind::Never), // multicast
    ([255, 255, 255, 255], 32, Kind::Never),
    ([10, 0, 0, 0], 8, Kind::Private),
    ([100, 64, 0, 0], 10, Kind::Private), // carrier-grade NAT
    ([127, 0, 0, 0], 8, Kind::Private),
    ([172, 16, 0, 0], 12, Kind::Private),
    ([192, 0, 0, 0], 24, Kind::Private),    // IETF protocol assignments
    ([192, 0, 2, 0], 24, Kind::Private),    // documentation
    ([192, 31, 196, 0], 24, Kind::Private), // AS112
    ([192, 52, 193, 0], 24, Kind::Private), // automatic multicast tunnelling
    ([192, 88, 99, 0], 24, Kind::Private),  // 6to4 relays, deprecated
    ([192, 168, 0, 0], 16, Kind::Private),
    ([192, 175, 48, 0], 24, Kind::Private), // AS112
    ([198, 18, 0, 0], 15, Kind::Private),   // benchmarks
    ([198, 51, 100, 0], 24, Kind::Private), // documentation
    ([203, 0, 113, 0], 24, Kind::Private),  // documentation
    ([240, 0, 0, 0], 4, Kind::Private),     // reserved
];

/// Networks of IPv6 inside the global unicast range 2000::/3 that are special, and those outside it that are never
/// granted. Everything else outside 2000::/3 is private.
const SPECIAL_V6: [(Ipv6Addr, u32, Kind); 9] = [
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, Kind::Never), // multicast
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Kind::Never), // link-local
    (Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0), 32, Kind::Never), // metadata service of AWS
    (Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0), 32, Kind::Never), // metadata service of Google Cloud
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Kind::Private), // protocol assignments, Teredo among them
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32, Kind::Private), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Kind::Private), // 6to4
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16, Kind::Private), // 6bone, returned
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Kind::Private), // documentation
];

/// The kind of any address.
pub(crate) fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    if METADATA_V4.contains(&address) {
        return Kind::Never;
    }
    let bits = address.to_bits();
    SPECIAL_V4
        .iter()
        .find(|(network, length, _)| (bits ^ u32::from_be_bytes(*network)) >> (32 - length) == 0)
        .map_or(Kind::Public, |(_, _, kind)| *kind)
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    if let Some(kind) = kind_of_translated(address) {
        return kind;
    }
    let plain = plain_kind_v6(address);
    // A transition form is never public: no server worth calling lives behind one, and whether it is unwrapped on the
    // way depends on machines that are not ours. What it carries can only make it worse.
    embedded(address)
        .into_iter()
        .map(kind_v4)
        .fold(plain, |worst, carried| match carried {
            Kind::Never => Kind::Never,
            Kind::Public | Kind::Private => worst.max(Kind::Private),
        })
}

fn plain_kind_v6(address: Ipv6Addr) -> Kind {
    let bits = address.to_bits();
    if address.is_unspecified() {
        return Kind::Never;
    }
    SPECIAL_V6
        .iter()
        .find(|(network, length, _)| (bits ^ network.to_bits()) >> (128 - length) == 0)
        .map_or_else(
            || {
                if bits >> 125 == 0b001 {
                    Kind::Public
                } else {
                    Kind::Private
                }
            },
            |(_, _, kind)| *kind,
        )
}

/// The two forms that stand for exactly one IPv4 address: IPv4-mapped, which the operating system itself unwraps, and
/// the well-known NAT64 prefix, which is how machines without IPv4 reach the IPv4 internet.
fn kind_of_translated(address: Ipv6Addr) -> Option<Kind> {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(kind_v4(mapped));
    }
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(kind_v4(last_four(address))),
        _ => None,
    }
}

/// The IPv4 addresses that an IPv6 address may carry, for every form but those of [`kind_of_translated`].
fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let bytes = address.octets();
    let mut carried = Vec::new();
    match address.segments() {
        // Loopback and unspecified look like IPv4-compatible addresses and are judged as what they are.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => {}
        // IPv4-compatible and IPv4-translated (RFC 2765).
        [0, 0, 0, 0, 0, 0, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => carried.push(last_four(address)),
        // 6to4.
        [0x2002, ..] => carried.push(four(&bytes, [2, 3, 4, 5])),
        // Teredo: its server, and the client with all bits flipped.
        [0x2001, 0, ..] => {
            carried.push(four(&bytes, [4, 5, 6, 7]));
            carried.push(Ipv4Addr::from_bits(!last_four(address).to_bits()));
        }
        // NAT64 for local use (RFC 8215). The length of the prefix in use is not known here, so every place where
        // RFC 6052 may put the address is read; byte 8 is always skipped.
        [0x64, 0xff9b, 1, ..] => {
            carried.push(four(&bytes, [6, 7, 9, 10]));
            carried.push(four(&bytes, [7, 9, 10, 11]));
            carried.push(four(&bytes, [9, 10, 11, 12]));
            carried.push(last_four(address));
            // An unused place reads as zeroes, which says nothing.
            carried.retain(|address| address.octets()[0] != 0);
        }
        _ => {}
    }
    // ISATAP: the interface identifier 0000:5efe or 0200:5efe under any prefix.
    if let [_, _, _, _, 0x0000 | 0x0200, 0x5efe, _, _] = address.segments() {
        carried.push(last_four(address));
    }
    carried
}

fn last_four(address: Ipv6Addr) -> Ipv4Addr {
    four(&address.octets(), [12, 13, 14, 15])
}

fn four(bytes: &[u8; 16], places: [usize; 4]) -> Ipv4Addr {
    Ipv4Addr::from(places.map(|place| bytes[place]))
}

#[cfg(test)]
mod tests;
