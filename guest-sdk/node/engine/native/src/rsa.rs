//! RSA: signatures and encryption, in each of its paddings.

use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BoxedUint, Oaep, Pkcs1v15Encrypt, Pkcs1v15Sign, PrivateKey, Pss, PublicKey};

use crate::hash::with_digest;
use crate::random::World;
use crate::{Refusal, unknown};

/// `with_digest!` of what PSS and OAEP are used with: each takes as much code as all the rest of the padding.
macro_rules! with_mask_digest {
    ($name:expr, $D:ident => $body:expr) => {
        with_digest!(
            $name, $D => $body;
            "sha1" => sha1::Sha1, "sha256" => sha2::Sha256, "sha384" => sha2::Sha384, "sha512" => sha2::Sha512,
        )
    };
}

/// Signs what was hashed with the hash of that name.
pub fn sign(key: &PrivateKey, padding: &str, name: &str, salt_bytes: i32, hash: &[u8]) -> Result<Vec<u8>, Refusal> {
    let signature = match padding {
        "pkcs1" => key.sign_with_rng(&mut World, pkcs1(name)?, hash),
        "pss" => {
            let salt_bytes = match salt_bytes {
                // As many as there is room for.
                ..0 => (key.n().bit_width() as usize - 1).div_ceil(8).saturating_sub(hash.len() + 2),
                bytes => bytes as usize,
            };
            // Before room is made for it.
            if salt_bytes > key.size() {
                return Err(Refusal::new("ERR_OSSL_RSA_SIGN", "cannot sign: the salt is longer than the key"));
            }
            with_mask_digest!(name, D => key.sign_with_rng(&mut World, Pss::<D>::new_with_salt(salt_bytes), hash))
                .ok_or_else(|| unknown("hash", name))?
        }
        _ => return Err(unknown("padding", padding)),
    };
    signature.map_err(|error| Refusal::new("ERR_OSSL_RSA_SIGN", format!("cannot sign: {error}")))
}

pub fn verify(key: &PublicKey, padding: &str, name: &str, salt_bytes: i32, hash: &[u8], signature: &[u8]) -> Result<bool, Refusal> {
    let verified = match padding {
        "pkcs1" => key.verify(pkcs1(name)?, hash, signature),
        "pss" => {
            let salt_len = usize::try_from(salt_bytes).ok();
            with_mask_digest!(name, D => {
                let padding = Pss::<D> { salt_len, ..Pss::new() };
                key.verify(padding, hash, signature)
            })
            .ok_or_else(|| unknown("hash", name))?
        }
        _ => return Err(unknown("padding", padding)),
    };
    Ok(verified.is_ok())
}

pub fn encrypt(key: &PublicKey, padding: &str, name: &str, label: &[u8], text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let encrypted = match padding {
        "pkcs1" => key.encrypt(&mut World, Pkcs1v15Encrypt, text),
        _ => with_mask_digest!(name, D => key.encrypt(&mut World, Oaep::<D>::new_with_label(label), text))
            .ok_or_else(|| unknown("hash", name))?,
    };
    encrypted.map_err(|error| Refusal::new("ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_KEY_SIZE", format!("cannot encrypt: {error}")))
}

pub fn decrypt(key: &PrivateKey, padding: &str, name: &str, label: &[u8], text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let decrypted = match padding {
        "pkcs1" => key.decrypt_blinded(&mut World, Pkcs1v15Encrypt, text),
        _ => with_mask_digest!(name, D => key.decrypt_blinded(&mut World, Oaep::<D>::new_with_label(label), text))
            .ok_or_else(|| unknown("hash", name))?,
    };
    decrypted.map_err(|_| Refusal::new("ERR_OSSL_RSA_OAEP_DECODING_ERROR", "error:02000079:rsa routines::oaep decoding error"))
}

fn pkcs1(name: &str) -> Result<Pkcs1v15Sign, Refusal> {
    with_digest!(name, D => Pkcs1v15Sign::new::<D>()).ok_or_else(|| unknown("hash", name))
}

/// A number out of its bytes, the most significant one first.
fn number(bytes: &[u8]) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(bytes)
}

pub fn public_key(n: &[u8], e: &[u8]) -> Option<PublicKey> {
    PublicKey::new(number(n), number(e)).ok()
}

pub fn private_key([n, e, d, p, q]: [&[u8]; 5]) -> Option<PrivateKey> {
    PrivateKey::from_components(number(n), number(e), number(d), vec![number(p), number(q)]).ok()
}

/// Modulus and public exponent, without leading zeros.
pub fn public_parts(key: &impl PublicKeyParts) -> [Vec<u8>; 2] {
    [key.n_bytes().into(), key.e_bytes().into()]
}

/// d, p, q, dp, dq and qi, as a JSON Web Key names them; none of a key with more than two primes.
pub fn private_parts(key: &PrivateKey) -> Option<[Vec<u8>; 6]> {
    let [p, q] = key.primes() else { return None };
    let qi = key.crt_coefficient()?;
    let numbers = [key.d(), p.as_ref(), q.as_ref(), key.dp()?, key.dq()?, &qi];
    Some(numbers.map(|number| number.to_be_bytes_trimmed_vartime().into_vec()))
}
