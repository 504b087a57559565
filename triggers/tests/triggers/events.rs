//! Events as they come in, and their normal form.

use mirra_triggers::{Event, Webhook, canonical_event_type, event_types};
use serde_json::{Value, json};

use crate::{NOW, event};

fn members(event: Event) -> Value {
    serde_json::to_value(event).unwrap()
}

fn refused(json: Value) -> String {
    let invalid = Event::read(json, NOW, || "new".into()).unwrap_err();
    assert!(invalid.message.starts_with(&invalid.field));
    invalid.message
}

#[test]
fn our_own_form() {
    assert_eq!(
        members(event(json!({ "type": "order.created", "userId": "somebody", "order": { "total": 5 } }))),
        json!({ "id": "new", "type": "order.created", "source": "order", "timestamp": "2025-12-06T14:11:29.385Z", "order": { "total": 5 } })
    );
    let whole = json!({
        "id": "e-1", "type": "telegram.message", "source": "bot", "timestamp": "2026-01-15T10:00:00.000Z",
        "actor": { "id": 5, "name": "Ann" }, "content": { "text": "hi" }, "telegram": { "chatId": 1 }, "more": [1],
    });
    assert_eq!(members(event(whole.clone())), whole);
    let stored: Event = serde_json::from_value(whole.clone()).unwrap();
    assert_eq!((stored.id(), stored.event_type(), stored.source()), ("e-1", "telegram.message", "bot"));
    let mut owned = stored.clone();
    owned.set_user_id("user_1");
    assert_eq!(owned.user_id(), Some("user_1"));
    let stored: Event = serde_json::from_value(members(owned.clone())).unwrap();
    assert_eq!(stored, owned);
    assert!(serde_json::from_value::<Event>(json!({ "type": "x" })).is_err());
    let offset = event(json!({ "type": "x", "timestamp": "2026-01-15T12:00:00.1234+02:00", "actor": null, "id": null }));
    assert_eq!(offset.timestamp(), "2026-01-15T10:00:00.123Z");
    assert!(!offset.members().contains_key("actor"));
}

#[test]
fn aliases_of_types() {
    let ended = event(json!({ "type": "call.ended", "call": { "duration": 5 } }));
    assert_eq!((ended.event_type(), ended.source()), ("voice.call_ended", "call"));
    assert_eq!(ended.field("duration_seconds"), Some(&json!(5)));
    assert_eq!((canonical_event_type("call.ended"), canonical_event_type("x")), ("voice.call_ended", "x"));
}

#[test]
fn what_is_no_event() {
    assert_eq!(refused(json!([])), "an event must be a JSON object");
    assert_eq!(refused(json!({})), "type is required");
    assert_eq!(refused(json!({ "type": 5 })), "type must be a text");
    let no_type = "type must be a type such as telegram.message: 1 to 200 letters, digits and . _ - : /";
    for name in ["", "a b", ".a", "é", &"a".repeat(201)] {
        assert_eq!(refused(json!({ "type": name })), no_type);
    }
    assert_eq!(event(json!({ "type": "a".repeat(200) })).event_type().len(), 200);
    let printable = "must be a text of 1 to 200 printable characters";
    assert_eq!(refused(json!({ "type": "x", "id": "i".repeat(201) })), format!("id {printable}"));
    assert_eq!(refused(json!({ "type": "x", "id": "" })), format!("id {printable}"));
    assert_eq!(refused(json!({ "type": "x", "source": "a\nb" })), format!("source {printable}"));
    assert_eq!(event(json!({ "type": "x", "id": "é".repeat(200) })).id().chars().count(), 200);
    for time in ["yesterday", "2026-01-15", "2026-01-15T10:00:00", "2026-13-15T10:00:00Z", "1765030289385"] {
        assert_eq!(refused(json!({ "type": "x", "timestamp": time })), "timestamp must be a time such as 2026-01-15T10:00:00.000Z");
    }
    assert_eq!(refused(json!({ "type": "x", "timestamp": 5 })), "timestamp must be a text");
    assert_eq!(refused(json!({ "type": "x", "actor": "Ann" })), "actor must be an object");
    assert_eq!(refused(json!({ "type": "x", "actor": { "name": 5 } })), "actor.name must be a text");
    assert_eq!(refused(json!({ "type": "x", "content": { "text": 5 } })), "content.text must be a text");
}

#[test]
fn cloud_events() {
    let cloud = json!({
        "specversion": "1.0", "type": "com.github.pull_request.opened", "source": "https://github.com/cloudevents/spec/pull",
        "subject": "123", "id": "A234-1234-1234", "time": "2018-04-05T17:31:00Z", "datacontenttype": "application/json",
        "comexampleextension1": "value", "data": { "appinfoA": "abc", "appinfoB": 123 }
    });
    let read = event(cloud.clone());
    assert_eq!(
        members(read.clone()),
        json!({
            "type": "com.github.pull_request.opened", "source": "https://github.com/cloudevents/spec/pull", "subject": "123",
            "id": "A234-1234-1234", "timestamp": "2018-04-05T17:31:00.000Z", "datacontenttype": "application/json",
            "comexampleextension1": "value", "data": { "appinfoA": "abc", "appinfoB": 123 }
        })
    );
    assert_eq!(
        (read.field("appinfoB"), read.field("data.appinfoA"), read.field("subject")),
        (Some(&json!(123)), Some(&json!("abc")), Some(&json!("123")))
    );
    let ours = event(
        json!({ "specversion": "1.0", "type": "telegram.message", "source": "/bot", "id": "1", "data": { "text": "hi", "chat_id": 5 } }),
    );
    assert_eq!(
        (ours.field("message_text"), ours.field("chatId"), ours.timestamp()),
        (Some(&json!("hi")), Some(&json!(5)), "2025-12-06T14:11:29.385Z")
    );
    let without = |name: &str| {
        let mut cloud = cloud.clone();
        cloud.as_object_mut().unwrap().remove(name);
        refused(cloud)
    };
    assert_eq!(
        (without("id"), without("source"), without("type")),
        ("id is required".into(), "source is required".into(), "type is required".into())
    );
    assert_eq!(refused(json!({ "specversion": "0.3", "type": "x", "source": "x", "id": "x" })), "specversion must be 1.0");
    assert_eq!(
        refused(json!({ "specversion": "1.0", "type": "x", "source": "x", "id": "x", "time": "x" })),
        "timestamp must be a time such as 2026-01-15T10:00:00.000Z"
    );
}

/// As the Bot API documents and sends them.
fn update(kind: &str, message: Value) -> Value {
    let mut whole = json!({
        "message_id": 1365,
        "from": { "id": 1111, "is_bot": false, "first_name": "Test", "last_name": "Lastname", "username": "Test", "language_code": "en" },
        "chat": { "id": 1111, "first_name": "Test", "last_name": "Lastname", "username": "Test", "type": "private" },
        "date": 1441645532
    });
    whole.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    json!({ "update_id": 10000, kind: whole })
}

#[test]
fn telegram_updates() {
    let text = Event::from_telegram(&update("message", json!({ "text": "/start" }))).unwrap();
    assert_eq!(
        members(text.clone()),
        json!({
            "id": "telegram-10000", "type": "telegram.message", "source": "telegram", "timestamp": "2015-09-07T17:05:32.000Z",
            "actor": { "id": "1111", "name": "Test Lastname" }, "content": { "text": "/start" },
            "telegram": {
                "updateId": 10000, "messageId": 1365, "chatId": 1111, "chatType": "private", "chatTitle": "Test Lastname",
                "isGroupChat": false, "isEdited": false, "hasMedia": false, "username": "Test", "languageCode": "en", "isBot": false
            }
        })
    );
    assert_eq!(
        json!(text.fields()),
        json!({
            "event_type": "telegram.message", "timestamp": "2015-09-07T17:05:32.000Z", "message_text": "/start", "content_text": "/start",
            "messageText": "/start", "sender_name": "Test Lastname", "senderName": "Test Lastname", "sender_id": "1111", "chat_id": 1111,
            "channel_id": 1111, "channel_name": "Test Lastname", "is_group_chat": false, "has_media": false, "message_id": 1365
        })
    );
    assert_eq!(
        (text.field("sender"), text.field("chatId"), text.field("isGroupChat")),
        (Some(&json!("Test")), Some(&json!(1111)), Some(&json!(false)))
    );

    let chat = json!({ "id": -100123, "title": "Team", "type": "supergroup" });
    let group = json!({ "chat": chat, "photo": [{}], "caption": "look", "edit_date": 1441645600 });
    let photo = Event::from_telegram(&update("edited_message", group)).unwrap();
    assert_eq!(photo.field("content.text"), Some(&json!("look")));
    assert_eq!((photo.field("isGroupChat"), photo.field("telegram.isEdited")), (Some(&json!(true)), Some(&json!(true))));
    assert_eq!((photo.field("has_media"), photo.field("mediaType")), (Some(&json!(true)), Some(&json!("photo"))));
    assert_eq!((photo.field("channel_name"), photo.timestamp()), (Some(&json!("Team")), "2015-09-07T17:06:40.000Z"));

    let chat = json!({ "id": -1005, "title": "News", "type": "channel" });
    let post = json!({ "message_id": 2, "chat": chat, "date": 1441645532, "text": "x" });
    let post = Event::from_telegram(&json!({ "update_id": 1, "channel_post": post })).unwrap();
    assert_eq!((post.field("sender_name"), post.field("is_group_chat")), (Some(&json!("News")), Some(&json!(false))));

    for other in [
        json!(null),
        json!({ "update_id": 1 }),
        json!({ "update_id": 1, "callback_query": {} }),
        json!({ "update_id": 1, "message": {} }),
        json!({ "message": {} }),
    ] {
        assert_eq!(Event::from_telegram(&other), None, "{other}");
    }
}

#[test]
fn webhooks() {
    let headers = [("X-Kind".to_owned(), "a".to_owned()), ("x-kind".to_owned(), "b".to_owned())];
    let body = |content_type: Option<&'static str>, body: &[u8]| {
        let webhook = Webhook { webhook_id: "wh_1", method: "POST", headers: &headers, query: Some("a=1&b=x%20y&a=2"), content_type, body };
        Event::from_webhook(&webhook, NOW, "e1".into())
    };
    assert_eq!(
        members(body(Some("application/json; charset=utf-8"), br#"{"action": "opened"}"#)),
        json!({
            "id": "e1", "type": "webhook.received", "source": "webhook", "timestamp": "2025-12-06T14:11:29.385Z",
            "webhook": {
                "webhookId": "wh_1", "method": "POST", "headers": { "x-kind": "a, b" }, "query": { "a": "1, 2", "b": "x y" },
                "body": { "action": "opened" }
            }
        })
    );
    let text = |content_type, bytes: &[u8]| body(content_type, bytes).fields().get("body").map(|body| (*body).clone());
    assert_eq!(text(Some("application/cloudevents+json"), b"[1]"), Some(json!([1])));
    assert_eq!(text(None, b"{\"a\": 1}"), Some(json!({ "a": 1 })));
    assert_eq!(text(None, b"plain"), Some(json!("plain")));
    assert_eq!(text(Some("text/plain"), b"{}"), Some(json!("{}")));
    assert_eq!(text(Some("application/json"), b"{oops"), Some(json!("{oops")));
    assert_eq!(text(Some("application/x-www-form-urlencoded"), b"a=b+c&d="), Some(json!({ "a": "b c", "d": "" })));
    assert_eq!(text(Some("application/octet-stream"), b"\xff"), Some(json!("\u{fffd}")));
    assert_eq!(text(None, b""), None);
    assert_eq!(body(None, b"{\"a\": {\"b\": 1}}").field("body.a.b"), Some(&json!(1)));
}

#[test]
fn paths() {
    let event = event(json!({
        "type": "calendar.event_created", "summary": null, "attendees": ["a", { "email": "b" }],
        "calendar": { "summary": "Plan", "location": { "room": 1 }, "type": "inner" }, "data": { "extra": 1, "location": 2 }
    }));
    assert_eq!(event.field("attendees.0"), Some(&json!("a")));
    assert_eq!(event.field("attendees.1.email"), Some(&json!("b")));
    assert_eq!(event.field("location.room"), Some(&json!(1)));
    assert_eq!((event.field("summary"), event.field("extra")), (Some(&json!("Plan")), Some(&json!(1))));
    assert_eq!(event.field("type"), Some(&json!("calendar.event_created")));
    for missing in
        ["", ".", "attendees.2", "attendees.+0", "attendees.x", "attendees.99999999999999999999", "summary.x", "a.b.c", "calendar..summary"]
    {
        assert_eq!(event.field(missing), None, "{missing}");
    }
}

#[test]
fn every_documented_field_of_every_type() {
    let documented = [
        (
            "telegram.message",
            &["text", "sender", "chatId", "isGroupChat", "timestamp", "chat_id", "is_group_chat", "has_media", "message_text"][..],
        ),
        (
            "gmail.email_received",
            &[
                "subject",
                "from",
                "to",
                "body",
                "hasAttachment",
                "timestamp",
                "from_email",
                "from_name",
                "has_attachments",
                "is_unread",
                "body_text",
            ],
        ),
        ("calendar.event_created", &["summary", "description", "location", "attendees", "startTime", "endTime"]),
        ("calendar.event_updated", &["summary"]),
        ("calendar.event_deleted", &["summary"]),
        ("voice.call_started", &["participants", "timestamp"]),
        ("voice.call_ended", &["duration", "participants", "summary", "transcript", "timestamp", "duration_seconds", "was_recorded"]),
        ("flow.complete", &["flow_title", "flow_success", "flow_type"]),
        ("webhook.received", &["body"]),
    ];
    for (name, fields) in documented {
        let known = event_types().iter().find(|known| known.name == name).unwrap();
        let sample = event(known.sample());
        fields.iter().for_each(|field| assert!(sample.field(field).is_some(), "{name}: {field}"));
        let flat = sample.fields();
        fields.iter().filter(|field| field.contains('_')).for_each(|field| assert!(flat.contains_key(*field), "{name}: {field}"));
        for field in known.fields {
            assert_eq!(sample.field(field.name), Some(&json!(field.example)), "{name}: {}", field.name);
        }
    }
    let listed = json!(event_types());
    assert_eq!(
        listed[0]["fields"][0],
        json!({
            "name": "text", "type": "string", "description": "Message text content", "example": "This is urgent",
            "aliases": ["message_text", "content_text", "messageText"]
        })
    );
}

#[test]
fn the_common_fields_of_any_type() {
    let event = event(json!({
        "type": "custom.thing", "actor": { "id": "u", "name": "Ann" }, "content": { "text": "hi" }, "channel": { "id": "c", "name": "C" }
    }));
    assert_eq!(
        json!(event.fields()),
        json!({
            "event_type": "custom.thing", "timestamp": "2025-12-06T14:11:29.385Z", "sender_name": "Ann", "senderName": "Ann",
            "sender_id": "u", "content_text": "hi", "messageText": "hi", "channel_id": "c", "channel_name": "C"
        })
    );
}
