//! HMAC over every hash.

use hmac::{HmacReset, KeyInit};
use rquickjs::{ArrayBuffer, Class, Ctx, Object};

use crate::hash::with_digest;
use crate::{Bytes, buffer, define, unknown, view};

pub struct Mac(Box<dyn DynMac>);

/// `hmac::Mac` as an object.
pub trait DynMac {
    fn update(&mut self, bytes: &[u8]);
    fn finish(&mut self) -> Vec<u8>;
}

impl<M: hmac::Mac + hmac::digest::FixedOutputReset> DynMac for M {
    fn update(&mut self, bytes: &[u8]) {
        hmac::Mac::update(self, bytes);
    }

    fn finish(&mut self) -> Vec<u8> {
        self.finalize_reset().into_bytes().to_vec()
    }
}

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "mac", mac)?;
    define(native, "macUpdate", |mac: Class<'_, Mac>, bytes: Bytes<'_>| mac.borrow_mut().0.update(view(&bytes)))?;
    define(native, "macDigest", digest)
}

/// None: no hash of that name.
pub fn keyed(name: &str, key: &[u8]) -> Option<Box<dyn DynMac>> {
    // A key may have any length.
    with_digest!(name, D => HmacReset::<D>::new_from_slice(key).ok().map(|mac| Box::new(mac) as Box<dyn DynMac>)).flatten()
}

fn mac<'js>(cx: Ctx<'js>, name: String, key: Bytes<'js>) -> rquickjs::Result<Class<'js, Mac>> {
    let mac = keyed(&name, view(&key)).ok_or_else(|| unknown("hash", &name).throw(&cx))?;
    Class::instance(cx, Mac(mac))
}

fn digest<'js>(cx: Ctx<'js>, mac: Class<'js, Mac>) -> rquickjs::Result<ArrayBuffer<'js>> {
    let digest = mac.borrow_mut().0.finish();
    buffer(&cx, digest)
}
