//! Resources over the API: made, published, installed, authenticated, called, paid.

use serde_json::{Value, json};

use crate::{
    control::{Bed, User, data, refusal},
    local_api::{Answered, LocalApi},
    support::fixtures,
};

/// The example of the documents, at a server of the test's own.
pub fn crypto(api: &LocalApi) -> Value {
    let text = std::fs::read_to_string(fixtures("resources/crypto-price.json")).unwrap();
    let mut resource: Value = serde_json::from_str(&text).unwrap();
    resource["endpoint"]["baseUrl"] = api.url().into();
    resource
}

pub fn prices() -> LocalApi {
    LocalApi::start(|asked| match (&*asked.method, &*asked.path) {
        ("POST", "/v1/orders") => Answered::json(201, &json!({ "id": "order_1" })),
        ("GET", "/v1/price/NONE") => Answered::json(404, &json!({ "error": { "message": "no such symbol" } })),
        ("GET", "/v1/price/WRONG") => Answered::json(200, &json!({ "price": "a lot" })),
        ("GET", "/v1/price/ECHO") => Answered::json(200, &json!({ "price": 1.5, "symbol": asked.header("x-api-key") })),
        ("GET", "/v1/price/BUSY") => Answered { headers: vec![("retry-after", "7".to_owned())], ..Answered::json(429, &json!({})) },
        _ => Answered::json(200, &json!({ "price": 1.5, "symbol": "BTC" })),
    })
}

impl User<'_> {
    #[track_caller]
    pub fn make(&self, resource: &Value) -> String {
        data(self.request("POST", "/v1/resources", resource.clone()))["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn publish(&self, resource: &Value) -> String {
        let id = self.make(resource);
        assert_eq!(data(self.request("POST", &format!("/v1/resources/{id}/publish"), json!({})))["status"], "published");
        id
    }

    /// Makes it, installs it, and gives it a key.
    #[track_caller]
    pub fn ready(&self, resource: &Value) -> String {
        let id = self.make(resource);
        let installed = data(self.request("POST", &format!("/v1/resources/{id}/install"), json!({})));
        if installed["isAuthenticated"] == false {
            let credentials = json!({ "type": "api_key", "credentials": { "apiKey": "sk_live_secret" } });
            data(self.request("POST", &format!("/v1/resources/{id}/authenticate"), credentials));
        }
        installed["installationId"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn usage(&self, installation: &str) -> Value {
        data(self.request("GET", &format!("/v1/resources/installations/{installation}/usage"), Value::Null))
    }
}

pub fn bed_for(api: &LocalApi) -> Bed {
    Bed::start_with(&["--allow-net", &api.address.to_string()])
}

#[test]
fn the_documents_own_example_works_in_every_form() {
    let api = prices();
    let bed = bed_for(&api);
    let owner = bed.owner();
    let made = data(owner.request("POST", "/v1/resources", crypto(&api)));
    assert_eq!((&made["name"], &made["resourceType"], &made["status"]), (&json!("Crypto Price API"), &json!("api"), &json!("draft")));
    let id = made["id"].as_str().unwrap();
    data(owner.request("POST", &format!("/v1/resources/{id}/publish"), json!({})));

    let (user, account) = owner.sub_account("Ada");
    let installed = data(user.request("POST", &format!("/v1/resources/{id}/install"), Value::Null));
    let installation = installed["installationId"].as_str().unwrap();
    assert_eq!(
        (&installed["resourceId"], &installed["userId"], &installed["isAuthenticated"], &installed["status"]),
        (&json!(id), &account["actorId"], &json!(false), &json!("active"))
    );
    let early = user.dispatch(id, "getPrice", json!({ "symbol": "BTC" }));
    assert_eq!((early.status, early.code()), (403, "RESOURCE_DENIED".to_owned()));
    assert!(early.text().contains("authenticate it"), "{}", early.text());
    let credentials = json!({ "type": "api_key", "credentials": { "apiKey": "sk_live_secret" } });
    let authenticated = data(user.request("POST", &format!("/v1/resources/{id}/authenticate"), credentials));
    assert_eq!(authenticated["isAuthenticated"], true);

    let params = json!({ "symbol": "BTC/USD ?#", "X-Trace": "one" });
    let call = json!({ "resourceId": "crypto-price-api", "method": "getPrice", "params": params });
    for answer in [
        user.dispatch(id, "getPrice", params.clone()),
        user.request("POST", "/v1/resources/call", call),
        user.request("POST", "/v1/cryptoPriceApi/getPrice", params),
    ] {
        assert_eq!(data(answer), json!({ "price": 1.5, "symbol": "BTC" }));
        let asked = api.last();
        assert_eq!((&*asked.path, &*asked.query), ("/v1/price/BTC%2FUSD%20%3F%23", "currency=USD"));
        assert_eq!((asked.header("x-api-key"), asked.header("x-trace")), (Some("sk_live_secret"), Some("one")));
    }
    assert_eq!(data(user.dispatch(id, "placeOrder", json!({ "symbol": "BTC", "amount": 2 }))), json!({ "id": "order_1" }));
    assert_eq!(api.last().json(), json!({ "symbol": "BTC", "amount": 2 }));

    let used = user.usage(installation);
    assert_eq!((&used["totalCalls"], &used["totalCost"], &used["callsToday"]), (&json!(4), &json!(0.004), &json!(4)));
    assert_eq!((&used["recentCalls"][0]["method"], &used["recentCalls"][0]["cost"]), (&json!("placeOrder"), &json!(0.001)));
    let metrics = data(owner.request("GET", &format!("/v1/resources/{id}/metrics"), Value::Null));
    assert_eq!(metrics, json!({ "totalUsers": 1, "totalCalls": 4, "totalRevenue": 0.004, "rating": null, "reviewCount": 0 }));
}

#[test]
fn what_is_wrong_with_a_call_is_told_before_it_is_made() {
    let api = prices();
    let bed = bed_for(&api);
    let owner = bed.owner();
    owner.ready(&crypto(&api));
    let call = |method: &str, params: Value| owner.dispatch("cryptoPriceApi", method, params);
    for (method, params, status, code, field) in [
        ("getPrice", json!({}), 400, "VALIDATION_ERROR", "symbol"),
        ("getPrice", json!({ "symbol": 5 }), 400, "VALIDATION_ERROR", "symbol"),
        ("getPrice", json!({ "symbol": ".." }), 400, "VALIDATION_ERROR", "symbol"),
        ("getPrice", json!({ "symbol": "" }), 400, "VALIDATION_ERROR", "symbol"),
        ("getPrice", json!({ "symbol": "BTC", "X-Trace": "a\r\nX-Evil: 1" }), 400, "VALIDATION_ERROR", "X-Trace"),
        ("placeOrder", json!({ "symbol": "BTC" }), 400, "VALIDATION_ERROR", "amount"),
        ("placeOrder", json!({ "symbol": "BTC", "amount": -1 }), 400, "VALIDATION_ERROR", "amount"),
        ("buyAll", json!({}), 404, "NOT_FOUND", ""),
    ] {
        assert_eq!(refusal(&call(method, params)), (status, code.to_owned(), field.to_owned()), "{method}");
    }
    assert_eq!(owner.dispatch("weather", "get", json!({})).code(), "NOT_FOUND");
    assert!(call("buyAll", json!({})).text().contains("getPrice, placeOrder"));
    assert!(api.asked().is_empty());

    // `..` with more around it is a name like any other, and does not leave its place in the path.
    data(call("getPrice", json!({ "symbol": "../../admin" })));
    assert_eq!(api.last().path, "/v1/price/..%2F..%2Fadmin");
    let missing = call("getPrice", json!({ "symbol": "NONE" }));
    assert_eq!((missing.status, missing.code()), (500, "HANDLER_ERROR".to_owned()));
    assert!(missing.text().contains("404 Not Found: no such symbol"), "{}", missing.text());
    let wrong = call("getPrice", json!({ "symbol": "WRONG" }));
    assert!(wrong.code() == "HANDLER_ERROR" && wrong.text().contains("/price"), "{}", wrong.text());
    let busy = call("getPrice", json!({ "symbol": "BUSY" }));
    assert_eq!((busy.status, busy.header("retry-after")), (429, Some("7")));
    assert_eq!(data(call("getPrice", json!({ "symbol": "ECHO" })))["symbol"], "[credential]");
}

#[test]
fn documents_and_endpoints_that_are_none_are_refused_with_their_place() {
    let api = prices();
    let bed = Bed::start();
    let owner = bed.owner();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut resource = crypto(&api);
        change(&mut resource);
        refusal(&owner.request("POST", "/v1/resources", resource))
    };
    let invalid = |field: &str| (400, "VALIDATION_ERROR".to_owned(), field.to_owned());
    for (field, pointer, value) in [
        ("openApiSpec", "/openApiSpec/openapi", json!("2.0")),
        ("openApiSpec", "/openApiSpec/paths", json!([])),
        ("openApiSpec", "/openApiSpec/info", json!(null)),
        ("openApiSpec", "/openApiSpec", json!("openapi: 3.0.0\ninfo: [")),
        ("endpoint.baseUrl", "/endpoint/baseUrl", json!("ftp://example.com")),
        ("endpoint.baseUrl", "/endpoint/baseUrl", json!("https://user:word@example.com")),
        ("endpoint.authentication", "/endpoint/authentication", json!("magic")),
        ("endpoint.methods[1].path", "/endpoint/methods/1/path", json!("/v1/nothing")),
        ("endpoint.methods[1].name", "/endpoint/methods/1/name", json!("getPrice")),
        ("endpoint.methods[0].name", "/endpoint/methods/0/name", json!("get price")),
        ("pricing.basePrice", "/pricing/basePrice", json!(-1)),
        ("pricing.model", "/pricing/model", json!("barter")),
        ("name", "/name", json!("Memory")),
        ("name", "/name", json!("…")),
        ("resourceType", "/resourceType", json!("thing")),
        ("description", "/description", json!("")),
    ] {
        assert_eq!(with(&|resource| *resource.pointer_mut(pointer).unwrap() = value.clone()), invalid(field), "{pointer} {value}");
    }
    let mut resource = crypto(&api);
    resource["openApiSpec"]["paths"]["/v1/orders"]["post"]["requestBody"] = json!({ "$ref": "#/components/requestBodies/Order" });
    let reply = owner.request("POST", "/v1/resources", resource);
    let problem = &reply.json()["error"]["details"]["problems"][0];
    assert!(problem["pointer"].as_str().unwrap().starts_with("/paths/~1v1~1orders/post/requestBody"), "{problem}");
    // Nothing of all that is there now.
    assert_eq!(owner.request("GET", "/v1/resources", Value::Null).json()["meta"]["total"], 0);
    // The same document as text of YAML.
    let mut resource = crypto(&api);
    resource["openApiSpec"] = format!("# as text\n{}", resource["openApiSpec"]).into();
    owner.make(&resource);
}

#[test]
fn the_marketplace_has_what_is_published_and_nobody_sees_the_rest() {
    let api = prices();
    let bed = bed_for(&api);
    let owner = bed.owner();
    let mut resource = crypto(&api);
    resource["endpoint"]["headers"] = json!({ "x-plan": "the creator's" });
    let id = owner.make(&resource);
    let (user, _) = owner.sub_account("Ada");
    let at = |action: &str| format!("/v1/resources/{id}{action}");
    let found = |query: &str| {
        let reply = user.request("GET", &format!("/v1/marketplace/search?q={query}&limit=5"), Value::Null).json();
        let names: Vec<String> = reply["data"].as_array().unwrap().iter().map(|item| item["name"].to_string()).collect();
        names
    };
    let crypto_only = vec![r#""Crypto Price API""#.to_owned()];
    assert!(found("cryptocurrency").is_empty());
    for (method, action) in
        [("GET", ""), ("POST", "/install"), ("POST", "/publish"), ("GET", "/metrics"), ("GET", "/openapi"), ("DELETE", "")]
    {
        assert_eq!(user.request(method, &at(action), Value::Null).status, 404, "{method} {action}");
    }
    data(owner.request("POST", &at("/publish"), json!({})));
    assert_eq!((found("cryptocurrency"), found("PRICES%20crypto")), (crypto_only.clone(), crypto_only));
    assert!(found("100%25").is_empty());
    assert_eq!(user.request("PATCH", &at(""), json!({ "name": "Mine" })).status, 404);
    assert_eq!(user.request("PUT", &at(""), json!({})).header("allow"), Some("GET, PATCH, DELETE"));

    data(user.request("POST", &at("/install"), Value::Null));
    assert_eq!(user.request("POST", &at("/install"), Value::Null).code(), "CONFLICT");
    let endpoint = |of: &User| data(of.request("GET", &at(""), Value::Null))["endpoint"]["headers"].clone();
    assert_eq!((endpoint(&owner), endpoint(&user)), (json!({ "x-plan": "the creator's" }), Value::Null));
    data(user.request("POST", &at("/reviews"), json!({ "rating": 4, "comment": "good" })));
    data(user.request("POST", &at("/reviews"), json!({ "rating": 5, "comment": "better" })));
    assert_eq!(refusal(&user.request("POST", &at("/reviews"), json!({ "rating": 6 }))).2, "rating");
    assert_eq!(refusal(&owner.request("POST", &at("/reviews"), json!({ "rating": 5 }))).2, "id");
    let reviews = user.request("GET", &at("/reviews"), Value::Null).json();
    assert_eq!((&reviews["meta"]["total"], &reviews["data"][0]["comment"]), (&json!(1), &json!("better")));
    assert_eq!(data(owner.request("GET", &at("/metrics"), Value::Null))["rating"], 5.0);

    // Whoever has it keeps it; it is deleted when nobody has it any more.
    data(owner.request("POST", &at("/unpublish"), json!({})));
    assert!(found("cryptocurrency").is_empty());
    assert_eq!(data(user.request("GET", &at(""), Value::Null))["status"], "unpublished");
    assert_eq!(owner.request("DELETE", &at(""), Value::Null).code(), "CONFLICT");
    data(user.request("DELETE", &at("/install"), Value::Null));
    assert_eq!(user.request("GET", &at(""), Value::Null).status, 404);
    data(owner.request("DELETE", &at(""), Value::Null));
    assert_eq!(owner.request("GET", &at(""), Value::Null).status, 404);
}

#[test]
fn money_and_calls_are_counted_and_limited() {
    let api = prices();
    let bed = bed_for(&api);
    let owner = bed.owner();
    let mut tiered = crypto(&api);
    tiered["pricing"] = json!({ "model": "tiered", "subscriptionTiers": [
        { "name": "Basic", "price": 10.0, "includedCalls": 2, "overagePrice": 0.01 },
        { "name": "Pro", "price": 50.0, "includedCalls": 10000, "overagePrice": 0.005 },
    ] });
    tiered["rateLimit"] = json!({ "requests": 5, "window": "1d" });
    let installation = owner.ready(&tiered);
    let call = || owner.dispatch("cryptoPriceApi", "getPrice", json!({ "symbol": "BTC" }));
    for _ in 0..5 {
        data(call());
    }
    let refused = call();
    assert_eq!((refused.status, refused.code()), (429, "RATE_LIMITED".to_owned()));
    let wait_s: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&wait_s), "{wait_s}");
    let used = owner.usage(&installation);
    assert_eq!((&used["totalCalls"], &used["totalCost"]), (&json!(5), &json!(10.03)));

    // What was counted and paid is so after a crash, too.
    let bed = bed.kill_and_start_again(&["--allow-net", &api.address.to_string()]);
    assert_eq!(bed.owner().usage(&installation)["totalCost"], json!(10.03));
    assert_eq!(bed.owner().dispatch("cryptoPriceApi", "getPrice", json!({ "symbol": "BTC" })).code(), "RATE_LIMITED");
    let mut unknown = tiered.clone();
    unknown["name"] = "Another".into();
    let id = bed.owner().make(&unknown);
    assert_eq!(refusal(&bed.owner().request("POST", &format!("/v1/resources/{id}/install"), json!({ "tier": "Gold" }))).2, "tier");
}

#[test]
fn private_networks_are_reached_only_where_the_operator_has_named_them() {
    let api = prices();
    let bed = Bed::start();
    bed.owner().ready(&crypto(&api));
    let refused = bed.owner().dispatch("cryptoPriceApi", "getPrice", json!({ "symbol": "BTC" }));
    assert_eq!((refused.status, refused.code()), (403, "RESOURCE_DENIED".to_owned()));
    assert!(refused.text().contains("--allow-net") && api.asked().is_empty(), "{}", refused.text());
    // What the operator has named is for what the owner makes, and not for what any account does.
    let bed = bed_for(&api);
    let (user, _) = bed.owner().sub_account("Mallory");
    user.ready(&crypto(&api));
    let refused = user.dispatch("cryptoPriceApi", "getPrice", json!({ "symbol": "BTC" }));
    assert!(refused.code() == "RESOURCE_DENIED" && api.asked().is_empty(), "{}", refused.text());
}

#[test]
fn prices_stay_as_they_were_agreed_and_are_bounded() {
    let api = prices();
    let bed = bed_for(&api);
    let owner = bed.owner();
    let installation = owner.ready(&crypto(&api));
    let id = owner.request("GET", "/v1/resources", Value::Null).json()["data"][0]["id"].as_str().unwrap().to_owned();
    let dearer = json!({ "pricing": { "model": "pay-per-call", "basePrice": 1000 } });
    data(owner.request("PATCH", &format!("/v1/resources/{id}"), dearer));
    data(owner.dispatch(&id, "getPrice", json!({ "symbol": "BTC" })));
    assert_eq!(owner.usage(&installation)["totalCost"], json!(0.001));
    let too_dear = json!({ "pricing": { "model": "pay-per-call", "basePrice": 9_000_000 } });
    assert_eq!(refusal(&owner.request("PATCH", &format!("/v1/resources/{id}"), too_dear)).2, "pricing");
}

#[test]
fn many_values_are_refused_before_they_take_memory() {
    let api = LocalApi::start(|_| {
        let body = format!("[{}0]", "{\"\":0},".repeat(900_000));
        Answered { body: body.into_bytes(), ..Answered::json(200, &Value::Null) }
    });
    let bed = bed_for(&api);
    bed.owner().ready(&crypto(&api));
    let refused = bed.owner().dispatch("cryptoPriceApi", "getPrice", json!({ "symbol": "BTC" }));
    assert_eq!((refused.status, refused.code()), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    let many = json!({ "symbol": "BTC", "currency": vec![0; 400_000] });
    assert_eq!(bed.owner().dispatch("cryptoPriceApi", "getPrice", many).code(), "PAYLOAD_TOO_LARGE");
    let long = "m".repeat(5_000);
    assert_eq!(refusal(&bed.owner().dispatch("cryptoPriceApi", &long, json!({}))).2, "method");
}

/// What comes with the server, at a server of this test's own.
#[test]
fn the_catalog_is_there_from_the_start() {
    let api = LocalApi::answering(json!({ "ok": true, "result": { "message_id": 7, "date": 1, "chat": { "id": 1, "type": "private" } } }));
    let bed = bed_for(&api);
    let owner = bed.owner();
    let found = owner.request("GET", "/v1/marketplace?limit=100", Value::Null).json();
    let mut names: Vec<&str> = found["data"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["anthropic", "github", "gmail", "googleCalendar", "openai", "slack", "telegram"]);
    let install = |body: Value| owner.request("POST", "/v1/resources/resource_telegram/install", body);
    // Without a place for the key, or with more behind it.
    for base_url in [api.url(), format!("{}/bot{{apiKey}}?x=1", api.url()), "http://{apiKey}.example.com/".to_owned()] {
        assert_eq!(refusal(&install(json!({ "baseUrl": base_url }))).2, "baseUrl", "{base_url}");
    }
    data(install(json!({ "baseUrl": format!("{}/bot{{apiKey}}", api.url()) })));
    let credentials = json!({ "type": "api_key", "credentials": { "apiKey": "123:secret" } });
    data(owner.request("POST", "/v1/resources/telegram/authenticate", credentials));
    let sent = data(owner.request("POST", "/v1/telegram/sendMessage", json!({ "chat_id": 1, "text": "Hello" })));
    assert_eq!(sent["result"]["message_id"], 7);
    let asked = api.last();
    assert_eq!((&*asked.path, asked.json()), ("/bot123:secret/sendMessage", json!({ "chat_id": 1, "text": "Hello" })));
    assert_eq!(refusal(&owner.request("POST", "/v1/telegram/sendMessage", json!({ "text": "Hello" }))).2, "chat_id");
}

#[test]
fn documents_become_clients_and_pages() {
    let api = prices();
    let bed = bed_for(&api);
    let owner = bed.owner();
    let mut resource = crypto(&api);
    resource["description"] = "<script>alert(1)</script>".into();
    let id = owner.make(&resource);
    let client = data(owner.request("GET", &format!("/v1/resources/{id}/client"), Value::Null));
    assert_eq!(client["file"], "cryptoPriceApi.d.ts");
    assert!(client["code"].as_str().unwrap().contains("getPrice("), "{client}");
    let python = data(owner.request("GET", &format!("/v1/resources/{id}/client?language=python"), Value::Null));
    assert!(python["code"].as_str().unwrap().contains("def getPrice("), "{python}");
    let page = owner.request("GET", &format!("/v1/resources/{id}/docs"), Value::Null);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("/v1/price/{symbol}") && !page.text().contains("<script"), "{}", page.text());
    let document = data(owner.request("GET", &format!("/v1/resources/{id}/openapi"), Value::Null));
    assert_eq!(document["info"]["title"], "Crypto Price API");
}
