//! `resources`: APIs that accounts install and their handlers call, each by an OpenAPI document, with credentials that only the host sees.
//!
//! A resource is made as a draft, published, installed by accounts, authenticated by each of them, and called: `call.rs` is the story of
//! one call. What comes with the server (`catalog/`) is data like any other.

mod authentication;
mod call;
mod catalog;
mod definition;
mod generated;
mod installing;
mod known;
mod ledger;
mod making;
mod marketplace;
mod oauth;
mod operations;
mod pricing;
mod script;
mod tools;
mod window;

pub use call::call;
pub use catalog::provide as provide_catalog;
pub use generated::{ClientParams, client, document, page};
pub use installing::{
    AuthenticateParams, CheckInstallationParams, InstallParams, UsageParams, authenticate, check_installation, install, list_installations,
    uninstall, usage,
};
pub use known::Resources;
pub use making::{CreateParams, ListParams, UpdateParams, create, delete, get, list, publish, unpublish, update};
pub use marketplace::{ReviewParams, ReviewsParams, SearchParams, metrics, review, reviews, search};
pub use oauth::{AuthorizeParams, BEGIN, CALLBACK, Login, authorize};
pub use operations::OPERATIONS;
pub use script::{HandlerCall, Handlers};
pub use tools::{MethodTool, tools};

use crate::Means;

/// A name as handlers write it: `Crypto Price API`, `crypto-price-api` and `cryptoPriceApi` are the same.
pub fn slug(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The same of what somebody calls a resource, unless that is an id: no resource can be named so that it is taken for another one's id.
fn slug_of(id_or_name: &str) -> String {
    if id_or_name.starts_with("resource_") { String::new() } else { slug(id_or_name) }
}

/// Whether what a resource is called (its id, its name as handlers write it) may be used by whoever asks.
fn is_allowed(means: &Means, names: &[&str]) -> bool {
    let named = |entry: &String| names.iter().any(|name| entry == name || slug(entry) == *name);
    means.allowed_resources.iter().all(|list| list.iter().any(named))
}
