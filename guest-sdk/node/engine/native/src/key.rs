//! Asymmetric keys: what they are made of, and how they are written.

use digest::const_oid::ObjectIdentifier;
use ed25519_dalek::{SigningKey, VerifyingKey};
use rquickjs::{ArrayBuffer, Class, Ctx, Object};
use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::der::{Decode, asn1::OctetStringRef};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
use rsa::rand_core::Rng;
use rsa::{PrivateKey, PublicKey, traits::PublicKeyParts};
use sec1::EcPrivateKey;

use crate::ec::{Curve, EcKey};
use crate::random::World;
use crate::{Bytes, Refusal, buffer, define, rsa as rsa_of, view};

#[derive(Clone)]
pub enum Key {
    RsaPublic(PublicKey),
    RsaPrivate(Box<PrivateKey>),
    Ec(EcKey),
    Ed25519Public(VerifyingKey),
    Ed25519Private(SigningKey),
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// What stands before the 32 bytes of an Ed25519 key.
const ED25519_PKCS8: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const ED25519_SPKI: &[u8] = &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

impl Key {
    fn decode(form: &str, der: &[u8]) -> Option<Key> {
        match form {
            "pkcs1-public" => PublicKey::from_pkcs1_der(der).ok().map(Key::RsaPublic),
            "pkcs1-private" => PrivateKey::from_pkcs1_der(der).ok().map(|key| Key::RsaPrivate(Box::new(key))),
            "sec1" => Key::of_sec1(der, None),
            "spki" => Key::of_spki(SubjectPublicKeyInfoRef::from_der(der).ok()?),
            "pkcs8" => Key::of_pkcs8(PrivateKeyInfoRef::from_der(der).ok()?),
            _ => None,
        }
    }

    fn of_sec1(der: &[u8], curve: Option<Curve>) -> Option<Key> {
        let key = EcPrivateKey::from_der(der).ok()?;
        let named = || Curve::named(&key.parameters?.named_curve()?.to_string());
        EcKey::private(curve.or_else(named)?, key.private_key).map(Key::Ec)
    }

    fn of_spki(info: SubjectPublicKeyInfoRef<'_>) -> Option<Key> {
        let bits = info.subject_public_key.as_bytes()?;
        match info.algorithm.oid {
            RSA => PublicKey::from_pkcs1_der(bits).ok().map(Key::RsaPublic),
            EC => {
                let curve = Curve::named(&info.algorithm.parameters_oid().ok()?.to_string())?;
                EcKey::public(curve, bits).map(Key::Ec)
            }
            ED25519 => Key::ed25519_public(bits),
            _ => None,
        }
    }

    fn of_pkcs8(info: PrivateKeyInfoRef<'_>) -> Option<Key> {
        let der = info.private_key.as_bytes();
        match info.algorithm.oid {
            RSA => PrivateKey::from_pkcs1_der(der).ok().map(|key| Key::RsaPrivate(Box::new(key))),
            EC => Key::of_sec1(der, Some(Curve::named(&info.algorithm.parameters_oid().ok()?.to_string())?)),
            ED25519 => Key::ed25519_private(<&OctetStringRef>::from_der(der).ok()?.as_bytes()),
            _ => None,
        }
    }

    fn ed25519_public(bytes: &[u8]) -> Option<Key> {
        VerifyingKey::from_bytes(bytes.try_into().ok()?).ok().map(Key::Ed25519Public)
    }

    fn ed25519_private(seed: &[u8]) -> Option<Key> {
        Some(Key::Ed25519Private(SigningKey::from_bytes(seed.try_into().ok()?)))
    }

    /// None: this key is not written in that form.
    fn encode(&self, form: &str) -> Option<Vec<u8>> {
        match (self, form) {
            (Key::RsaPublic(key), "pkcs1") => key.to_pkcs1_der().ok().map(|document| document.into_vec()),
            (Key::RsaPublic(key), "spki") => key.to_public_key_der().ok().map(|document| document.into_vec()),
            (Key::RsaPrivate(key), "pkcs1") => key.to_pkcs1_der().ok().map(|document| document.as_bytes().to_vec()),
            (Key::RsaPrivate(key), "pkcs8") => key.to_pkcs8_der().ok().map(|document| document.as_bytes().to_vec()),
            (Key::Ec(key), "spki") => key.to_spki(),
            (Key::Ec(key), "pkcs8") => key.to_pkcs8(),
            (Key::Ec(key), "sec1") => key.to_sec1(),
            (Key::Ed25519Public(key), "spki") => Some([ED25519_SPKI, key.as_bytes()].concat()),
            (Key::Ed25519Private(key), "pkcs8") => Some([ED25519_PKCS8, key.as_bytes()].concat()),
            _ => None,
        }
    }

    fn public(&self) -> Key {
        match self {
            Key::RsaPrivate(key) => Key::RsaPublic(key.to_public_key()),
            Key::Ec(key) => Key::Ec(EcKey { scalar: None, ..key.clone() }),
            Key::Ed25519Private(key) => Key::Ed25519Public(key.verifying_key()),
            Key::RsaPublic(_) | Key::Ed25519Public(_) => self.clone(),
        }
    }

    fn is_private(&self) -> bool {
        match self {
            Key::RsaPrivate(_) | Key::Ed25519Private(_) => true,
            Key::Ec(key) => key.scalar.is_some(),
            Key::RsaPublic(_) | Key::Ed25519Public(_) => false,
        }
    }

    /// Bytes by the names that JSON Web Keys have for them.
    fn parts(&self) -> Vec<(&'static str, Vec<u8>)> {
        let rsa = |key: [Vec<u8>; 2]| ["n", "e"].into_iter().zip(key);
        match self {
            Key::RsaPublic(key) => rsa(rsa_of::public_parts(key)).collect(),
            Key::RsaPrivate(key) => {
                let private = rsa_of::private_parts(key).into_iter().flatten();
                rsa(rsa_of::public_parts(&**key)).chain(["d", "p", "q", "dp", "dq", "qi"].into_iter().zip(private)).collect()
            }
            Key::Ec(key) => {
                let (x, y) = key.point[1..].split_at(key.curve.field_bytes());
                let mut parts = vec![("x", x.to_vec()), ("y", y.to_vec())];
                parts.extend(key.scalar.clone().map(|scalar| ("d", scalar)));
                parts
            }
            Key::Ed25519Public(key) => vec![("x", key.as_bytes().to_vec())],
            Key::Ed25519Private(key) => vec![("x", key.verifying_key().as_bytes().to_vec()), ("d", key.as_bytes().to_vec())],
        }
    }

    /// The other way round; what is left out must not be needed.
    fn of_parts(kind: &str, part: impl Fn(&str) -> Option<Vec<u8>>) -> Option<Key> {
        match (kind, part("d")) {
            ("rsa", None) => rsa_of::public_key(&part("n")?, &part("e")?).map(Key::RsaPublic),
            ("rsa", Some(d)) => {
                let parts = [part("n")?, part("e")?, d, part("p")?, part("q")?];
                rsa_of::private_key(parts.each_ref().map(Vec::as_slice)).map(|key| Key::RsaPrivate(Box::new(key)))
            }
            ("ed25519", None) => Key::ed25519_public(&part("x")?),
            ("ed25519", Some(seed)) => Key::ed25519_private(&seed),
            (curve, None) => {
                let point = match part("point") {
                    Some(point) => point,
                    None => [vec![4], part("x")?, part("y")?].concat(),
                };
                EcKey::public(Curve::named(curve)?, &point).map(Key::Ec)
            }
            (curve, Some(scalar)) => EcKey::private(Curve::named(curve)?, &scalar).map(Key::Ec),
        }
    }

    /// RSA is left out: to search for primes takes seconds in here.
    fn generate(kind: &str) -> Option<Key> {
        match kind {
            "ed25519" => {
                let mut seed = [0; ed25519_dalek::SECRET_KEY_LENGTH];
                World.fill_bytes(&mut seed);
                Key::ed25519_private(&seed)
            }
            curve => EcKey::generate(Curve::named(curve)?).map(Key::Ec),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Key::RsaPublic(_) | Key::RsaPrivate(_) => "rsa",
            Key::Ec(_) => "ec",
            Key::Ed25519Public(_) | Key::Ed25519Private(_) => "ed25519",
        }
    }

    fn bits(&self) -> Option<u32> {
        match self {
            Key::RsaPublic(key) => Some(key.n().bit_width()),
            Key::RsaPrivate(key) => Some(key.n().bit_width()),
            _ => None,
        }
    }
}

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "keyDecode", |cx, form: String, der: Bytes<'_>| held(cx, Key::decode(&form, view(&der))))?;
    define(native, "keyEncode", encode)?;
    define(native, "keyPublic", |cx, key: Class<'_, Key>| {
        let public = key.borrow().public();
        Class::instance(cx, public)
    })?;
    define(native, "keyParts", parts)?;
    define(native, "keyOfParts", of_parts)?;
    define(native, "keyGenerate", |cx, kind: String| held(cx, Key::generate(&kind)))
}

fn held<'js>(cx: Ctx<'js>, key: Option<Key>) -> rquickjs::Result<Class<'js, Key>> {
    let refused = || Refusal::new("ERR_OSSL_UNSUPPORTED", "error:1E08010C:DECODER routines::unsupported").throw(&cx);
    let key = key.ok_or_else(refused)?;
    Class::instance(cx, key)
}

fn encode<'js>(cx: Ctx<'js>, key: Class<'js, Key>, form: String) -> rquickjs::Result<ArrayBuffer<'js>> {
    let refused = || Refusal::new("ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS", format!("this key has no form {form}")).throw(&cx);
    let der = key.borrow().encode(&form).ok_or_else(refused)?;
    buffer(&cx, der)
}

/// What is known of a key, and its parts.
fn parts<'js>(cx: Ctx<'js>, key: Class<'js, Key>) -> rquickjs::Result<Object<'js>> {
    let key = key.borrow();
    let object = Object::new(cx.clone())?;
    object.set("kind", key.kind())?;
    object.set("isPrivate", key.is_private())?;
    object.set("bits", key.bits())?;
    if let Key::Ec(key) = &*key {
        object.set("curve", key.curve.name())?;
    }
    for (name, bytes) in key.parts() {
        object.set(name, buffer(&cx, bytes)?)?;
    }
    Ok(object)
}

fn of_parts<'js>(cx: Ctx<'js>, kind: String, parts: Object<'js>) -> rquickjs::Result<Class<'js, Key>> {
    let part = |name: &str| {
        let bytes: Option<Bytes> = parts.get(name).ok()?;
        Some(view(&bytes?).to_vec())
    };
    held(cx, Key::of_parts(&kind, part))
}
