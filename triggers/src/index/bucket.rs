//! The flows of one audience and one type of events.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    clue::{Clue, clues},
    field::Field,
};
use crate::{Conditions, Event, event::View};

#[derive(Debug, Clone)]
pub struct Bucket<K> {
    /// A flow keeps its slot until it goes.
    flows: Vec<Option<Flow<K>>>,
    free: Vec<usize>,
    /// By the fields that clues are about.
    fields: HashMap<String, Field>,
    /// Those that have no clues.
    always: BTreeSet<usize>,
}

#[derive(Debug, Clone)]
struct Flow<K> {
    key: K,
    conditions: Arc<Conditions>,
}

// Derived, it would ask for a default key.
impl<K> Default for Bucket<K> {
    fn default() -> Bucket<K> {
        Bucket { flows: Vec::new(), free: Vec::new(), fields: HashMap::new(), always: BTreeSet::new() }
    }
}

impl<K: Clone> Bucket<K> {
    /// In which slot it is.
    pub fn insert(&mut self, key: K, conditions: Arc<Conditions>) -> usize {
        let slot = self.free.pop().unwrap_or(self.flows.len());
        match clues(&conditions) {
            None => drop(self.always.insert(slot)),
            Some(clues) => clues.into_iter().for_each(|Clue { field, sign }| self.fields.entry(field).or_default().insert(sign, slot)),
        }
        let flow = Some(Flow { key, conditions });
        match self.flows.get_mut(slot) {
            Some(place) => *place = flow,
            None => self.flows.push(flow),
        }
        slot
    }

    pub fn remove(&mut self, slot: usize) {
        let Some(flow) = self.flows.get_mut(slot).and_then(Option::take) else { return };
        self.free.push(slot);
        self.always.remove(&slot);
        for Clue { field, sign } in clues(&flow.conditions).unwrap_or_default() {
            if let Some(signs) = self.fields.get_mut(&field) {
                signs.remove(&sign, slot);
                if signs.is_empty() {
                    self.fields.remove(&field);
                }
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.free.len() == self.flows.len()
    }

    pub fn matching(&self, event: &Event) -> Vec<K> {
        let mut view = View::new(event);
        let mut candidates: Vec<usize> = self.always.iter().copied().collect();
        for (name, field) in &self.fields {
            field.collect(view.field(name), &mut candidates);
        }
        candidates.sort_unstable();
        candidates.dedup();
        let flows = candidates.into_iter().filter_map(|slot| self.flows.get(slot)?.as_ref());
        flows.filter(|flow| flow.conditions.match_view(&mut view)).map(|flow| flow.key.clone()).collect()
    }
}
