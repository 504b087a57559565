//! Which addresses are public: what a wildcard in the allow list may lead to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that are not the public internet, after IANA's registry of special addresses.
const SPECIAL_V4: [(Ipv4Addr, u32); 17] = [
    // This network, unspecified
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Shared by a provider's customers (CGNAT); some clouds keep their metadata service here
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, with the metadata service of most clouds
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Azure's platform service: an address out of a public range that is answered by the machine below
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Protocol assignments
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Relays of 6to4, withdrawn
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Documentation
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Benchmarks
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    // Broadcast, in the block above; here so that nobody who looks for it has to think
    (Ipv4Addr::new(255, 255, 255, 255), 32),
];

/// Whether packets to this address go out into the internet, as far as an address can tell.
///
/// `std` has no stable answer to this (`is_global` is not), and its unstable one is made for other ends.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in = |(network, bits): &(Ipv4Addr, u32)| (address.to_bits() ^ network.to_bits()) >> (32 - bits) == 0;
    !SPECIAL_V4.iter().any(is_in)
}

/// A list of what is allowed, not of what is refused: of IPv6, one eighth has been given out. What is outside of it is loopback,
/// link-local, unique local, multicast, IPv4 in disguise (`::ffff:10.0.0.1`, `::10.0.0.1`) or nothing yet.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // NAT64: how a machine without IPv4 reaches the public part of it, so that part stays open.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(embedded(high, low)),
        // 6to4
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Protocol assignments, among them Teredo, which hides an IPv4 address too; documentation
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // That refused ones are refused is tested through the door. That public ones are not cannot be, without dialling them.
    #[test]
    fn public_addresses_pass_up_to_the_edges_of_the_special_networks() {
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:200::1",
            "2a00:1450::1",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
