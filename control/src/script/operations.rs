use super::{history, lint, making, market, running, versions};
use crate::operations::{Operation, operation};

/// What a script's own key may ask for.
pub const RUNS: [&str; 3] = ["execute", "executeScript", "invoke"];

/// The adapter `scripts`; what concerns flows and subscriptions is with the flows.
pub const OPERATIONS: &[Operation] = &[
    operation! {
        "scripts.createScript", "Makes a script, with its first version and a key that runs it, which is shown this once.", making::CreateParams,
        (scene, params) => making::create(&scene, params)
    },
    operation! {
        "scripts.createVersion", "Makes a version of a script, which is to be deployed.", versions::CreateVersionParams,
        (scene, params) => versions::create(&scene, params)
    },
    operation! {
        "scripts.deleteScript", "Deletes a script with its versions and its history.", making::ScriptId,
        (scene, params) => making::delete(&scene, params)
    },
    operation! {
        "scripts.deployScript", "Makes a version the one that runs: the newest, or the one that is named.", versions::DeployParams,
        (scene, params) => versions::deploy(&scene, params)
    },
    operation! {
        "scripts.editScriptCode", "Makes a version of a script by replacing texts in its newest one.", versions::EditCodeParams,
        (scene, params) => versions::edit_code(&scene, params)
    },
    operation! {
        "scripts.execute", "Runs a script and answers its result, as `result`.", running::ExecuteParams,
        (scene, params) => running::execute(&scene, params, running::Named::Result)
    },
    operation! {
        "scripts.executeScript", "Runs a script and answers its result, as `output`.", running::ExecuteParams,
        (scene, params) => running::execute(&scene, params, running::Named::Output)
    },
    operation! {
        "scripts.getExecution", "Tells all of one run.", history::ExecutionId,
        (scene, params) => history::execution(&scene, params)
    },
    operation! {
        "scripts.getExecutions", "Lists the runs of a script, the newest first.", history::ExecutionsParams,
        (scene, params) => history::executions(&scene, params)
    },
    operation! {
        "scripts.getMetrics", "Tells how often a script ran, how well, and what it has cost.", making::ScriptId,
        (scene, params) => history::metrics(&scene, params)
    },
    operation! {
        "scripts.getScript", "Tells all of a script, with its code.", making::ScriptId,
        (scene, params) => making::get(&scene, params)
    },
    operation! {
        "scripts.install", "Installs a script of the marketplace: a copy of it, which runs.", making::ScriptId,
        (scene, params) => market::install(&scene, params)
    },
    operation! {
        "scripts.invoke", "Runs a script, as clients have it: success, result, logs, error and duration.", running::InvokeParams,
        (scene, params) => running::invoke(&scene, params)
    },
    operation! {
        "scripts.lintScript", "Tells what is wrong with code before it is deployed.", lint::LintParams,
        (scene, params) => lint::lint(&scene, params)
    },
    operation! {
        "scripts.listMarketplaceScripts", "Searches the marketplace for scripts: the newest, the trending, the staff's picks.", market::SearchParams,
        (scene, params) => market::search(&scene, params)
    },
    operation! {
        "scripts.listReviews", "Lists the reviews of a script, the newest first.", making::ScriptId,
        (scene, params) => market::reviews(&scene, params)
    },
    operation! {
        "scripts.listScripts", "Lists the scripts of this account, the newest first.", making::ListParams,
        (scene, params) => making::list(&scene, params)
    },
    operation! {
        "scripts.listVersions", "Lists the versions of a script, the newest first.", making::ScriptId,
        (scene, params) => versions::list(&scene, params)
    },
    operation! {
        "scripts.publishScript", "Puts a script that runs into the marketplace.", market::PublishParams,
        (scene, params) => market::publish(&scene, params)
    },
    operation! {
        "scripts.readScriptCode", "Reads lines of a script's newest code.", versions::ReadCodeParams,
        (scene, params) => versions::read_code(&scene, params)
    },
    operation! {
        "scripts.review", "Rates an installed script, from 1 to 5.", market::ReviewParams,
        (scene, params) => market::review(&scene, params)
    },
    operation! {
        "scripts.setStaffPick", "Recommends a script to everybody, or does so no more. For the server's owner.", market::StaffPickParams,
        (scene, params) => market::set_staff_pick(&scene, params)
    },
    operation! {
        "scripts.unpublishScript", "Takes a script out of the marketplace. Those who have it keep it.", making::ScriptId,
        (scene, params) => market::unpublish(&scene, params)
    },
    operation! {
        "scripts.updateScript", "Changes what is said of a script, and what it may use.", making::UpdateParams,
        (scene, params) => making::update(&scene, params)
    },
];
