// JSON Web Keys.

import { native } from "../../../native.mjs";
import { coded, invalidType, unsupported } from "./errors.mjs";
import { fromBase64url, toBase64url } from "./views.mjs";

/** By the engine's names of curves. */
export const CURVE_NAMES = { prime256v1: "P-256", secp384r1: "P-384" };
const CURVES = { "P-256": "prime256v1", "P-384": "secp384r1" };

const PARTS = { rsa: ["n", "e", "d", "p", "q", "dp", "dq", "qi"], ec: ["x", "y", "d"], ed25519: ["d", "x"] };

export function toJwk(handle) {
  const parts = native.keyParts(handle);
  const known = PARTS[parts.kind].filter((name) => parts[name] !== undefined);
  const numbers = known.map((name) => [name, toBase64url(new Uint8Array(parts[name]))]);
  if (parts.kind === "rsa") return { kty: "RSA", ...Object.fromEntries(numbers) };
  if (parts.kind === "ec") return { kty: "EC", ...Object.fromEntries(numbers), crv: CURVE_NAMES[parts.curve] };
  return { crv: "Ed25519", ...Object.fromEntries(numbers), kty: "OKP" };
}

/** The engine's key; private if the JWK has a `d`. */
export function fromJwk(jwk) {
  if (typeof jwk !== "object" || jwk === null) throw invalidType("key.key", "of type object", jwk);
  const { kind, engineKind } = kindOf(jwk);
  const parts = {};
  for (const name of PARTS[kind]) {
    if (jwk[name] === undefined) continue;
    const bytes = typeof jwk[name] === "string" ? fromBase64url(jwk[name]) : undefined;
    if (bytes === undefined) throw invalidJwk();
    parts[name] = bytes;
  }
  try {
    return native.keyOfParts(engineKind, parts);
  } catch {
    throw invalidJwk();
  }
}

function kindOf({ kty, crv }) {
  if (kty === "RSA") return { kind: "rsa", engineKind: "rsa" };
  if (kty === "EC" && Object.hasOwn(CURVES, crv)) return { kind: "ec", engineKind: CURVES[crv] };
  if (kty === "OKP" && crv === "Ed25519") return { kind: "ed25519", engineKind: "ed25519" };
  if (kty === "EC" || kty === "OKP") throw unsupported(`curve ${crv}`);
  throw invalidJwk();
}

function invalidJwk() {
  return coded(TypeError, "ERR_CRYPTO_INVALID_JWK", "Invalid JWK data");
}
