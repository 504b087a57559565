//! The types of events that the documents describe, as data: the technical notes' fields, and the flat names of handlers and filters.

use super::event_type::{
    EventType,
    Example::{self, Boolean, Number, Text, Texts},
    Field,
};

/// Other names of types.
pub const ALIASES: &[(&str, &str)] = &[("call.ended", "voice.call_ended")];

const TIME: Example = Text("2026-01-15T10:00:00.000Z");
const TIMESTAMP: Field = Field::new("timestamp", &["timestamp"], &["timestamp"], "When it happened", TIME);

/// What every event may have. A type that says where its own stand comes first.
pub const COMMON: &[Field] = &[
    Field::new("eventType", &["event_type"], &["type"], "Type of the event", Text("telegram.message")),
    Field::new("text", &["content_text", "messageText"], &["content.text"], "What was said", Text("This is urgent")),
    Field::new("senderName", &["sender_name", "senderName"], &["actor.name"], "Name of who caused it", Text("John Doe")),
    Field::new("senderId", &["sender_id"], &["actor.id"], "Id of who caused it", Text("42")),
    Field::new("channelId", &["channel_id"], &["channel.id"], "Id of where it was said", Text("general")),
    Field::new("channelName", &["channel_name"], &["channel.name"], "Name of where it was said", Text("General")),
    TIMESTAMP,
];

pub const EVENT_TYPES: &[EventType] = &[
    EventType {
        name: "telegram.message",
        description: "A message in a Telegram chat",
        fields: &[
            Field::new(
                "text",
                &["message_text", "content_text", "messageText"],
                &["content.text"],
                "Message text content",
                Text("This is urgent"),
            ),
            Field::new("sender", &[], &["telegram.username", "actor.name"], "Username of message sender", Text("john_doe")),
            Field::new("chatId", &["chat_id", "channel_id"], &["telegram.chatId"], "Telegram chat ID", Number(-100_123_456)),
            Field::new("chatTitle", &["channel_name"], &["telegram.chatTitle"], "Name of the chat", Text("Team")),
            Field::new("isGroupChat", &["is_group_chat"], &["telegram.isGroupChat"], "Boolean indicating group chat", Boolean(false)),
            Field::new(
                "hasMedia",
                &["has_media"],
                &["telegram.hasMedia"],
                "Boolean indicating a photo, a file or the like",
                Boolean(false),
            ),
            Field::new("messageId", &["message_id"], &["telegram.messageId"], "Number of the message in its chat", Number(7)),
            Field::new("senderName", &["sender_name", "senderName"], &["actor.name"], "Name of message sender", Text("John Doe")),
            TIMESTAMP,
        ],
    },
    EventType {
        name: "gmail.email_received",
        description: "An email has arrived",
        fields: &[
            Field::new("subject", &["subject"], &["gmail.subject"], "Email subject line", Text("Invoice")),
            Field::new(
                "from",
                &["from_email"],
                &["gmail.from", "gmail.fromEmail", "actor.email", "actor.id"],
                "Sender email address",
                Text("ann@example.com"),
            ),
            Field::new(
                "fromName",
                &["from_name", "sender_name", "senderName"],
                &["gmail.fromName", "actor.name"],
                "Sender name",
                Text("Ann"),
            ),
            Field::new("to", &[], &["gmail.to"], "Recipient email addresses", Texts(&["bob@example.com"])),
            Field::new(
                "body",
                &["body_text", "content_text", "messageText"],
                &["gmail.body", "gmail.bodyText", "content.text"],
                "Email body content",
                Text("Please find attached"),
            ),
            Field::new(
                "hasAttachment",
                &["has_attachments"],
                &["gmail.hasAttachment", "gmail.hasAttachments"],
                "Boolean indicating attachments",
                Boolean(true),
            ),
            Field::new("isUnread", &["is_unread"], &["gmail.isUnread"], "Boolean indicating that it is not read yet", Boolean(true)),
            TIMESTAMP,
        ],
    },
    EventType { name: "calendar.event_created", description: "An event has been put into the calendar", fields: CALENDAR },
    EventType { name: "calendar.event_updated", description: "An event of the calendar has changed", fields: CALENDAR },
    EventType { name: "calendar.event_deleted", description: "An event has been taken off the calendar", fields: CALENDAR },
    EventType {
        name: "voice.call_started",
        description: "A call has begun",
        fields: &[
            Field::new("participants", &[], &["voice.participants"], "Array of participant IDs", Texts(&["user_1", "user_2"])),
            TIMESTAMP,
        ],
    },
    EventType {
        name: "voice.call_ended",
        description: "A call has ended",
        fields: &[
            Field::new(
                "duration",
                &["duration_seconds"],
                &["voice.duration", "voice.durationSeconds"],
                "Call duration in seconds",
                Number(125),
            ),
            Field::new("participants", &[], &["voice.participants"], "Array of participant IDs", Texts(&["user_1", "user_2"])),
            Field::new("summary", &[], &["voice.summary"], "AI-generated call summary", Text("They agreed on Monday")),
            Field::new("transcript", &[], &["voice.transcript"], "Call transcript", Text("Hello")),
            Field::new("wasRecorded", &["was_recorded"], &["voice.wasRecorded"], "Boolean indicating a recording", Boolean(true)),
            TIMESTAMP,
        ],
    },
    EventType {
        name: "flow.complete",
        description: "A run of a flow has ended",
        fields: &[
            Field::new("flowId", &["flow_id"], &["flow.id"], "Id of the flow", Text("693439915ceadf632e2cfc9a")),
            Field::new("flowTitle", &["flow_title"], &["flow.title"], "Title of the flow", Text("Daily Report Generator")),
            Field::new("flowSuccess", &["flow_success"], &["flow.success"], "Boolean indicating that it did not fail", Boolean(true)),
            Field::new("flowType", &["flow_type"], &["flow.type"], "What started it: time or event", Text("time")),
            TIMESTAMP,
        ],
    },
    EventType {
        name: "flow.paused",
        description: "A flow has failed too often and does not run any more",
        fields: &[
            Field::new("flowId", &["flow_id"], &["flow.id"], "Id of the flow", Text("693439915ceadf632e2cfc9a")),
            Field::new("flowTitle", &["flow_title"], &["flow.title"], "Title of the flow", Text("Daily Report Generator")),
            Field::new("reason", &[], &["flow.reason"], "Why the last run failed", Text("HANDLER_ERROR")),
            TIMESTAMP,
        ],
    },
    EventType {
        name: "webhook.received",
        description: "A request to the webhook of a flow",
        fields: &[
            Field::new("body", &["body"], &["webhook.body"], "Request body: JSON, the fields of a form, or text", Text("hello")),
            Field::new("method", &[], &["webhook.method"], "Request method", Text("POST")),
            Field::new("webhookId", &["webhook_id"], &["webhook.webhookId"], "Id of the webhook", Text("wh_1")),
            TIMESTAMP,
        ],
    },
];

const CALENDAR: &[Field] = &[
    Field::new("summary", &[], &["calendar.summary", "calendar.title"], "Event title", Text("Planning")),
    Field::new("description", &[], &["calendar.description"], "Event description", Text("The next quarter")),
    Field::new("location", &[], &["calendar.location"], "Event location", Text("Room 1")),
    Field::new("attendees", &[], &["calendar.attendees"], "Array of attendee emails", Texts(&["ann@example.com", "bob@example.com"])),
    Field::new("startTime", &["start_time"], &["calendar.startTime"], "Event start timestamp", TIME),
    Field::new("endTime", &["end_time"], &["calendar.endTime"], "Event end timestamp", Text("2026-01-15T11:00:00.000Z")),
    TIMESTAMP,
];
