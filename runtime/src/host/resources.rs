use serde_json::json;

use super::{
    Call,
    typed::{Answered, parsed},
    typed_bindings::mirra::function::resources::Host,
};

impl Host for Call {
    async fn call(&mut self, resource: String, method: String, params: String) -> Answered<String> {
        let params = match parsed("params", &params) {
            Ok(params) => params,
            Err(failure) => return Ok(Err(failure)),
        };
        let call = json!({ "resourceId": resource, "method": method, "params": params });
        self.performed("resources.call", call.to_string()).await
    }
}
