//! Takes out of a wasm module what only tools read: names, and the interface types that the glue states again.

use anyhow::{Context, Result, ensure};

const HEADER_BYTES: usize = 8;
const CUSTOM_SECTION: u8 = 0;

/// The one custom section that stays: it says which compilers made the module.
const KEPT: &[u8] = b"producers";

/// The module without custom sections other than `producers`.
pub fn strip(wasm: &[u8]) -> Result<Vec<u8>> {
    ensure!(wasm.starts_with(b"\0asm"), "not wasm");
    let (header, mut rest) = wasm.split_at_checked(HEADER_BYTES).context("shorter than a header")?;
    let mut stripped = header.to_vec();
    while let Some((&id, after_id)) = rest.split_first() {
        let (len, after_len) = leb128(after_id)?;
        let (body, next) = after_len.split_at_checked(len).context("a section ends after the module")?;
        if id != CUSTOM_SECTION || section_name(body)? == KEPT {
            stripped.extend_from_slice(&rest[..rest.len() - next.len()]);
        }
        rest = next;
    }
    Ok(stripped)
}

fn section_name(body: &[u8]) -> Result<&[u8]> {
    let (len, rest) = leb128(body)?;
    rest.get(..len).context("a name ends after its section")
}

/// An unsigned number of at most 32 bits, and what follows it.
fn leb128(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((usize::try_from(value)?, &bytes[index + 1..]));
        }
    }
    anyhow::bail!("a number without an end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_and_producers_stay() {
        let wasm = wat::parse_str(
            r#"(module $named
                 (@custom "producers" "\00")
                 (@custom "component-type:x" (after data) "abc")
                 (func $f (export "f")))"#,
        )
        .unwrap();
        let expected = wat::parse_str(r#"(module (@custom "producers" "\00") (func (export "f")))"#).unwrap();
        assert_eq!(strip(&wasm).unwrap(), expected);
        assert!(wasm.len() > expected.len());
    }

    #[test]
    fn damaged_modules_are_refused() {
        let wasm = wat::parse_str(r#"(module (func $f (export "f")))"#).unwrap();
        assert!(strip(&wasm[..wasm.len() - 1]).is_err());
        assert!(strip(b"MZ").is_err());
        assert!(strip(b"\0asm\x01\0\0\0\x00\xff\xff\xff\xff\xff\xff").is_err());
    }
}
