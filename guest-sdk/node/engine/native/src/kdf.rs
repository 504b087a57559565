//! Keys out of passwords and of other keys.

use rquickjs::{ArrayBuffer, Ctx, Object};

use crate::hash::with_digest;
use crate::mac::keyed;
use crate::{Bytes, Refusal, buffer, define, room, unknown, view};

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "pbkdf2", pbkdf2)?;
    define(native, "scrypt", scrypt)?;
    define(native, "hkdf", hkdf)
}

fn pbkdf2<'js>(
    cx: Ctx<'js>,
    name: String,
    password: Bytes<'js>,
    salt: Bytes<'js>,
    rounds: u32,
    length: usize,
) -> rquickjs::Result<ArrayBuffer<'js>> {
    let derive = || {
        let mut derived = room(length)?;
        derived.resize(length, 0);
        with_digest!(name.as_str(), D => ::pbkdf2::pbkdf2_hmac::<D>(view(&password), view(&salt), rounds, &mut derived))
            .ok_or_else(|| unknown("hash", &name))?;
        Ok(derived)
    };
    buffer(&cx, derive().map_err(|refusal: Refusal| refusal.throw(&cx))?)
}

/// `cost` is the logarithm of N. The layer has checked what memory the parameters ask for.
fn scrypt<'js>(
    cx: Ctx<'js>,
    password: Bytes<'js>,
    salt: Bytes<'js>,
    cost: u8,
    block_size: u32,
    parallelization: u32,
    length: usize,
) -> rquickjs::Result<ArrayBuffer<'js>> {
    let derive = || {
        let invalid = |_| Refusal::new("ERR_CRYPTO_INVALID_SCRYPT_PARAMS", "Invalid scrypt params");
        let params = ::scrypt::Params::new(cost, block_size, parallelization).map_err(invalid)?;
        // The crate asks for about as much at once, and it would be the end of the call if it were not there.
        let needed = 1_usize
            .checked_shl(cost.into())
            .unwrap_or(usize::MAX)
            .saturating_add(parallelization as usize + 2)
            .saturating_mul(128 * block_size as usize);
        drop(room(needed.saturating_add(length))?);
        let mut derived = vec![0; length];
        if length > 0 {
            ::scrypt::scrypt(view(&password), view(&salt), &params, &mut derived)
                .map_err(|_| Refusal::new("ERR_OUT_OF_RANGE", "the derived key is too long"))?;
        }
        Ok(derived)
    };
    buffer(&cx, derive().map_err(|refusal: Refusal| refusal.throw(&cx))?)
}

/// By RFC 5869; the layer has checked that `length` is no more than 255 hashes.
fn hkdf<'js>(
    cx: Ctx<'js>,
    name: String,
    key: Bytes<'js>,
    salt: Bytes<'js>,
    info: Bytes<'js>,
    length: usize,
) -> rquickjs::Result<ArrayBuffer<'js>> {
    let derive = || {
        let mac = |key: &[u8]| keyed(&name, key).ok_or_else(|| unknown("hash", &name));
        let mut extract = mac(view(&salt))?;
        extract.update(view(&key));
        let mut expand = mac(&extract.finish())?;
        let mut derived = room(length)?;
        for number in 1..=u8::MAX {
            if derived.len() >= length {
                break;
            }
            expand.update(view(&info));
            expand.update(&[number]);
            let block = expand.finish();
            derived.extend_from_slice(&block[..block.len().min(length - derived.len())]);
            expand.update(&block);
        }
        Ok(derived)
    };
    buffer(&cx, derive().map_err(|refusal: Refusal| refusal.throw(&cx))?)
}
