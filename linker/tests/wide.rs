//! What is left of wide arithmetic. That it computes the same is shown by a built handler in another host (server/tests/mirra/stock.rs).

#![allow(clippy::unwrap_used)]

use mirra_linker::wide;
use wasmparser::{Validator, WasmFeatures};

const WIDE: &str = r#"(module
  (import "env" "f" (func $f (param i64) (result i64)))
  (func (export "all") (param i64 i64 i64 i64) (result i64)
    (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))
    (i64.sub128 (local.get 2) (local.get 3))
    (i64.mul_wide_u)
    (i64.mul_wide_s)
    (drop)
    (call $f)))"#;

#[test]
fn what_was_wide_is_valid_without() {
    let wide = wat::parse_str(WIDE).unwrap();
    let everywhere = WasmFeatures::default() - WasmFeatures::WIDE_ARITHMETIC;
    assert!(Validator::new_with_features(everywhere).validate_all(&wide).is_err());
    let narrow = wide::narrow(&wide).unwrap();
    Validator::new_with_features(everywhere).validate_all(&narrow).unwrap();
}

#[test]
fn what_is_no_module_is_refused() {
    let wide = wat::parse_str(WIDE).unwrap();
    assert!(wide::narrow(&wide[..wide.len() - 3]).is_err());
    assert!(wide::narrow(b"\0asm").is_err());
}
