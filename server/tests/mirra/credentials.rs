//! Credentials: where they go, that they go nowhere else, and how they stay fresh.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use serde_json::{Value, json};

use crate::{
    control::{Bed, User, data, refusal},
    local_api::{Answered, LocalApi, tokens},
    resources::{bed_for, crypto, prices},
    support::{mirra, run, write},
};

const SECRETS: [&str; 4] = ["sk_live_secret", "client-secret-7f3a", "refresh-token-91", "access-token-17"];

/// The crypto prices, authenticated in some way.
fn authenticated(api: &LocalApi, name: &str, endpoint: Value) -> Value {
    let mut resource = crypto(api);
    resource["name"] = name.into();
    resource["endpoint"].as_object_mut().unwrap().extend(endpoint.as_object().unwrap().clone());
    resource
}

#[track_caller]
fn give(user: &User, id: &str, credentials: Value) {
    data(user.request("POST", &format!("/v1/resources/{id}/install"), Value::Null));
    data(user.request("POST", &format!("/v1/resources/{id}/authenticate"), credentials));
}

#[test]
fn each_way_of_authentication_puts_credentials_where_the_api_wants_them() {
    let api = prices();
    let bed = bed_for(&api);
    let owner = bed.owner();
    let price = |name: &str| data(owner.dispatch(name, "getPrice", json!({ "symbol": "BTC" })));
    for (name, endpoint, credentials) in [
        (
            "Keyed",
            json!({ "authentication": "api_key", "authConfig": { "headerName": "X-Secret", "location": "header" } }),
            json!({ "type": "api_key", "credentials": { "apiKey": "k1-secret" } }),
        ),
        (
            "Queried",
            json!({ "authentication": "api_key", "authConfig": { "paramName": "token", "location": "query" } }),
            json!({ "type": "api_key", "credentials": { "apiKey": "k2 &secret" } }),
        ),
        (
            "Pathed",
            json!({ "baseUrl": format!("{}/bot{{apiKey}}", api.url()), "authentication": "api_key", "authConfig": { "location": "path" } }),
            json!({ "type": "api_key", "credentials": { "apiKey": "12:k/3" } }),
        ),
        (
            "Bearing",
            json!({ "authentication": "bearer", "authConfig": { "tokenField": "access_token" } }),
            json!({ "type": "bearer", "credentials": { "access_token": "k4-secret" } }),
        ),
        (
            "Basic",
            json!({ "authentication": "basic", "authConfig": {} }),
            json!({ "type": "basic", "credentials": { "username": "ada", "password": "k5-secret" } }),
        ),
    ] {
        let id = owner.make(&authenticated(&api, name, endpoint));
        give(&owner, &id, credentials);
        price(name);
        let asked = api.last();
        match name {
            "Keyed" => assert_eq!(asked.header("x-secret"), Some("k1-secret")),
            "Queried" => assert_eq!(asked.query, "currency=USD&token=k2+%26secret"),
            "Pathed" => assert_eq!(asked.path, "/bot12:k%2F3/v1/price/BTC"),
            "Bearing" => assert_eq!(asked.header("authorization"), Some("Bearer k4-secret")),
            _ => assert_eq!(asked.header("authorization"), Some("Basic YWRhOms1LXNlY3JldA==")),
        }
        let wrong = json!({ "type": "oauth2", "credentials": { "accessToken": "x" } });
        assert_eq!(refusal(&owner.request("POST", &format!("/v1/resources/{id}/authenticate"), wrong)).2, "type");
    }
    let open = owner.make(&authenticated(&api, "Open", json!({ "authentication": "none" })));
    data(owner.request("POST", &format!("/v1/resources/{open}/install"), Value::Null));
    price("Open");
    assert!(api.last().header("authorization").is_none());
}

/// An API that believes one token at a time, and whoever gives them out.
struct Provider {
    api: LocalApi,
    refreshed: Arc<AtomicUsize>,
}

impl Provider {
    /// Tokens last `expires_in_s`. Of a refresh, `refuse` says whether it is refused.
    fn start(expires_in_s: u64, refuses: bool) -> Provider {
        let refreshed = Arc::new(AtomicUsize::new(0));
        let count = refreshed.clone();
        let api = LocalApi::start(move |asked| match &*asked.path {
            "/token" => match asked.form("grant_type").as_deref() {
                Some("authorization_code")
                    if asked.form("code").as_deref() == Some("the-code") && asked.form("code_verifier").is_some() =>
                {
                    tokens("access-token-17-0", "refresh-token-91", expires_in_s)
                }
                Some("refresh_token") if !refuses && asked.form("refresh_token").as_deref() == Some("refresh-token-91") => {
                    let number = count.fetch_add(1, SeqCst) + 1;
                    tokens(&format!("access-token-17-{number}"), "refresh-token-91", 3600)
                }
                // A provider that repeats what it was sent, and is not well.
                Some("refresh_token") if expires_in_s == 31 => {
                    let repeated = format!("sorry {}", String::from_utf8_lossy(&asked.body));
                    Answered::json(503, &json!({ "error": repeated, "error_description": repeated }))
                }
                _ => Answered::json(400, &json!({ "error": "invalid_grant" })),
            },
            _ => {
                let current = format!("Bearer access-token-17-{}", count.load(SeqCst));
                let is_current = asked.header("authorization") == Some(&current)
                    && !asked.path.ends_with("/WITHDRAWN")
                    && !asked.path.ends_with("/NEVER");
                // Withdrawn before its time: believed again once there is another.
                let is_anew = asked.path.ends_with("/WITHDRAWN") && asked.header("authorization") == Some("Bearer access-token-17-1");
                if is_current || is_anew {
                    Answered::json(200, &json!({ "price": 2 }))
                } else {
                    Answered::json(401, &json!({ "error": "expired" }))
                }
            }
        });
        Provider { api, refreshed }
    }

    fn resource(&self) -> Value {
        authenticated(
            &self.api,
            "Calendar",
            json!({
                "authentication": "oauth2",
                "authConfig": {
                    "authUrl": format!("{}/authorize", self.api.url()),
                    "tokenUrl": format!("{}/token", self.api.url()),
                    "scopes": ["read", "write"],
                    "authParams": { "access_type": "offline" },
                    "clientId": "the-client",
                    "clientSecret": "client-secret-7f3a",
                },
            }),
        )
    }
}

/// As a browser would: to where it is sent, and back with a code.
#[track_caller]
fn log_in(bed: &Bed, user: &User, id: &str) {
    data(user.request("POST", &format!("/v1/resources/{id}/install"), Value::Null));
    let authorized = data(user.request("POST", &format!("/v1/resources/{id}/authorize"), json!({})));
    let begin = url::Url::parse(authorized["authorizationUrl"].as_str().unwrap()).unwrap();
    let page = bed.server.get(&format!("{}?{}", begin.path(), begin.query().unwrap()));
    let text = page.text();
    assert!(page.status == 200 && text.contains("<b>Owner</b>") && text.contains("<b>Calendar</b>"), "{text}");
    let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let link = text.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let url = url::Url::parse(&link).unwrap();
    let param = |name: &str| url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
    assert_eq!((&*param("client_id"), &*param("scope"), &*param("access_type")), ("the-client", "read write", "offline"));
    assert_eq!((&*param("code_challenge_method"), &*param("response_type")), ("S256", "code"));
    let back = url::Url::parse(&param("redirect_uri")).unwrap();
    assert_eq!(back.path(), format!("/oauth/callback/{id}"));
    let callback = format!("{}?code=the-code&state={}", back.path(), param("state"));
    let come_back = |cookie: &str| bed.server.client().send("GET", &callback, &[("Cookie", cookie)], "");
    // Somebody else's browser does not end it.
    assert_eq!((bed.server.get(&callback).status, come_back("mirra_login=0123").status), (403, 403));
    let page = come_back(&format!("other=1; {cookie}"));
    assert!(page.status == 200 && page.text().contains("Logged in"), "{}", page.text());
    // It comes back once.
    assert_eq!(come_back(&cookie).status, 404);
}

#[test]
fn people_log_in_and_tokens_are_made_anew_before_they_expire() {
    let provider = Provider::start(30, false);
    let bed = bed_for(&provider.api);
    let owner = bed.owner();
    let id = owner.make(&provider.resource());
    log_in(&bed, &owner, &id);
    // It expires within the minute that clocks may differ by. Eight calls at the same time make it anew once.
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(data(owner.dispatch("calendar", "getPrice", json!({ "symbol": "BTC" })))["price"], 2));
        }
    });
    assert_eq!(provider.refreshed.load(SeqCst), 1);
    let shown = owner.request("GET", &format!("/v1/resources/{id}"), Value::Null).text();
    assert!(shown.contains("the-client") && !shown.contains("client-secret"), "{shown}");
}

#[test]
fn a_token_that_is_refused_is_made_anew_once() {
    let provider = Provider::start(3600, false);
    let bed = bed_for(&provider.api);
    let owner = bed.owner();
    let id = owner.make(&provider.resource());
    log_in(&bed, &owner, &id);
    assert_eq!(data(owner.dispatch(&id, "getPrice", json!({ "symbol": "WITHDRAWN" })))["price"], 2);
    assert_eq!(provider.refreshed.load(SeqCst), 1);
    // Refused again with the new one: told, and not tried for ever.
    let (refreshed, asked) = (provider.refreshed.load(SeqCst), provider.api.asked().len());
    let refused = owner.dispatch(&id, "getPrice", json!({ "symbol": "NEVER" }));
    assert!(refused.code() == "HANDLER_ERROR" && refused.text().contains("401"), "{}", refused.text());
    // The call, a refresh, and the call again.
    assert_eq!((provider.refreshed.load(SeqCst), provider.api.asked().len()), (refreshed + 1, asked + 3));
}

#[test]
fn a_refresh_that_is_refused_asks_for_new_credentials() {
    let provider = Provider::start(30, true);
    let bed = bed_for(&provider.api);
    let owner = bed.owner();
    let id = owner.make(&provider.resource());
    log_in(&bed, &owner, &id);
    let call = || owner.dispatch(&id, "getPrice", json!({ "symbol": "BTC" }));
    let refused = call();
    assert_eq!((refused.status, refused.code()), (403, "RESOURCE_DENIED".to_owned()));
    assert!(refused.text().contains("invalid_grant") && refused.text().contains("authenticate it"), "{}", refused.text());
    let asked = provider.api.asked().len();
    assert_eq!(call().code(), "RESOURCE_DENIED");
    assert_eq!(provider.api.asked().len(), asked);
    let anew = json!({ "type": "oauth2", "credentials": { "accessToken": "access-token-17-0", "expiresAt": "2999-01-01T00:00:00Z" } });
    data(owner.request("POST", &format!("/v1/resources/{id}/authenticate"), anew));
    data(call());
}

fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn credentials_are_in_no_file_no_log_and_no_answer() {
    let provider = Provider::start(30, false);
    let bed = Bed::start_as(&["--allow-net", &provider.api.address.to_string()], |command| {
        command.env("RUST_LOG", "trace");
    });
    let owner = bed.owner();
    let id = owner.make(&provider.resource());
    log_in(&bed, &owner, &id);
    let mut answers = owner.dispatch(&id, "getPrice", json!({ "symbol": "BTC" })).text();
    let keyed = owner.make(&crypto(&provider.api));
    give(&owner, &keyed, json!({ "type": "api_key", "credentials": { "apiKey": "sk_live_secret" } }));
    for (method, path) in [("GET", ""), ("GET", "/openapi"), ("GET", "/client"), ("GET", "/docs"), ("POST", "/publish")] {
        for id in [&id, &keyed] {
            answers += &owner.request(method, &format!("/v1/resources/{id}{path}"), Value::Null).text();
        }
    }
    answers += &owner.dispatch(&keyed, "getPrice", json!({ "symbol": "BTC" })).text();
    answers += &owner.request("GET", "/v1/resources/installations", Value::Null).text();
    let backup = bed.data_folder().join("copy.db");
    let ended = run(&mut mirra(&["backup", backup.to_str().unwrap(), "--data", bed.data_folder().to_str().unwrap()]), "");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let said = bed.server.wait_for_stderr("mirra");
    let files = files_of(bed.data_folder());
    assert!(files.iter().any(|(name, _)| name.ends_with("mirra.db")) && files.iter().any(|(name, _)| name.ends_with("copy.db")));
    for secret in SECRETS {
        assert!(!answers.contains(secret), "an answer has {secret}");
        assert!(!said.contains(secret), "the log has {secret}");
        for (name, content) in &files {
            assert!(memchr::memmem::find(content, secret.as_bytes()).is_none(), "{name} has {secret}");
        }
    }
}

#[test]
fn a_wrong_key_is_told_at_the_start_and_keys_are_rotated_while_the_server_runs() {
    let api = prices();
    let bed = bed_for(&api);
    bed.owner().ready(&crypto(&api));
    let price = |bed: &Bed| bed.owner().dispatch("cryptoPriceApi", "getPrice", json!({ "symbol": "BTC" }));
    let folder = bed.data_folder().to_str().unwrap().to_owned();
    let key_file = bed.data_folder().join("secret.key");
    let old = std::fs::read(&key_file).unwrap();
    let ended = run(&mut mirra(&["rotate-key", "--data", &folder]), "");
    assert!(ended.code == 0 && ended.stderr.contains("1 credentials"), "{}", ended.stderr);
    assert_ne!(std::fs::read(&key_file).unwrap(), old);
    data(price(&bed));
    assert_eq!(api.last().header("x-api-key"), Some("sk_live_secret"));
    let allow = ["--allow-net", &api.address.to_string()];
    let bed = bed.kill_and_start_again(&allow);
    data(price(&bed));

    // Between the store and the file: the rotation is ended by whoever comes next.
    std::fs::rename(&key_file, key_file.with_extension("next")).unwrap();
    write(&key_file, &old);
    let bed = bed.kill_and_start_again(&allow);
    data(price(&bed));

    write(&key_file, &old);
    let refused = |key: Option<&str>| {
        let mut command = mirra(&["serve", "--listen", "127.0.0.1:0", "--data", &folder, &folder]);
        if let Some(key) = key {
            command.env("MIRRA_SECRET_KEY", key);
        }
        run(&mut command, "")
    };
    let ended = refused(None);
    assert!(ended.code == 4 && ended.stderr.contains("encrypted with the key"), "{}: {}", ended.code, ended.stderr);
    let ended = refused(Some("bm90IDMyIGJ5dGVz"));
    assert!(ended.code == 2 && ended.stderr.contains("32 bytes in base64"), "{}: {}", ended.code, ended.stderr);
}

#[test]
fn a_provider_that_is_not_well_ends_no_authentication_and_repeats_nothing() {
    let provider = Provider::start(31, true);
    let bed = bed_for(&provider.api);
    let owner = bed.owner();
    let id = owner.make(&provider.resource());
    log_in(&bed, &owner, &id);
    let refused = owner.dispatch(&id, "getPrice", json!({ "symbol": "BTC" })).text();
    assert!(refused.contains("could not be refreshed"), "{refused}");
    SECRETS.iter().for_each(|secret| assert!(!refused.contains(secret), "{refused}"));
    let installed = data(owner.request("GET", "/v1/resources/installations", Value::Null));
    assert_eq!(installed[0]["isAuthenticated"], true);
}

/// Whoever has given credentials has given them to one server, and to the resource that they named.
#[test]
fn credentials_go_nowhere_else_than_where_they_were_given_for() {
    let (api, other) = (prices(), prices());
    let bed = Bed::start_with(&["--allow-net", &format!("{},{}", api.address, other.address)]);
    let owner = bed.owner();
    let id = owner.publish(&crypto(&api));
    let (user, _) = owner.sub_account("Ada");
    give(&user, &id, json!({ "type": "api_key", "credentials": { "apiKey": "sk_live_secret" } }));
    let price = || user.dispatch(&id, "getPrice", json!({ "symbol": "BTC" }));
    data(price());
    let moved = crypto(&other)["endpoint"].clone();
    data(owner.request("PATCH", &format!("/v1/resources/{id}"), json!({ "endpoint": moved })));
    let refused = price();
    assert!(refused.status == 403 && refused.text().contains("another server"), "{}", refused.text());
    assert!(other.asked().is_empty());
    data(owner.request("PATCH", &format!("/v1/resources/{id}"), json!({ "endpoint": crypto(&api)["endpoint"] })));
    data(price());

    // A name that looks like another resource's id.
    let mut evil = crypto(&other);
    evil["name"] = id.replace('_', " ").into();
    let evil_id = owner.publish(&evil);
    data(user.request("POST", &format!("/v1/resources/{evil_id}/install"), Value::Null));
    let credentials = json!({ "type": "api_key", "credentials": { "apiKey": "sk_live_secret_2" } });
    data(user.request("POST", &format!("/v1/resources/{id}/authenticate"), credentials));
    data(price());
    assert_eq!(api.last().header("x-api-key"), Some("sk_live_secret_2"));
    data(user.request("DELETE", &format!("/v1/resources/{id}/install"), Value::Null));
    assert_eq!(price().code(), "NOT_FOUND");
    assert!(other.asked().is_empty());
}

#[test]
fn what_an_api_repeats_of_its_credentials_is_taken_out_however_it_is_written() {
    let api = LocalApi::start(|asked| {
        let key = asked.header("x-api-key").unwrap_or_default();
        let escaped = key.replace('/', "\\/");
        let encoded: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
        let body = format!(r#"{{"price": 1, "symbol": "{escaped} {encoded}", "{escaped}": true}}"#);
        Answered { body: body.into_bytes(), ..Answered::json(200, &Value::Null) }
    });
    let bed = bed_for(&api);
    let owner = bed.owner();
    let id = owner.make(&crypto(&api));
    give(&owner, &id, json!({ "type": "api_key", "credentials": { "apiKey": "se/cret+==" } }));
    let answer = data(owner.dispatch(&id, "getPrice", json!({ "symbol": "BTC" })));
    assert_eq!(answer, json!({ "price": 1, "symbol": "[credential] [credential]", "[credential]": true }));
}

#[test]
fn rotations_at_the_same_time_and_writers_beside_them_lose_nothing() {
    let api = prices();
    let bed = bed_for(&api);
    let owner = bed.owner();
    let ids: Vec<String> = (0..4)
        .map(|number| {
            let mut resource = crypto(&api);
            resource["name"] = format!("Prices {number}").into();
            let id = owner.make(&resource);
            give(&owner, &id, json!({ "type": "api_key", "credentials": { "apiKey": "sk_live_secret" } }));
            id
        })
        .collect();
    let folder = bed.data_folder().to_str().unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let ended = run(&mut mirra(&["rotate-key", "--data", folder]), "");
                assert_eq!(ended.code, 0, "{}", ended.stderr);
            });
        }
        for id in &ids {
            let owner = &owner;
            scope.spawn(move || {
                for _ in 0..10 {
                    let credentials = json!({ "type": "api_key", "credentials": { "apiKey": "sk_live_secret" } });
                    data(owner.request("POST", &format!("/v1/resources/{id}/authenticate"), credentials));
                }
            });
        }
    });
    let bed = bed.kill_and_start_again(&["--allow-net", &api.address.to_string()]);
    for id in &ids {
        data(bed.owner().dispatch(id, "getPrice", json!({ "symbol": "BTC" })));
    }
    let ended = run(&mut mirra(&["rotate-key", "--data", bed.data_folder().to_str().unwrap()]), "");
    assert!(ended.code == 0 && ended.stderr.contains("4 credentials"), "{}", ended.stderr);
}
