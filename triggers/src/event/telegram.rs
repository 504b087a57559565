//! Updates of the Telegram Bot API: <https://core.telegram.org/bots/api#update>.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Event;
use crate::time;

const MESSAGES: [&str; 3] = ["message", "edited_message", "channel_post"];
const MEDIA: [&str; 8] = ["photo", "video", "animation", "audio", "voice", "video_note", "document", "sticker"];

impl Event {
    /// A message, an edited message or a post in a channel as `telegram.message`; None of all other updates, and of what is no update.
    ///
    /// Its id is `telegram-` and the number of the update, which stays the same when Telegram sends it again.
    pub fn from_telegram(update: &Value) -> Option<Event> {
        let update_id = update.get("update_id")?.as_i64()?;
        let (kind, message) = MESSAGES.iter().find_map(|kind| Some((*kind, update.get(kind)?)))?;
        let chat = message.get("chat")?;
        let chat_id = chat.get("id")?.as_i64()?;
        let seconds = message.get("edit_date").or(message.get("date"))?.as_i64()?;
        let timestamp = Timestamp::from_second(seconds).ok()?;
        // A channel posts as itself.
        let sender = message.get("from").or(message.get("sender_chat")).unwrap_or(chat);
        let chat_type = text(chat, "type").unwrap_or("private");
        let media = MEDIA.into_iter().find(|media| message.get(media).is_some());
        let section = present([
            ("updateId", update_id.into()),
            ("messageId", message.get("message_id").cloned().into()),
            ("chatId", chat_id.into()),
            ("chatType", chat_type.into()),
            ("chatTitle", name(chat).into()),
            ("isGroupChat", matches!(chat_type, "group" | "supergroup").into()),
            ("isEdited", (kind == "edited_message").into()),
            ("hasMedia", media.is_some().into()),
            ("mediaType", media.into()),
            ("username", text(sender, "username").into()),
            ("languageCode", text(sender, "language_code").into()),
            ("isBot", sender.get("is_bot").and_then(Value::as_bool).into()),
            ("threadId", message.get("message_thread_id").cloned().into()),
            ("replyToMessageId", message.pointer("/reply_to_message/message_id").cloned().into()),
        ]);
        let actor = present([
            ("id", sender.get("id").and_then(Value::as_i64).map(|id| id.to_string()).into()),
            ("name", name(sender).or(text(sender, "username").map(str::to_owned)).into()),
        ]);
        let members = present([
            ("id", format!("telegram-{update_id}").into()),
            ("type", "telegram.message".into()),
            ("source", "telegram".into()),
            ("timestamp", time::iso(timestamp).into()),
            ("actor", actor.into()),
            ("content", text(message, "text").or(text(message, "caption")).map(|text| json!({ "text": text })).into()),
            ("telegram", section.into()),
        ]);
        Some(Event { members })
    }
}

/// Of a group or a channel its title, of a person the whole name.
fn name(of: &Value) -> Option<String> {
    let person = || Some([text(of, "first_name")?, text(of, "last_name").unwrap_or_default()].join(" ").trim_end().to_owned());
    text(of, "title").map(str::to_owned).or_else(person)
}

fn text<'v>(of: &'v Value, name: &str) -> Option<&'v str> {
    of.get(name)?.as_str()
}

fn present<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}
