use super::*;
use crate::{
    operations::{Id, Operation, operation},
    params::Part,
};

/// The adapter `resources`, but for `call`, which stands for the method that is called.
pub const OPERATIONS: &[Operation] = &[
    operation! {
        "resources.authenticate", "Gives the credentials that an installed resource is called with.", AuthenticateParams,
        (scene, params) => authenticate(&scene, params)
    },
    operation! {
        "resources.authorize", "Begins a login by OAuth 2.0: answers where a browser has to go.", AuthorizeParams,
        (scene, params) => authorize(&scene, params)
    },
    operation! {
        "resources.checkInstallation", "Tells whether this account has installed a resource.", CheckInstallationParams,
        (scene, params) => check_installation(&scene, params)
    },
    operation! {
        "resources.create", "Makes a resource, as a draft.", CreateParams,
        (scene, params) => create(&scene, params)
    },
    operation! {
        "resources.delete", "Deletes a resource that nobody has installed.", Id,
        (scene, params) => delete(&scene, &params.id)
    },
    operation! {
        "resources.get", "Tells all of a resource.", Id,
        (scene, params) => get(&scene, &params.id)
    },
    operation! {
        "resources.getClient", "Makes a typed client for a resource, in TypeScript or Python.", ClientParams,
        (scene, params) => client(&scene, params)
    },
    operation! {
        "resources.getDocument", "Gives the OpenAPI document of a resource.", Id,
        (scene, params) => document(&scene, &params.id)
    },
    operation! {
        "resources.getMetrics", "Tells the creator of a resource how it is used.", Id,
        (scene, params) => metrics(&scene, &params.id)
    },
    operation! {
        "resources.getPage", "Makes a page of HTML that documents a resource.", Id,
        (scene, params) => page(&scene, &params.id)
    },
    operation! {
        "resources.getUsage", "Tells what an installation has used and cost.", UsageParams,
        (scene, params) => usage(&scene, params)
    },
    operation! {
        "resources.install", "Installs a resource, so that it can be called.", InstallParams,
        (scene, params) => install(&scene, params)
    },
    operation! {
        "resources.list", "Lists the resources that this account has made.", ListParams,
        (scene, params) => list(&scene, params)
    },
    operation! {
        "resources.listInstallations", "Lists the resources that this account has installed.", Part,
        (scene, params) => list_installations(&scene, params)
    },
    operation! {
        "resources.listReviews", "Lists the reviews of a resource, the newest first.", ReviewsParams,
        (scene, params) => reviews(&scene, params)
    },
    operation! {
        "resources.publish", "Puts a resource into the marketplace.", Id,
        (scene, params) => publish(&scene, &params.id)
    },
    operation! {
        "resources.review", "Rates an installed resource, from 1 to 5.", ReviewParams,
        (scene, params) => review(&scene, params)
    },
    operation! {
        "resources.search", "Searches the marketplace for resources.", SearchParams,
        (scene, params) => search(&scene, params)
    },
    operation! {
        "resources.uninstall", "Takes an installed resource away, with its credentials.", Id,
        (scene, params) => uninstall(&scene, &params.id)
    },
    operation! {
        "resources.unpublish", "Takes a resource out of the marketplace. Those who have it keep it.", Id,
        (scene, params) => unpublish(&scene, &params.id)
    },
    operation! {
        "resources.update", "Changes a resource.", UpdateParams,
        (scene, params) => update(&scene, params)
    },
];
