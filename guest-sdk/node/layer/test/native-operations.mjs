// The engine's hashing, ciphers and compression, made of Node's own: what tests of the layer hold the modules against. Signatures
// are left to the fixtures: Node signs no hashes, which is what the engine does.

import crypto from "node:crypto";
import zlib from "node:zlib";

const NO_BYTES = new Uint8Array(0);

const buffer = (bytes) => Uint8Array.from(bytes).buffer;

export const nativeOperations = {
  hash: (name, bytes) => buffer(crypto.createHash(name).update(bytes).digest()),
  hasher: (name) => crypto.createHash(name),
  hasherCopy: (hasher) => hasher.copy(),
  hasherUpdate: (hasher, bytes) => void hasher.update(bytes),
  hasherDigest: (hasher) => buffer(hasher.digest()),
  mac: (name, key) => crypto.createHmac(name, key),
  macUpdate: (mac, bytes) => void mac.update(bytes),
  macDigest: (mac) => buffer(mac.digest()),
  timingSafeEqual: (a, b) => Buffer.compare(a, b) === 0,
  crc32: (bytes, before) => zlib.crc32(bytes, before),

  pbkdf2: (name, password, salt, rounds, length) => buffer(crypto.pbkdf2Sync(password, salt, rounds, length, name)),
  scrypt: (password, salt, cost, r, p, length) => buffer(crypto.scryptSync(password, salt, length, { N: 2 ** cost, r, p, maxmem: 2 ** 30 })),
  hkdf: (name, key, salt, info, length) => crypto.hkdfSync(name, key, salt, info, length),

  cipher(mode, isEncrypting, key, iv) {
    const make = isEncrypting ? crypto.createCipheriv : crypto.createDecipheriv;
    const cipher = make(`aes-${key.length * 8}-${mode}`, key, mode === "ecb" ? null : iv);
    return { cipher, mode, isEncrypting, key, iv, aad: [], texts: [] };
  },
  cipherUpdate(state, bytes, isPadded) {
    state.cipher.setAutoPadding(isPadded);
    const text = state.cipher.update(bytes);
    state.texts.push(text);
    return buffer(text);
  },
  cipherFinal(state, isPadded) {
    // Whether it is authentic is the layer's to find out.
    if (state.mode === "gcm" && !state.isEncrypting) return NO_BYTES.buffer;
    state.cipher.setAutoPadding(isPadded);
    return buffer(state.cipher.final());
  },
  cipherAad(state, bytes) {
    state.aad.push(bytes);
    state.cipher.setAAD(bytes);
  },
  /** Node tells the tag of what it encrypts only: the text that came out is encrypted again. */
  cipherTag({ cipher, isEncrypting, key, iv, aad, texts }) {
    if (isEncrypting) return buffer(cipher.getAuthTag());
    const again = crypto.createCipheriv(`aes-${key.length * 8}-gcm`, key, iv);
    if (aad.length > 0) again.setAAD(Buffer.concat(aad));
    again.update(Buffer.concat(texts));
    again.final();
    return buffer(again.getAuthTag());
  },

  keyDecode(form, der) {
    const [type, access] = form.split("-");
    const isPrivate = type === "pkcs8" || type === "sec1" || access === "private";
    return (isPrivate ? crypto.createPrivateKey : crypto.createPublicKey)({ key: Buffer.from(der), format: "der", type });
  },
  keyEncode: (key, form) => buffer(key.export({ format: "der", type: form })),
  keyPublic: (key) => crypto.createPublicKey(key),
  keyParts(key) {
    const { kty, crv, ...jwk } = key.export({ format: "jwk" });
    const parts = Object.entries(jwk).map(([name, text]) => [name, buffer(Buffer.from(text, "base64url"))]);
    const { modulusLength: bits, namedCurve: curve } = key.asymmetricKeyDetails;
    return { kind: key.asymmetricKeyType, isPrivate: key.type === "private", bits, curve, ...Object.fromEntries(parts) };
  },
  keyOfParts(kind, parts) {
    const named = { rsa: { kty: "RSA" }, ed25519: { kty: "OKP", crv: "Ed25519" }, prime256v1: { kty: "EC", crv: "P-256" }, secp384r1: { kty: "EC", crv: "P-384" } };
    const texts = Object.entries(parts).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64url")]);
    const key = { ...named[kind], ...Object.fromEntries(texts) };
    return (parts.d === undefined ? crypto.createPublicKey : crypto.createPrivateKey)({ key, format: "jwk" });
  },
};
