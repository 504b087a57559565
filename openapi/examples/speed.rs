//! How long it takes to make a request of a call's parameters, and to check an answer: `cargo run --release -p mirra-openapi --example
//! speed`. On two shared cores: 2 µs each.

use std::{error::Error, hint::black_box, time::Instant};

use mirra_openapi::Document;
use serde_json::json;

const ROUNDS: u32 = 100_000;
const DOCUMENT: &str = r##"
openapi: 3.0.3
info: {title: Prices, version: "1"}
paths:
  /v1/price/{symbol}:
    get:
      parameters:
        - {name: symbol, in: path, required: true, schema: {type: string, pattern: "^[A-Z]+$"}}
        - {name: currency, in: query, schema: {type: string, enum: [USD, EUR]}}
        - {name: days, in: query, schema: {type: integer, minimum: 1}}
      responses:
        "200":
          description: price
          content: {application/json: {schema: {$ref: "#/components/schemas/Price"}}}
components:
  schemas:
    Price: {type: object, required: [symbol], properties: {symbol: {type: string}, price: {type: number}}}
"##;

fn main() -> Result<(), Box<dyn Error>> {
    let document = Document::read(DOCUMENT)?;
    let operation = document.operation("GET", "/v1/price/{symbol}").ok_or("no such operation")?;
    let params = json!({"symbol": "BTC", "currency": "EUR", "days": 7});
    let params = params.as_object().ok_or("no object")?;
    let body = br#"{"symbol": "BTC", "price": 12.5}"#;
    operation.request(params)?;
    operation.response(200, Some("application/json"), body)?;
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(operation.request(black_box(params))?);
    }
    println!("a request of 3 parameters: {:?}", start.elapsed() / ROUNDS);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(operation.response(200, Some("application/json"), black_box(body))?);
    }
    println!("an answer: {:?}", start.elapsed() / ROUNDS);
    Ok(())
}
