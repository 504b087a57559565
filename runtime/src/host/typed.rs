//! Operations for interfaces with types of their own: JSON on the way in and on the way out, and in between the same as by name.

use mirra_host_sdk::{ErrorCode, OperationError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Call, bindings::mirra::function::operations::OperationError as Failure};

/// What an operation answers, or why it does not; an error ends the call.
pub type Answered<T> = wasmtime::Result<Result<T, Failure>>;

impl Call {
    /// Carries an operation out, and waits for it. Its answer is read as `T`.
    pub async fn perform<T: DeserializeOwned>(&mut self, name: &str, arguments: Value) -> Answered<T> {
        let answered = self.performed(name, arguments.to_string()).await?;
        Ok(answered.and_then(|json| serde_json::from_str(&json).map_err(|error| unreadable(name, &error))))
    }

    /// The same, with JSON as it is.
    pub async fn performed(&mut self, name: &str, arguments: String) -> Answered<String> {
        self.work(arguments.len()).await?;
        let answering = match self.admit(name, arguments) {
            Ok(answering) => answering,
            Err(refusal) => return Ok(Err(failure(refusal))),
        };
        Ok(match answering.await {
            // Of one that comes in parts the first; those are for `operations`.
            Ok(reply) => {
                let json = Box::<str>::from(reply.json).into_string();
                self.work(json.len()).await?;
                Ok(json)
            }
            Err(refusal) => Err(failure(refusal)),
        })
    }
}

/// An object of what is given.
pub fn object<const MEMBERS: usize>(members: [(&str, Option<Value>); MEMBERS]) -> Value {
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}

/// JSON that a guest has written as text.
pub fn parsed(field: &str, text: &str) -> Result<Value, Failure> {
    let invalid = |_| failure(OperationError::new(ErrorCode::ValidationError, format!("{field} is no JSON")));
    serde_json::from_str(text).map_err(invalid)
}

pub fn failure(OperationError { code, message }: OperationError) -> Failure {
    Failure { code: code.as_str().to_owned(), message }
}

fn unreadable(name: &str, error: &serde_json::Error) -> Failure {
    failure(OperationError::new(ErrorCode::InternalError, format!("{name}: the answer has another shape: {error}")))
}
