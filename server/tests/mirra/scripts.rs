//! Scripts over the API: made, deployed, run, rolled back, and what is kept of all that.

use serde_json::{Value, json};

use crate::{
    control::{Bed, User, data, refusal},
    support::Reply,
};

const GREETER: &str = "export async function handler(event, context) {
  console.log('greeting', event.data.name);
  return { success: true, greeting: `Hello, ${event.data.name}!`, version: context.version };
}
";

impl User<'_> {
    fn script(&self, code: &str, config: Value) -> Value {
        data(self.request("POST", "/v1/scripts", json!({ "name": "greeter", "code": code, "config": config })))
    }

    fn deploy(&self, id: &str, params: Value) -> Reply {
        self.request("POST", &format!("/v1/scripts/{id}/deploy"), params)
    }

    fn execute(&self, id: &str, input: Value) -> Value {
        data(self.request("POST", &format!("/v1/scripts/{id}/execute"), json!({ "data": input })))
    }
}

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_else(|| panic!("no {field} in {json}"))
}

#[test]
fn a_script_is_made_deployed_and_run() {
    let bed = Bed::start();
    let owner = bed.owner();
    let made = owner.script(GREETER, json!({ "timeout": 5 }));
    let id = text(&made, "id");
    assert_eq!((id.len(), &made["status"], &made["deploymentStatus"]), (24, &json!("draft"), &json!("pending")), "{made}");
    assert_eq!((&made["config"]["timeout"], &made["config"]["memory"], &made["runtime"]), (&json!(5), &json!(128), &json!("nodejs18")));
    // Nothing runs before it is deployed.
    let early = owner.request("POST", &format!("/v1/scripts/{id}/execute"), json!({}));
    assert_eq!((early.status, early.code().as_str()), (400, "VALIDATION_ERROR"));
    let deployed = data(owner.deploy(id, Value::Null));
    assert_eq!((&deployed["success"], &deployed["version"], &deployed["status"]), (&json!(true), &json!(1), &json!("deployed")));
    let run = owner.execute(id, json!({ "name": "Ada" }));
    assert_eq!(run["result"], json!({ "success": true, "greeting": "Hello, Ada!", "version": "1" }));
    assert_eq!((&run["status"], &run["logs"], &run["error"]), (&json!("completed"), &json!(["greeting Ada"]), &Value::Null));
    assert!(run["duration"].as_f64().unwrap() > 0.0 && run["memoryUsed"].as_f64().unwrap() > 0.0 && run["cost"].as_f64().unwrap() > 0.0);
    // The same through the adapter, where the result is the output.
    let run = data(owner.dispatch("scripts", "executeScript", json!({ "scriptId": id, "data": { "name": "Bo" } })));
    assert_eq!((&run["output"]["greeting"], &run["result"]), (&json!("Hello, Bo!"), &Value::Null));
    // And as clients have it, which send null where they have nothing.
    let invoked = data(owner.request("POST", &format!("/v1/scripts/{id}/invoke"), json!({ "payload": { "name": "Cy" } })));
    assert_eq!(
        (&invoked["success"], &invoked["result"]["greeting"], &invoked["logs"]),
        (&json!(true), &json!("Hello, Cy!"), &json!("greeting Cy"))
    );
    let nothing = data(owner.request("POST", &format!("/v1/scripts/{id}/invoke"), json!({ "payload": null })));
    assert_eq!(nothing["result"]["greeting"], "Hello, undefined!");

    let history = owner.request("GET", &format!("/v1/scripts/{id}/executions?limit=2"), Value::Null).json();
    assert_eq!((&history["meta"], history["data"].as_array().unwrap().len()), (&json!({ "total": 4, "limit": 2, "offset": 0 }), 2));
    let execution = data(owner.dispatch("scripts", "getExecution", json!({ "executionId": run["executionId"] })));
    assert_eq!((&execution["output"]["greeting"], &execution["input"]["name"]), (&json!("Hello, Bo!"), &json!("Bo")));
    let metrics = data(owner.request("GET", &format!("/v1/scripts/{id}/metrics"), Value::Null));
    assert_eq!((&metrics["totalExecutions"], &metrics["successRate"], &metrics["errorRate"]), (&json!(4), &json!(1.0), &json!(0.0)));
    let listed = owner.request("GET", "/v1/scripts", Value::Null).json();
    assert_eq!((&listed["data"][0]["id"], &listed["meta"]["total"]), (&json!(id), &json!(1)), "{listed}");
    let listed = data(owner.dispatch("scripts", "listScripts", json!({})));
    assert_eq!((&listed["count"], &listed["scripts"][0]["totalExecutions"]), (&json!(1), &json!(4)));
    assert_eq!(text(&data(owner.request("GET", &format!("/v1/scripts/{id}"), Value::Null)), "code"), GREETER);
}

#[test]
fn versions_do_not_change_and_an_older_one_rolls_back() {
    let bed = Bed::start();
    let owner = bed.owner();
    let answering = |what: &str| format!("export const handler = () => '{what}';");
    let made = owner.script(&answering("one"), json!({}));
    let id = text(&made, "id");
    data(owner.deploy(id, json!({})));
    let second = data(owner.request(
        "POST",
        &format!("/v1/scripts/{id}/versions"),
        json!({ "code": answering("two"), "version": "1.1.0", "changelog": "two" }),
    ));
    assert_eq!((&second["version"], &second["isActive"]), (&json!("1.1.0"), &json!(false)));
    let third =
        data(owner.dispatch("scripts", "createVersion", json!({ "scriptId": id, "code": answering("three"), "commitMessage": "three" })));
    assert_eq!((&third["version"], &third["commitMessage"]), (&json!(3), &json!("three")));
    assert_eq!(owner.execute(id, json!({}))["result"], "one");
    data(owner.deploy(id, json!({})));
    assert_eq!(owner.execute(id, json!({}))["result"], "three");
    for (params, expected) in [
        (json!({ "version": 1 }), "one"),
        (json!({ "version": "1.1.0" }), "two"),
        (json!({ "versionId": third["versionId"] }), "three"),
        (json!({ "versionId": second["versionId"] }), "two"),
    ] {
        data(owner.deploy(id, params));
        assert_eq!(owner.execute(id, json!({}))["result"], expected);
    }
    let versions = owner.request("GET", &format!("/v1/scripts/{id}/versions"), Value::Null).json();
    let seen: Vec<_> = versions["data"].as_array().unwrap().iter().map(|version| (&version["version"], &version["isActive"])).collect();
    assert_eq!(seen, [(&json!(3), &json!(false)), (&json!("1.1.0"), &json!(true)), (&json!(1), &json!(false))]);
    // A version of another script is none of this one's.
    let other = owner.script(&answering("other"), json!({}));
    let refused = owner.deploy(text(&other, "id"), json!({ "versionId": third["versionId"] }));
    assert_eq!((refused.status, refused.json()["error"]["message"].as_str().unwrap()), (404, "Version not found"));
    let twice = owner.request("POST", &format!("/v1/scripts/{id}/versions"), json!({ "code": "x", "version": "1.1.0" }));
    assert_eq!((twice.status, twice.code().as_str()), (409, "CONFLICT"));
}

#[test]
fn what_cannot_be_deployed_tells_where_and_what_ran_goes_on() {
    let bed = Bed::start();
    let owner = bed.owner();
    let made = owner.script("export const handler = () => 1;", json!({}));
    let id = text(&made, "id");
    data(owner.deploy(id, json!({})));
    data(owner.request(
        "POST",
        &format!("/v1/scripts/{id}/versions"),
        json!({ "code": "export const handler = () => {\n  return 1 +;\n};" }),
    ));
    let refused = owner.deploy(id, json!({}));
    let problem = refused.json()["error"]["details"]["problems"][0].clone();
    assert_eq!((refused.status, &problem["line"], &problem["file"]), (400, &json!(2), &json!("handler.ts")), "{problem}");
    assert_eq!(owner.execute(id, json!({}))["result"], 1);
    assert_eq!(data(owner.request("GET", &format!("/v1/scripts/{id}"), Value::Null))["status"], "deployed");
    // One that never ran is failed.
    let other = owner.script("export const other = 1;", json!({}));
    let refused = owner.deploy(text(&other, "id"), json!({}));
    assert_eq!(refusal(&refused), (400, "VALIDATION_ERROR".into(), "code".into()), "{}", refused.json());
    assert_eq!(data(owner.request("GET", &format!("/v1/scripts/{}", text(&other, "id")), Value::Null))["status"], "failed");
}

#[test]
fn a_failure_is_an_execution_and_no_error_of_the_request() {
    let bed = Bed::start();
    let owner = bed.owner();
    let made = owner.script(
        "export function handler(event) {\n  if (event.data.loop) for (;;) {}\n  throw new TypeError('no');\n}",
        json!({ "timeout": 1 }),
    );
    let id = text(&made, "id");
    data(owner.deploy(id, json!({})));
    let failed = owner.execute(id, json!({}));
    assert_eq!(
        (&failed["status"], &failed["error"]["code"], &failed["error"]["name"]),
        (&json!("failed"), &json!("HANDLER_ERROR"), &json!("TypeError"))
    );
    assert!(failed["error"]["stack"].as_str().unwrap().contains("handler.ts:3"), "{failed}");
    let timed_out = owner.execute(id, json!({ "loop": true }));
    assert_eq!((&timed_out["status"], &timed_out["error"]["code"]), (&json!("timeout"), &json!("TIMEOUT")));
    let invoked = data(owner.request("POST", &format!("/v1/scripts/{id}/invoke"), json!({})));
    assert_eq!((&invoked["success"], &invoked["error"]), (&json!(false), &json!("no")));
    let count = |status: &str| {
        owner.request("GET", &format!("/v1/scripts/{id}/executions?status={status}"), Value::Null).json()["meta"]["total"].clone()
    };
    assert_eq!((count("error"), count("timeout"), count("success"), count("failed")), (json!(2), json!(1), json!(0), json!(2)));
}

#[test]
fn a_scripts_own_key_runs_it_and_nothing_else() {
    let bed = Bed::start();
    let owner = bed.owner();
    let made = owner.script("export const handler = () => 1;", json!({}));
    let (id, key) = (text(&made, "id"), text(&made, "apiKey").to_owned());
    data(owner.deploy(id, json!({})));
    let script = User { server: &bed.server, key };
    assert_eq!(script.execute(id, json!({}))["result"], 1);
    let other = owner.script("export const handler = () => 2;", json!({}));
    data(owner.deploy(text(&other, "id"), json!({})));
    assert_eq!(script.request("POST", &format!("/v1/scripts/{}/execute", text(&other, "id")), json!({})).status, 404);
    for (method, path) in [("GET", format!("/v1/scripts/{id}")), ("DELETE", format!("/v1/scripts/{id}")), ("GET", "/v1/keys".to_owned())] {
        assert_eq!(script.request(method, &path, Value::Null).status, 403, "{method} {path}");
    }
    // Nobody else's is there for anybody.
    let (stranger, _) = owner.sub_account("Stranger");
    for (method, path) in [
        ("GET", format!("/v1/scripts/{id}")),
        ("PATCH", format!("/v1/scripts/{id}")),
        ("POST", format!("/v1/scripts/{id}/execute")),
        ("POST", format!("/v1/scripts/{id}/deploy")),
        ("GET", format!("/v1/scripts/{id}/executions")),
        ("DELETE", format!("/v1/scripts/{id}")),
    ] {
        let reply = stranger.request(method, &path, json!({}));
        assert_eq!((reply.status, reply.json()["error"]["message"].as_str().unwrap()), (404, "Script not found"), "{method} {path}");
    }
    // With the script its key goes.
    data(owner.request("DELETE", &format!("/v1/scripts/{id}"), Value::Null));
    assert_eq!(script.request("POST", &format!("/v1/scripts/{id}/execute"), json!({})).status, 401);
}

#[test]
fn a_script_survives_the_process_and_needs_no_compiling() {
    let bed = Bed::start();
    let id = {
        let owner = bed.owner();
        let made = owner.script(GREETER, json!({}));
        let id = text(&made, "id").to_owned();
        data(owner.deploy(&id, json!({})));
        assert_eq!(owner.execute(&id, json!({ "name": "Ada" }))["status"], "completed");
        id
    };
    let bed = bed.kill_and_start_again(&[]);
    let owner = bed.owner();
    // Not even what it was made from is looked at.
    std::fs::remove_dir_all(bed.data_folder().join("scripts")).unwrap();
    assert_eq!(owner.execute(&id, json!({ "name": "Bo" }))["result"]["greeting"], "Hello, Bo!");
    assert_eq!(data(owner.request("GET", &format!("/v1/scripts/{id}/metrics"), Value::Null))["totalExecutions"], 2);
}

#[test]
fn code_is_read_and_edited_by_its_text() {
    let bed = Bed::start();
    let owner = bed.owner();
    let made = owner.script(GREETER, json!({}));
    let id = text(&made, "id");
    let read = data(owner.dispatch("scripts", "readScriptCode", json!({ "scriptId": id, "startLine": 2, "endLine": 3 })));
    assert_eq!((&read["totalLines"], &read["startLine"], &read["endLine"]), (&json!(4), &json!(2), &json!(3)));
    assert!(text(&read, "code").starts_with("2\t  console.log("), "{read}");
    let edit = |edits: Value| owner.dispatch("scripts", "editScriptCode", json!({ "scriptId": id, "edits": edits }));
    let edited = data(edit(json!([{ "oldText": "Hello, ", "newText": "Good day, " }, { "oldText": "Good day", "newText": "Hey" }])));
    assert_eq!((&edited["version"], &edited["linesChanged"]), (&json!(2), &json!(2)));
    data(owner.deploy(id, json!({})));
    assert_eq!(owner.execute(id, json!({ "name": "Ada" }))["result"]["greeting"], "Hey, Ada!");
    for (edits, field) in [
        (json!([{ "oldText": "nowhere", "newText": "x" }]), "edits[0].oldText"),
        (json!([{ "oldText": "Hey", "newText": "Hi" }, { "oldText": "event", "newText": "x" }]), "edits[1].oldText"),
        (json!([{ "oldText": "", "newText": "x" }]), "edits[0].oldText"),
        (json!([]), "edits"),
    ] {
        assert_eq!(refusal(&edit(edits)), (400, "VALIDATION_ERROR".into(), field.into()));
    }
    assert_eq!(data(owner.dispatch("scripts", "listVersions", json!({ "scriptId": id })))["count"], 2);
}

#[test]
fn code_is_looked_over_before_it_is_deployed() {
    let bed = Bed::start();
    let owner = bed.owner();
    let lint = |params: Value| data(owner.dispatch("scripts", "lintScript", params));
    let code =
        "export async function handler(event) {\n  // mirra.memory.nothing()\n  await mirra.memory.creat({ content: event.data.nmae });\n}";
    let schema = json!({ "properties": { "name": { "type": "string" } } });
    let found = lint(json!({ "code": code, "scriptInputSchema": schema }));
    let issues: Vec<_> =
        found["issues"].as_array().unwrap().iter().map(|issue| (&issue["rule"], &issue["line"], &issue["column"])).collect();
    assert_eq!(issues, [(&json!("unknown-operation"), &json!(3), &json!(22)), (&json!("unknown-field"), &json!(3), &json!(50))], "{found}");
    assert_eq!((&found["valid"], &found["issues"][0]["suggestion"]), (&json!(false), &json!("mirra.memory.create")));
    let found = lint(json!({ "code": "return mirra.memory.query({})" }));
    assert_eq!((&found["valid"], &found["issues"][0]["severity"]), (&json!(false), &json!("error")), "{found}");
    assert_eq!(lint(json!({ "code": GREETER }))["valid"], true);
}

#[test]
fn limits_hold_at_their_edge() {
    let bed = Bed::start();
    let owner = bed.owner();
    let create = |config: Value| {
        owner.request("POST", "/v1/scripts", json!({ "name": "x", "code": "export const handler = () => 1;", "config": config }))
    };
    for config in [json!({ "timeout": 1 }), json!({ "timeout": 300, "memory": 3008 }), json!({ "memory": 128, "maxExecutionsPerDay": 1 })] {
        assert_eq!(create(config).status, 200);
    }
    for (config, field) in [
        (json!({ "timeout": 0 }), "config.timeout"),
        (json!({ "timeout": 301 }), "config.timeout"),
        (json!({ "memory": 127 }), "config.memory"),
        (json!({ "memory": 3009 }), "config.memory"),
        (json!({ "memory": "128" }), "config.memory"),
        (json!({ "maxExecutionsPerDay": 0 }), "config.maxExecutionsPerDay"),
        (json!({ "maxCostPerExecution": -1 }), "config.maxCostPerExecution"),
        (json!({ "allowedResources": "telegram" }), "config.allowedResources"),
    ] {
        assert_eq!(refusal(&create(config)), (400, "VALIDATION_ERROR".into(), field.into()));
    }
    for (params, field) in [
        (json!({ "code": "x" }), "name"),
        (json!({ "name": "x" }), "code"),
        (json!({ "name": "x", "code": " \n" }), "code"),
        (json!({ "name": "x".repeat(201), "code": "x" }), "name"),
        (json!({ "name": "x", "code": "x", "runtime": "nodejs20" }), "runtime"),
        (json!({ "name": "x", "code": "x", "tags": [1] }), "tags[0]"),
        (json!({ "name": "x", "files": { "../handler.ts": "x" } }), "files"),
        (json!({ "name": "x", "files": { "/etc/handler.ts": "x" } }), "files"),
        (json!({ "name": "x", "files": { ".npmrc": "x" } }), "files"),
    ] {
        assert_eq!(refusal(&owner.request("POST", "/v1/scripts", params)), (400, "VALIDATION_ERROR".into(), field.into()));
    }
    let id = text(&data(create(json!({ "maxExecutionsPerDay": 2 }))), "id").to_owned();
    data(owner.deploy(&id, json!({})));
    owner.execute(&id, json!({}));
    owner.execute(&id, json!({}));
    let refused = owner.request("POST", &format!("/v1/scripts/{id}/execute"), json!({}));
    assert_eq!((refused.status, refused.code().as_str()), (429, "RATE_LIMITED"));
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 86_400);
    // 100 a minute are executed, whatever is allowed a day.
    let id = text(&data(create(json!({ "maxExecutionsPerDay": 1000 }))), "id").to_owned();
    data(owner.deploy(&id, json!({})));
    (0..100).for_each(|_| drop(owner.execute(&id, json!({}))));
    assert_eq!(owner.request("POST", &format!("/v1/scripts/{id}/execute"), json!({})).status, 429);
}

#[test]
fn a_python_script_runs_too_and_modules_come_with_it() {
    let bed = Bed::start();
    let owner = bed.owner();
    let code = "async def handler(event, context):\n    print('hi')\n    return {'success': True, 'name': event['data']['name']}\n";
    let made = data(owner.request("POST", "/v1/scripts", json!({ "name": "py", "runtime": "python3.11", "code": code })));
    data(owner.deploy(text(&made, "id"), json!({})));
    let run = owner.execute(text(&made, "id"), json!({ "name": "Ada" }));
    assert_eq!((&run["result"]["name"], &run["logs"]), (&json!("Ada"), &json!(["hi"])), "{run}");
    let files = json!({ "lib/double.ts": "export const double = (x: number) => 2 * x;", "handler.ts": "import { double } from './lib/double';\nexport const handler = (event: any) => double(event.data);" , "package.json": "{}" });
    let made = data(owner.request("POST", "/v1/scripts", json!({ "name": "modules", "files": files })));
    data(owner.deploy(text(&made, "id"), json!({})));
    assert_eq!(owner.execute(text(&made, "id"), json!(21))["result"], 42);
}

#[test]
fn a_published_script_is_installed_as_a_copy_and_paid_for() {
    let bed = Bed::start();
    let owner = bed.owner();
    let made = data(owner.request(
        "POST",
        "/v1/scripts",
        json!({ "name": "Doubler", "description": "Doubles numbers", "tags": ["math"], "code": "export const handler = (event) => 2 * event.data;" }),
    ));
    let id = text(&made, "id");
    let publish = |pricing: Value| owner.request("POST", &format!("/v1/scripts/{id}/publish"), json!({ "pricing": pricing }));
    assert_eq!(refusal(&publish(json!({ "model": "free" }))), (400, "VALIDATION_ERROR".into(), "scriptId".into()));
    data(owner.deploy(id, json!({})));
    for (pricing, field) in
        [(json!({ "model": "pay-per-execution", "price": 0 }), "pricing.price"), (json!({ "model": "gift" }), "pricing.model")]
    {
        let (status, code, found) = refusal(&publish(pricing));
        assert!(status == 400 && code == "VALIDATION_ERROR" && field.starts_with(&found), "{found}");
    }
    data(publish(json!({ "model": "pay-per-execution", "price": 0.25 })));
    let (user, _) = owner.sub_account("User");
    let listed = data(user.dispatch("scripts", "listMarketplaceScripts", json!({ "search": "DOUBLES math" })));
    assert_eq!(
        (&listed["total"], &listed["scripts"][0]["id"], &listed["scripts"][0]["pricing"]["price"]),
        (&json!(1), &json!(id), &json!(0.25))
    );
    // In one list with what else there is.
    let market = |query: &str| user.request("GET", &format!("/v1/marketplace{query}"), Value::Null).json();
    assert_eq!(market("?type=script&search=doubles")["data"][0]["id"], id);
    assert_eq!(market("/search?q=doubler")["data"][0]["type"], "script");
    assert_eq!(market("?type=resource&search=doubler")["data"], json!([]));
    let all = market("?limit=1&offset=1");
    assert!(all["meta"]["total"].as_u64().unwrap() > 1 && all["data"][0]["type"] == "resource", "{all}");
    // Its author's own is neither installed nor seen by others.
    assert_eq!(user.request("GET", &format!("/v1/scripts/{id}"), Value::Null).status, 404);
    assert_eq!(owner.request("POST", &format!("/v1/scripts/{id}/install"), Value::Null).status, 400);
    let installed = data(user.request("POST", &format!("/v1/scripts/{id}/install"), Value::Null));
    let again = user.request("POST", &format!("/v1/scripts/{id}/install"), Value::Null);
    assert!(again.status == 409 && again.text().contains("already installed"), "{}", again.text());
    let copy = text(&installed, "scriptId");
    let run = user.execute(copy, json!(21));
    assert_eq!(run["result"], 42);
    assert!(run["cost"].as_f64().unwrap() > 0.25 && run["cost"].as_f64().unwrap() < 0.26, "{run}");
    // What its author does afterwards is nothing to those who have it.
    data(owner.request("POST", &format!("/v1/scripts/{id}/versions"), json!({ "code": "export const handler = () => 'spam';" })));
    data(owner.deploy(id, json!({})));
    data(owner.request("POST", &format!("/v1/scripts/{id}/unpublish"), Value::Null));
    assert_eq!(user.execute(copy, json!(1))["result"], 2);
    assert_eq!(data(user.dispatch("scripts", "listMarketplaceScripts", json!({})))["total"], 0);
    assert_eq!(user.request("POST", &format!("/v1/scripts/{copy}/publish"), json!({})).status, 400);
    // By the month: once, however often it runs.
    data(publish(json!({ "model": "subscription", "price": 0.5 })));
    let (other, _) = owner.sub_account("Other");
    let installed = data(other.request("POST", &format!("/v1/scripts/{id}/install"), Value::Null));
    let costs: Vec<_> = (0..2).map(|_| other.execute(text(&installed, "id"), json!(1))["cost"].as_f64().unwrap()).collect();
    assert!(costs[0] > 0.5 && costs[1] < 0.01, "{costs:?}");
    let review = |user: &User<'_>, rating: i64| user.request("POST", &format!("/v1/scripts/{id}/reviews"), json!({ "rating": rating }));
    assert_eq!((review(&owner, 5).status, review(&other, 6).status), (400, 400));
    data(review(&other, 4));
    data(review(&user, 5));
    assert_eq!(user.request("POST", &format!("/v1/scripts/{id}/reviews"), json!({ "rating": "5" })).status, 400);
    let pick = |user: &User<'_>| user.dispatch("scripts", "setStaffPick", json!({ "scriptId": id }));
    assert_eq!((pick(&user).status, pick(&owner).status), (403, 200));
    let trending = data(user.dispatch("scripts", "listMarketplaceScripts", json!({ "sortBy": "trendingScore", "staffPick": true })));
    let first = &trending["scripts"][0];
    assert_eq!((&first["rating"], &first["reviewCount"], &first["installs"]), (&json!(4.5), &json!(2), &json!(2)), "{first}");
    assert_eq!(first["trendingScore"], 4.0);
}
