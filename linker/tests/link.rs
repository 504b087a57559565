//! What comes out of small modules, and that damaged ones are refused: one of those that are linked was downloaded.

#![allow(clippy::unwrap_used)]

use anyhow::Result;
use mirra_linker::{Behind, component, whole};
use wasmparser::Validator;

type Link = fn(&[u8], &[u8]) -> Result<Vec<u8>>;

/// Two modules as `tests/modules` has them, and how they are linked.
struct Pair {
    link: Link,
    engine: Vec<u8>,
    wasi: &'static str,
    linked: Vec<u8>,
}

macro_rules! pair {
    ($link:expr, $name:literal) => {
        Pair {
            link: $link,
            engine: wat::parse_str(include_str!(concat!("modules/", $name, ".wat"))).unwrap(),
            wasi: include_str!(concat!("modules/", $name, "-wasi.wat")),
            linked: without_names(include_str!(concat!("modules/", $name, "-linked.wat"))),
        }
    };
}

fn pairs() -> [Pair; 2] {
    [pair!(component::link, "component"), pair!(whole::link, "whole")]
}

/// The sections up to the names, which come last.
fn without_names(text: &str) -> Vec<u8> {
    let mut wasm = wat::parse_str(text).unwrap();
    let names = wasm.windows(5).rposition(|window| window == b"\x04name").unwrap();
    // In front of them stand a section's number and its length, which has two bytes from 128 on.
    let len = wasm.len() - names;
    wasm.truncate(names - if len < 128 { 2 } else { 3 });
    wasm
}

#[test]
fn two_modules_become_one() {
    for pair in pairs() {
        let linked = (pair.link)(&pair.engine, &wat::parse_str(pair.wasi).unwrap()).unwrap();
        Validator::new().validate_all(&linked).unwrap();
        assert!(linked == pair.linked, "{linked:02x?}\n{:02x?}", pair.linked);
    }
}

#[test]
fn the_place_behind_a_component_is_told() {
    let [pair, _] = pairs();
    assert_eq!(component::behind(&pair.engine).unwrap(), Behind { address: 131_072, slot: 8 });
}

#[test]
fn what_would_overlap_is_refused() {
    for pair in pairs() {
        let refused = |from: &str, to: &str| {
            let wasi = pair.wasi.replace(from, to);
            assert_ne!(wasi, pair.wasi);
            (pair.link)(&pair.engine, &wat::parse_str(wasi).unwrap()).unwrap_err().to_string()
        };
        assert!(refused("(data (i32.const 131072)", "(data (i32.const 131071)").contains("the engine's memory"));
        assert!(refused("(i32.const 131077)", "(i32.const 77)").contains("the engine's memory"));
        assert!(refused("(elem (i32.const ", "(elem (i32.const 1").contains("has pointers at"));
    }
}

#[test]
fn a_global_that_changes_is_refused() {
    for pair in pairs() {
        let wasi = pair.wasi.replace("i32 (i32.const 131077)", "(mut i32) (i32.const 131077)");
        let wasi = wasi.replace("(func (export \"boot\")", "(func i32.const 0 global.set 1) (func (export \"boot\")");
        let refused = format!("{:#}", (pair.link)(&pair.engine, &wat::parse_str(wasi).unwrap()).unwrap_err());
        assert!(refused.contains("not the stack pointer") || refused.contains("more than one mutable global"), "{refused}");
    }
}

#[test]
fn damaged_modules_never_panic() {
    for pair in pairs() {
        let wasi = wat::parse_str(pair.wasi).unwrap();
        for_each_damage(&pair.engine, |engine| drop((pair.link)(engine, &wasi)));
        for_each_damage(&wasi, |wasi| drop((pair.link)(&pair.engine, wasi)));
    }
}

/// Cut off anywhere, and with every byte changed to what other bytes often are: nothing, a bit less or more, a large number, the
/// middle of one, and what no number is.
fn for_each_damage(wasm: &[u8], mut with: impl FnMut(&[u8])) {
    for len in 0..wasm.len() {
        with(&wasm[..len]);
    }
    let mut damaged = wasm.to_vec();
    for at in 0..wasm.len() {
        for byte in [0, wasm[at].wrapping_sub(1), wasm[at].wrapping_add(1), 0x7f, 0x80, 0xff] {
            damaged[at] = byte;
            with(&damaged);
        }
        damaged[at] = wasm[at];
    }
}
