//! Keys on elliptic curves, as bytes that were checked once: what is done with them is the same on each curve.

use ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::NistP256;
use p256::elliptic_curve::pkcs8::{EncodePrivateKey, EncodePublicKey};
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::elliptic_curve::{Generate, PublicKey, SecretKey};
use p384::NistP384;

use crate::random::World;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    P256,
    P384,
}

#[derive(Clone)]
pub struct EcKey {
    pub curve: Curve,
    /// Uncompressed, as SEC 1 has it.
    pub point: Vec<u8>,
    /// Only private keys have one.
    pub scalar: Option<Vec<u8>>,
}

/// `$body` with `$C` as the type of the curve.
macro_rules! on_curve {
    ($curve:expr, $C:ident => $body:expr) => {
        match $curve {
            Curve::P256 => {
                type $C = NistP256;
                $body
            }
            Curve::P384 => {
                type $C = NistP384;
                $body
            }
        }
    };
}

impl Curve {
    const ALL: [Curve; 2] = [Curve::P256, Curve::P384];

    /// What OpenSSL calls it.
    pub fn name(self) -> &'static str {
        match self {
            Curve::P256 => "prime256v1",
            Curve::P384 => "secp384r1",
        }
    }

    pub fn oid(self) -> &'static str {
        match self {
            Curve::P256 => "1.2.840.10045.3.1.7",
            Curve::P384 => "1.3.132.0.34",
        }
    }

    pub fn named(name: &str) -> Option<Curve> {
        Curve::ALL.into_iter().find(|curve| curve.name() == name || curve.oid() == name)
    }

    pub fn field_bytes(self) -> usize {
        if self == Curve::P384 { 48 } else { 32 }
    }
}

impl EcKey {
    pub fn public(curve: Curve, point: &[u8]) -> Option<EcKey> {
        let point = on_curve!(curve, C => {
            PublicKey::<C>::from_sec1_bytes(point).ok()?.to_sec1_point(false).as_bytes().to_vec()
        });
        Some(EcKey { curve, point, scalar: None })
    }

    pub fn private(curve: Curve, scalar: &[u8]) -> Option<EcKey> {
        let point = on_curve!(curve, C => {
            SecretKey::<C>::from_slice(scalar).ok()?.public_key().to_sec1_point(false).as_bytes().to_vec()
        });
        Some(EcKey { curve, point, scalar: Some(scalar.to_vec()) })
    }

    pub fn generate(curve: Curve) -> Option<EcKey> {
        let scalar = on_curve!(curve, C => SecretKey::<C>::generate_from_rng(&mut World).to_bytes().to_vec());
        EcKey::private(curve, &scalar)
    }

    pub fn to_spki(&self) -> Option<Vec<u8>> {
        let document = on_curve!(self.curve, C => PublicKey::<C>::from_sec1_bytes(&self.point).ok()?.to_public_key_der());
        document.ok().map(|document| document.into_vec())
    }

    pub fn to_pkcs8(&self) -> Option<Vec<u8>> {
        let scalar = self.scalar.as_deref()?;
        let document = on_curve!(self.curve, C => SecretKey::<C>::from_slice(scalar).ok()?.to_pkcs8_der());
        document.ok().map(|document| document.as_bytes().to_vec())
    }

    pub fn to_sec1(&self) -> Option<Vec<u8>> {
        let scalar = self.scalar.as_deref()?;
        let document = on_curve!(self.curve, C => SecretKey::<C>::from_slice(scalar).ok()?.to_sec1_der());
        document.ok().map(|document| document.to_vec())
    }

    /// Signs a hash by RFC 6979, which needs no randomness. `is_der`: as OpenSSL writes it, else r and s one after the other.
    pub fn sign(&self, hash: &[u8], is_der: bool) -> Option<Vec<u8>> {
        let (scalar, hash) = (self.scalar.as_deref()?, self.widened(hash));
        on_curve!(self.curve, C => {
            let signature: Signature<C> = SigningKey::<C>::from_slice(scalar).ok()?.sign_prehash(&hash).ok()?;
            Some(if is_der { signature.to_der().as_bytes().to_vec() } else { signature.to_bytes().to_vec() })
        })
    }

    pub fn verify(&self, hash: &[u8], signature: &[u8], is_der: bool) -> bool {
        let hash = self.widened(hash);
        let verify = || {
            on_curve!(self.curve, C => {
                let key = VerifyingKey::<C>::from_sec1_bytes(&self.point).ok()?;
                let signature = if is_der { Signature::<C>::from_der(signature) } else { Signature::<C>::from_slice(signature) };
                // Either of the two values of s is as good.
                key.verify_prehash(&hash, &signature.ok()?.normalize_s()).ok()
            })
        };
        verify().is_some()
    }

    /// The secret that both sides come to.
    pub fn agree(&self, other: &EcKey) -> Option<Vec<u8>> {
        let scalar = self.scalar.as_deref().filter(|_| self.curve == other.curve)?;
        on_curve!(self.curve, C => {
            let public = PublicKey::<C>::from_sec1_bytes(&other.point).ok()?;
            Some(SecretKey::<C>::from_slice(scalar).ok()?.diffie_hellman(&public).raw_secret_bytes().to_vec())
        })
    }

    /// The same number: the crates refuse hashes that are much shorter than the curve's field.
    fn widened(&self, hash: &[u8]) -> Vec<u8> {
        let mut widened = vec![0; self.curve.field_bytes().saturating_sub(hash.len())];
        widened.extend_from_slice(hash);
        widened
    }
}
