//! Which flows an event starts.

mod bucket;
mod clue;
mod field;
mod pattern;

use std::{collections::HashMap, hash::Hash, sync::Arc};

use crate::{Conditions, Event, canonical_event_type};
use bucket::Bucket;

/// Finds those of many flows that an event starts, without trying all of them.
///
/// Each tree has clues: conditions of which at least one holds whenever the tree does. They are looked up by the values of the event, all
/// that are equal to something in one look and all that are part of a text in one pass over it, and only the flows found so are tried.
/// A tree without any (`NOT`, `greaterThan`, the expression `.*`) is tried with every event of its type.
#[derive(Debug, Clone)]
pub struct Index<K> {
    /// By audience, then by type.
    buckets: HashMap<String, HashMap<String, Bucket<K>>>,
    places: HashMap<K, Place>,
}

#[derive(Debug, Clone)]
struct Place {
    audience: String,
    event_type: String,
    slot: usize,
}

impl<K: Clone + Eq + Hash> Index<K> {
    pub fn new() -> Index<K> {
        Index { buckets: HashMap::new(), places: HashMap::new() }
    }

    /// `audience` is whose events start it, whatever that means to the caller; `event_type` is the whole type or an alias of it. What was
    /// there under the key goes.
    pub fn insert(&mut self, key: K, audience: &str, event_type: &str, conditions: Arc<Conditions>) {
        self.remove(&key);
        let event_type = canonical_event_type(event_type);
        let bucket = self.buckets.entry(audience.to_owned()).or_default().entry(event_type.to_owned()).or_default();
        let slot = bucket.insert(key.clone(), conditions);
        self.places.insert(key, Place { audience: audience.to_owned(), event_type: event_type.to_owned(), slot });
    }

    /// Whether there was one.
    pub fn remove(&mut self, key: &K) -> bool {
        let Some(place) = self.places.remove(key) else { return false };
        if let Some(types) = self.buckets.get_mut(&place.audience) {
            if let Some(bucket) = types.get_mut(&place.event_type) {
                bucket.remove(place.slot);
                if bucket.is_empty() {
                    types.remove(&place.event_type);
                }
            }
            if types.is_empty() {
                self.buckets.remove(&place.audience);
            }
        }
        true
    }

    /// Those that the event starts, each once, in no order that means anything.
    ///
    /// The first call after new literals have come prepares them: some milliseconds for 10,000.
    pub fn matching(&self, audience: &str, event: &Event) -> Vec<K> {
        let bucket = self.buckets.get(audience).and_then(|types| types.get(event.event_type()));
        bucket.map(|bucket| bucket.matching(event)).unwrap_or_default()
    }

    /// Whether any event of that type could start one.
    pub fn is_waiting(&self, audience: &str, event_type: &str) -> bool {
        self.buckets.get(audience).is_some_and(|types| types.contains_key(event_type))
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

impl<K: Clone + Eq + Hash> Default for Index<K> {
    fn default() -> Index<K> {
        Index::new()
    }
}
