//! The table of addresses: every special range by its first, last and neighbouring address, in every notation.

use super::{Kind, kind};

const TABLE: &[(&str, Kind)] = &[
    // Ordinary addresses.
    ("1.1.1.1", Kind::Public),
    ("8.8.8.8", Kind::Public),
    ("20.42.73.24", Kind::Public),
    ("223.255.255.255", Kind::Public),
    ("2606:4700:4700::1111", Kind::Public),
    ("2a00:1450:4001:81b::200e", Kind::Public),
    ("2620:1ec:c11::200", Kind::Public),
    // "This network".
    ("0.0.0.0", Kind::Never),
    ("0.255.255.255", Kind::Never),
    ("1.0.0.0", Kind::Public),
    // RFC 1918.
    ("9.255.255.255", Kind::Public),
    ("10.0.0.0", Kind::Private),
    ("10.255.255.255", Kind::Private),
    ("11.0.0.0", Kind::Public),
    ("172.15.255.255", Kind::Public),
    ("172.16.0.1", Kind::Private),
    ("172.31.255.255", Kind::Private),
    ("172.32.0.0", Kind::Public),
    ("192.167.255.255", Kind::Public),
    ("192.168.0.1", Kind::Private),
    ("192.168.255.255", Kind::Private),
    ("192.169.0.0", Kind::Public),
    // Carrier-grade NAT, and the metadata service in it.
    ("100.63.255.255", Kind::Public),
    ("100.64.0.0", Kind::Private),
    ("100.100.100.199", Kind::Private),
    ("100.100.100.200", Kind::Never),
    ("100.127.255.255", Kind::Private),
    ("100.128.0.0", Kind::Public),
    // Loopback.
    ("126.255.255.255", Kind::Public),
    ("127.0.0.1", Kind::Private),
    ("127.255.255.254", Kind::Private),
    ("128.0.0.0", Kind::Public),
    // Link-local and the metadata services there.
    ("169.253.255.255", Kind::Public),
    ("169.254.0.1", Kind::Never),
    ("169.254.169.254", Kind::Never),
    ("169.254.170.2", Kind::Never),
    ("169.255.0.0", Kind::Public),
    ("168.63.129.16", Kind::Never),
    ("168.63.129.17", Kind::Public),
    // Protocol assignments, documentation, AS112, relays, benchmarks.
    ("192.0.0.1", Kind::Private),
    ("192.0.0.192", Kind::Never),
    ("192.0.1.0", Kind::Public),
    ("192.0.2.7", Kind::Private),
    ("192.31.196.1", Kind::Private),
    ("192.52.193.1", Kind::Private),
    ("192.88.99.1", Kind::Private),
    ("192.175.48.1", Kind::Private),
    ("198.17.255.255", Kind::Public),
    ("198.18.0.0", Kind::Private),
    ("198.19.255.255", Kind::Private),
    ("198.20.0.0", Kind::Public),
    ("198.51.100.1", Kind::Private),
    ("203.0.113.255", Kind::Private),
    // Multicast, reserved, broadcast.
    ("224.0.0.1", Kind::Never),
    ("239.255.255.255", Kind::Never),
    ("240.0.0.1", Kind::Private),
    ("255.255.255.254", Kind::Private),
    ("255.255.255.255", Kind::Never),
    // IPv6: unspecified, loopback, local, multicast, discard, documentation, not allocated.
    ("::", Kind::Never),
    ("::1", Kind::Private),
    ("fc00::1", Kind::Private),
    ("fdff:ffff::1", Kind::Private),
    ("fd00:ec2::254", Kind::Never),
    ("fd20:ce::254", Kind::Never),
    ("fe80::1", Kind::Never),
    ("fe80::a9fe:a9fe", Kind::Never),
    ("febf:ffff::1", Kind::Never),
    ("fec0::1", Kind::Private),
    ("feff::1", Kind::Private),
    ("ff02::1", Kind::Never),
    ("ff0e::1", Kind::Never),
    ("100::1", Kind::Private),
    ("2001:db8::1", Kind::Private),
    ("3fff::1", Kind::Private),
    ("3fff:fff:ffff::1", Kind::Private),
    ("3ffe::1", Kind::Private),
    ("4000::1", Kind::Private),
    ("5f00::1", Kind::Private),
    ("2001:2::1", Kind::Private),
    ("2001:10::1", Kind::Private),
    ("2001:20::1", Kind::Private),
    ("2001:1ff::1", Kind::Private),
    ("2001:200::1", Kind::Public),
    // IPv4-mapped: exactly the address it stands for.
    ("::ffff:8.8.8.8", Kind::Public),
    ("::ffff:127.0.0.1", Kind::Private),
    ("::ffff:10.1.2.3", Kind::Private),
    ("::ffff:169.254.169.254", Kind::Never),
    ("::ffff:0.0.0.0", Kind::Never),
    // IPv4-compatible and translated: never public.
    ("::8.8.8.8", Kind::Private),
    ("::127.0.0.1", Kind::Private),
    ("::169.254.169.254", Kind::Never),
    ("::ffff:0:8.8.8.8", Kind::Private),
    ("::ffff:0:10.0.0.1", Kind::Private),
    ("::ffff:0:169.254.169.254", Kind::Never),
    // 6to4 of 8.8.8.8, 127.0.0.1, 169.254.169.254.
    ("2002:808:808::1", Kind::Private),
    ("2002:7f00:1::", Kind::Private),
    ("2002:a9fe:a9fe::1", Kind::Never),
    // Teredo: server 65.54.227.120 with client 192.0.2.45; server or client 169.254.169.254.
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Kind::Private),
    ("2001:0:a9fe:a9fe:8000:63bf:3fff:fdd2", Kind::Never),
    ("2001:0:4136:e378:8000:63bf:5601:5601", Kind::Never),
    // NAT64, the well-known prefix.
    ("64:ff9b::8.8.8.8", Kind::Public),
    ("64:ff9b::7f00:1", Kind::Private),
    ("64:ff9b::10.0.0.1", Kind::Private),
    ("64:ff9b::169.254.169.254", Kind::Never),
    // NAT64 for local use: 8.8.8.8 under /96; 169.254.169.254 under /48, /56, /64 and /96.
    ("64:ff9b:1::8.8.8.8", Kind::Private),
    ("64:ff9b:1:a9fe:a9:fe00::", Kind::Never),
    ("64:ff9b:1:a9:fe:a9fe::", Kind::Never),
    ("64:ff9b:1:0:a9:fea9:fe00:0", Kind::Never),
    ("64:ff9b:1::169.254.169.254", Kind::Never),
    // ISATAP under a global prefix, with both identifiers.
    ("2606:4700::5efe:8.8.8.8", Kind::Private),
    ("2606:4700::200:5efe:10.0.0.1", Kind::Private),
    ("2606:4700::5efe:169.254.169.254", Kind::Never),
];

#[test]
fn every_address_of_the_table_is_judged_as_it_says() {
    let wrong: Vec<String> = TABLE
        .iter()
        .filter_map(|(text, expected)| {
            let found = kind(text.parse().unwrap());
            (found != *expected).then(|| format!("{text}: {found:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(TABLE.len() >= 60);
}
