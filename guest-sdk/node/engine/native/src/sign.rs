//! What is done with asymmetric keys.

use ed25519_dalek::{Signature, Signer};
use rquickjs::{ArrayBuffer, Class, Ctx, Object};

use crate::key::Key;
use crate::{Bytes, Refusal, buffer, define, rsa, view};

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "sign", sign)?;
    define(native, "verify", verify)?;
    define(native, "encrypt", encrypt)?;
    define(native, "decrypt", decrypt)?;
    define(native, "agree", agree)
}

fn wrong_key() -> Refusal {
    Refusal::new("ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", "this operation wants another kind of key")
}

/// `scheme` is the padding of RSA, or `der` or `ieee-p1363` of ECDSA. Both sign a hash, Ed25519 the message.
fn sign<'js>(
    cx: Ctx<'js>,
    key: Class<'js, Key>,
    scheme: String,
    name: String,
    salt_bytes: i32,
    message: Bytes<'js>,
) -> rquickjs::Result<ArrayBuffer<'js>> {
    let message = view(&message);
    let signature = match &*key.borrow() {
        Key::RsaPrivate(key) => rsa::sign(key, &scheme, &name, salt_bytes, message),
        Key::Ec(key) => key.sign(message, scheme == "der").ok_or_else(wrong_key),
        Key::Ed25519Private(key) => Ok(key.sign(message).to_vec()),
        Key::RsaPublic(_) | Key::Ed25519Public(_) => Err(wrong_key()),
    };
    buffer(&cx, signature.map_err(|refusal| refusal.throw(&cx))?)
}

/// With a public key.
fn verify<'js>(
    cx: Ctx<'js>,
    key: Class<'js, Key>,
    scheme: String,
    name: String,
    salt_bytes: i32,
    message: Bytes<'js>,
    signature: Bytes<'js>,
) -> rquickjs::Result<bool> {
    let (message, signature) = (view(&message), view(&signature));
    let verified = match &*key.borrow() {
        Key::RsaPublic(key) => rsa::verify(key, &scheme, &name, salt_bytes, message, signature),
        Key::Ec(key) => Ok(key.verify(message, signature, scheme == "der")),
        Key::Ed25519Public(key) => {
            Ok(Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()))
        }
        Key::RsaPrivate(_) | Key::Ed25519Private(_) => Err(wrong_key()),
    };
    verified.map_err(|refusal| refusal.throw(&cx))
}

fn encrypt<'js>(
    cx: Ctx<'js>,
    key: Class<'js, Key>,
    padding: String,
    name: String,
    label: Bytes<'js>,
    text: Bytes<'js>,
) -> rquickjs::Result<ArrayBuffer<'js>> {
    let encrypted = match &*key.borrow() {
        Key::RsaPublic(key) => rsa::encrypt(key, &padding, &name, view(&label), view(&text)),
        _ => Err(wrong_key()),
    };
    buffer(&cx, encrypted.map_err(|refusal| refusal.throw(&cx))?)
}

fn decrypt<'js>(
    cx: Ctx<'js>,
    key: Class<'js, Key>,
    padding: String,
    name: String,
    label: Bytes<'js>,
    text: Bytes<'js>,
) -> rquickjs::Result<ArrayBuffer<'js>> {
    let decrypted = match &*key.borrow() {
        Key::RsaPrivate(key) => rsa::decrypt(key, &padding, &name, view(&label), view(&text)),
        _ => Err(wrong_key()),
    };
    buffer(&cx, decrypted.map_err(|refusal| refusal.throw(&cx))?)
}

fn agree<'js>(cx: Ctx<'js>, own: Class<'js, Key>, other: Class<'js, Key>) -> rquickjs::Result<ArrayBuffer<'js>> {
    let secret = match (&*own.borrow(), &*other.borrow()) {
        (Key::Ec(own), Key::Ec(other)) => own.agree(other).ok_or_else(wrong_key),
        _ => Err(wrong_key()),
    };
    buffer(&cx, secret.map_err(|refusal| refusal.throw(&cx))?)
}
