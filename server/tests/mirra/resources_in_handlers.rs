//! Resources as handlers call them, and handlers as resources.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    control::{User, data},
    local_api::{Answered, LocalApi},
    resources::{crypto, prices},
    support::{Server, mirra, write},
};

const HANDLER: &str = "export async function handler({ name, params }) {
  const called = (call) => call.then((answer) => answer, (error) => [error.name, error.code, error.message]);
  return Promise.all([
    called(mirra[name].getPrice(params)),
    called(mirra.resources[name].getPrice(params)),
    called(mirra.resources.call({ resourceId: name, method: 'getPrice', params })),
    called(mirra.resources.call({ resourceId: 'keys', method: 'create', params: { name: 'mine' } })),
  ]);
}";

/// A server with handlers, on the store that all tests share: names are of this test alone.
struct Served {
    folder: tempfile::TempDir,
    server: Server,
}

impl Served {
    fn start(api: &LocalApi, handlers: &[(&str, &str)], flags: &[&str]) -> Served {
        let folder = tempdir().unwrap();
        handlers.iter().for_each(|(name, code)| write(folder.path().join(name), code));
        let allow = api.address.to_string();
        let flags = [&["--allow-net", &allow], flags].concat();
        let server = Server::start_with(&[folder.path()], &flags, |command| _ = command.env("MIRRA_OWNER_KEY", "key"));
        Served { folder, server }
    }

    fn owner(&self) -> User<'_> {
        User { server: &self.server, key: "key".to_owned() }
    }

    fn run(&self, name: &str, event: &Value) -> Value {
        self.server.client().send("POST", &format!("/run/{name}"), &[("X-API-Key", "key")], event.to_string()).json()
    }
}

#[test]
fn handlers_call_what_their_account_has_installed() {
    let api = prices();
    let served = Served::start(&api, &[("asks.js", HANDLER)], &[]);
    let mut resource = crypto(&api);
    let name = format!("prices{}", api.address.port());
    resource["name"] = name.clone().into();
    served.owner().ready(&resource);
    let answer = served.run("asks", &json!({ "name": name, "params": { "symbol": "BTC" } }));
    let price = json!({ "price": 1.5, "symbol": "BTC" });
    assert_eq!((&answer[0], &answer[1], &answer[2], &answer[3][1]), (&price, &price, &price, &json!("RESOURCE_DENIED")), "{answer}");
    let answer = served.run("asks", &json!({ "name": name, "params": {} }));
    assert_eq!((&answer[0][0], &answer[0][1]), (&json!("MirraError"), &json!("VALIDATION_ERROR")));
    assert_eq!(served.run("asks", &json!({ "name": "nothing", "params": {} }))[0][1], "NOT_FOUND");

    // Within what its settings say, and within its budget: nothing is sent otherwise.
    let asked = api.asked().len();
    let run = |arguments: &[&str], folder: &std::path::Path| {
        let event = json!({ "name": name, "params": { "symbol": "BTC" } }).to_string();
        let mut command = mirra(&["run", folder.to_str().unwrap(), "--event", &event, "--allow-net", &api.address.to_string()]);
        crate::support::run(command.args(arguments), "").json()
    };
    let denied = tempdir().unwrap();
    write(denied.path().join("index.js"), HANDLER);
    write(denied.path().join("package.json"), r#"{ "type": "module", "mirra": { "allowedResources": ["telegram"] } }"#);
    let answer = run(&[], denied.path());
    assert_eq!((&answer[0][1], &answer[2][1]), (&json!("RESOURCE_DENIED"), &json!("RESOURCE_DENIED")), "{answer}");
    let answer = run(&["--max-cost-usd", "0.0005"], &served.folder.path().join("asks.js"));
    assert_eq!(answer[0][1], "COST_LIMIT", "{answer}");
    assert_eq!(api.asked().len(), asked);
}

#[test]
fn handlers_are_resources_of_the_servers_owner() {
    const GREETS: &str = "export const handler = ({ name }) => `Hello, ${name}!`;";
    const CALLS_ITSELF: &str = "export async function handler({ self }) {
      try { return 1 + await mirra[self].run({ self }); } catch (error) { return error.code; }
    }";
    let api = LocalApi::start(|_| Answered::json(404, &Value::Null));
    let served = Served::start(&api, &[("greets.js", GREETS), ("loops.js", CALLS_ITSELF)], &[]);
    let owner = served.owner();
    let script = |name: &str, handler: &str| {
        json!({
            "name": format!("{name}{}", api.address.port()),
            "description": "a handler",
            "resourceType": "script",
            "endpoint": { "baseUrl": format!("https://api.example.com/scripts/{handler}"), "authentication": "none" },
        })
    };
    let id = owner.publish(&script("greeter", "greets"));
    let (user, _) = owner.sub_account("Ada");
    data(user.request("POST", &format!("/v1/resources/{id}/install"), Value::Null));
    assert_eq!(data(user.dispatch(&id, "run", json!({ "name": "Ada" }))), "Hello, Ada!");
    // Nobody else offers what this server serves.
    let denied = user.request("POST", "/v1/resources", script("mine", "greets"));
    assert_eq!((denied.status, denied.code()), (403, "RESOURCE_DENIED".to_owned()));
    let looping = script("loop", "loops");
    let id = owner.make(&looping);
    data(owner.request("POST", &format!("/v1/resources/{id}/install"), Value::Null));
    let answer = data(owner.dispatch(&id, "run", json!({ "self": looping["name"] })));
    assert_eq!(answer, "11RESOURCE_DENIED");
}
