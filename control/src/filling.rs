//! Much at once, for benches: what takes minutes or hours to come about.

use crate::{ApiError, Control, control::Opened};

impl Control {
    /// Puts runs into the history of a script that never were.
    pub async fn fill_history(&self, script_id: &str, rows: u64) -> Result<(), ApiError> {
        let Opened { store, owner, .. } = self.opened().await?;
        Ok(store.fill_history(owner.id(), script_id, rows, self.now()).await?)
    }

    /// Makes copies of a flow, in whose title and conditions `NUMBER` is the number of each.
    pub async fn fill_flows(&self, like: &str, count: u64) -> Result<(), ApiError> {
        Ok(self.opened().await?.store.fill_flows(like, count).await?)
    }
}
