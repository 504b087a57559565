//! Who may start now: a bounded number of calls per handler and in all, and a bounded queue behind each.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of places and a queue for them.
pub struct Gate {
    places: Arc<Semaphore>,
    places_max: usize,
    queued: AtomicUsize,
    queued_max: usize,
}

/// There is no place, and the queue is full.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl Gate {
    pub fn new(places_max: usize, queued_max: usize) -> Gate {
        Gate { places: Arc::new(Semaphore::new(places_max)), places_max, queued: AtomicUsize::new(0), queued_max }
    }

    /// A place, at once or after queueing in order of arrival. It is given back when dropped.
    pub async fn enter(&self) -> Result<OwnedSemaphorePermit, Full> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let _queued = Queued::join(&self.queued, self.queued_max)?;
        self.places.clone().acquire_owned().await.map_err(|_| Full)
    }

    pub fn taken(&self) -> usize {
        self.places_max.saturating_sub(self.places.available_permits())
    }

    pub fn queued(&self) -> usize {
        self.queued.load(Relaxed)
    }
}

struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn join(queued: &'a AtomicUsize, queued_max: usize) -> Result<Queued<'a>, Full> {
        let joined = queued.fetch_update(Relaxed, Relaxed, |count| (count < queued_max).then_some(count + 1));
        joined.map(|_| Queued(queued)).map_err(|_| Full)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
