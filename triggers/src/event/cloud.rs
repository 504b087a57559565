//! CloudEvents 1.0, as one JSON object: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>.

use serde_json::{Map, Value};

use crate::Invalid;

/// Names the attributes as we do. What CloudEvents requires is required, and checked later like everybody's.
pub fn normalise(members: &mut Map<String, Value>) -> Result<(), Invalid> {
    if members.remove("specversion") != Some("1.0".into()) {
        return Err(Invalid::new("specversion", "must be 1.0"));
    }
    if let Some(missing) = ["id", "source", "type"].into_iter().find(|name| members.get(*name).is_none_or(Value::is_null)) {
        return Err(Invalid::new(missing, "is required"));
    }
    // An extension of that name would not be the time.
    members.remove("timestamp");
    if let Some(time) = members.remove("time") {
        members.insert("timestamp".into(), time);
    }
    Ok(())
}
