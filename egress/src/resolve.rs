//! From names to addresses.

use std::{
    io,
    net::{IpAddr, ToSocketAddrs},
    sync::Arc,
};

use mirra_host_sdk::BoxFuture;
use tokio::sync::Semaphore;

/// Finds the addresses of a name. Asked once for every connection; what it answers is checked, and then dialled as it is.
pub trait Resolve: Send + Sync {
    /// The addresses of `host`, a name in lower case and Punycode, best first. An error's text stays with the host.
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The operating system's resolver, with its `hosts` file and its search domains.
///
/// It blocks a thread for as long as the slowest name server likes, cancelled or not. Threads for blocking work are shared with
/// the rest of the process; so look-ups have a few of them and no more, and a thread counts until it is really free again.
#[derive(Clone)]
pub struct SystemResolver {
    places: Arc<Semaphore>,
}

impl SystemResolver {
    /// Look-ups at a time. Clones share them.
    const LOOKUPS_MAX: usize = 16;

    pub fn new() -> SystemResolver {
        SystemResolver { places: Arc::new(Semaphore::new(Self::LOOKUPS_MAX)) }
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        SystemResolver::new()
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let (places, host) = (self.places.clone(), host.to_owned());
        Box::pin(async move {
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
            let look_up = move || {
                let _place = place;
                let addresses = (host.as_str(), 0).to_socket_addrs()?;
                Ok(addresses.map(|address| address.ip()).collect())
            };
            tokio::task::spawn_blocking(look_up).await.map_err(io::Error::other)?
        })
    }
}
