//! Who has not shown a key that counts: what they ask is limited by where it comes from, before anything is looked up for them.

use std::{
    collections::HashSet,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
};

use blake3::Hash;
use mirra_control::{Budget, RateLimit};

/// When there are so many, all are forgotten, and each is looked up once more.
const KNOWN_MAX: usize = 10_000;

/// Of an IPv6 address: what is below is one network's to give away.
const NETWORK: u128 = !(u64::MAX as u128);

pub struct Strangers {
    attempts: RateLimit,
    /// Keys that have counted. Whether they still do is looked up each time; but those who have one are not limited together with whoever
    /// asks from the same address, which may be a proxy's.
    known: Mutex<HashSet<Hash>>,
}

impl Strangers {
    /// As many requests a minute from each address.
    pub fn new(per_minute: NonZeroU32) -> Strangers {
        Strangers { attempts: RateLimit::per_minute(per_minute), known: Mutex::default() }
    }

    pub fn take(&self, address: IpAddr) -> Budget {
        let network = match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => (address.to_bits() & NETWORK).to_string(),
        };
        self.attempts.take(&network)
    }

    pub fn knows(&self, key: &[u8]) -> bool {
        self.known().contains(&blake3::hash(key))
    }

    pub fn remember(&self, key: &[u8]) {
        let mut known = self.known();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(blake3::hash(key));
    }

    pub fn forget(&self, key: &[u8]) {
        self.known().remove(&blake3::hash(key));
    }

    fn known(&self) -> MutexGuard<'_, HashSet<Hash>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
