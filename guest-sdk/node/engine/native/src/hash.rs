//! Hashes, checksums, and comparing what came of them.

use digest::DynDigest;
use rquickjs::{ArrayBuffer, Class, Ctx, Object};

use crate::long::Long;
use crate::{Bytes, buffer, define, unknown, view};

pub struct Hasher(Box<dyn DynDigest>);

/// `$body` with `$D` as the hash of that name: Some, or None if there is no such. Without SHA-3, of which the crates have no
/// HMAC that is as good.
macro_rules! with_digest {
    ($name:expr, $D:ident => $body:expr) => {
        with_digest!(
            $name, $D => $body;
            "md5" => md5::Md5, "sha1" => sha1::Sha1, "ripemd160" => ripemd::Ripemd160,
            "sha224" => sha2::Sha224, "sha256" => sha2::Sha256, "sha384" => sha2::Sha384, "sha512" => sha2::Sha512,
        )
    };
    ($name:expr, $D:ident => $body:expr; $($known:literal => $digest:ty),* $(,)?) => {
        match $name {
            $($known => {
                type $D = $digest;
                Some($body)
            })*
            _ => None,
        }
    };
}
pub(crate) use with_digest;

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "hash", hash)?;
    define(native, "hasher", hasher)?;
    define(native, "hasherCopy", hasher_copy)?;
    define(native, "hasherUpdate", hasher_update)?;
    define(native, "hasherDigest", hasher_digest)?;
    // Doubles, as whole numbers have signs.
    define(native, "crc32", |bytes: Bytes<'_>, before: f64| {
        let mut crc = crc32fast::Hasher::new_with_initial(before as u32);
        crc.update(view(&bytes));
        f64::from(crc.finalize())
    })?;
    define(native, "timingSafeEqual", |a: Bytes<'_>, b: Bytes<'_>| is_equal(view(&a), view(&b)))
}

fn digest(name: &str) -> Option<Box<dyn DynDigest>> {
    with_digest!(
        name, D => Box::new(D::default()) as Box<dyn DynDigest>;
        "md5" => md5::Md5, "ripemd160" => ripemd::Ripemd160, "sha1" => Long<sha1::Sha1>,
        "sha224" => Long<sha2::Sha224>, "sha256" => Long<sha2::Sha256>, "sha384" => Long<sha2::Sha384>, "sha512" => Long<sha2::Sha512>,
        "sha3-256" => sha3::Sha3_256, "sha3-384" => sha3::Sha3_384, "sha3-512" => sha3::Sha3_512,
    )
}

fn hash<'js>(cx: Ctx<'js>, name: String, bytes: Bytes<'js>) -> rquickjs::Result<ArrayBuffer<'js>> {
    let mut digest = digest(&name).ok_or_else(|| unknown("hash", &name).throw(&cx))?;
    digest.update(view(&bytes));
    buffer(&cx, digest.finalize().into_vec())
}

fn hasher<'js>(cx: Ctx<'js>, name: String) -> rquickjs::Result<Class<'js, Hasher>> {
    let digest = digest(&name).ok_or_else(|| unknown("hash", &name).throw(&cx))?;
    Class::instance(cx, Hasher(digest))
}

fn hasher_copy<'js>(cx: Ctx<'js>, hasher: Class<'js, Hasher>) -> rquickjs::Result<Class<'js, Hasher>> {
    let copy = hasher.borrow().0.box_clone();
    Class::instance(cx, Hasher(copy))
}

fn hasher_update(hasher: Class<'_, Hasher>, bytes: Bytes<'_>) {
    hasher.borrow_mut().0.update(view(&bytes));
}

fn hasher_digest<'js>(cx: Ctx<'js>, hasher: Class<'js, Hasher>) -> rquickjs::Result<ArrayBuffer<'js>> {
    let digest = hasher.borrow_mut().0.finalize_reset();
    buffer(&cx, digest.into_vec())
}

/// In a time that tells nothing about where they differ.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |difference, (a, b)| std::hint::black_box(difference | (a ^ b)));
    a.len() == b.len() && difference == 0
}
