// What Node does in C and assembler, and the engine in Rust: each kind of work answers the same in both.
import crypto from 'node:crypto';
import zlib from 'node:zlib';
import { keys } from './keys.mjs';

const words = ['alpha ', 'beta ', 'gamma, ', 'delta\n', '{"id":', '"name":', '}, ', 'Lorem ', 'ipsum ', 'dolor '];
let seed = 42;
const word = () => words[(seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % 10] + (seed & 0xfff);
const megabyte = Buffer.from(Array.from({ length: 150_000 }, word).join('')).subarray(0, 1 << 20);
const gzipped = zlib.gzipSync(megabyte);
const message = megabyte.subarray(0, 100);

const key = megabyte.subarray(0, 32);
const iv = megabyte.subarray(32, 48);
const [rsa, p256, ed25519] = ['rsa', 'p256', 'ed25519'].map((kind) => ({
  own: crypto.createPrivateKey(keys[kind].pkcs8),
  open: crypto.createPublicKey(keys[kind].spki),
}));
const signatures = {
  rsa: crypto.sign('sha256', message, rsa.own),
  // Made with fresh randomness, so it cannot be made at the top level: of `a message`.
  p256: Buffer.from(keys.signatures.p256, 'base64'),
  ed25519: crypto.sign(null, message, ed25519.own),
};

/** The answer of the last of so many times. */
function times(count, once) {
  let answer;
  for (let i = 0; i < count; i++) answer = once(i);
  return answer;
}

const digest = (hash) => crypto.createHash(hash).update(megabyte).digest('hex');
const encrypted = crypto.createCipheriv('aes-256-cbc', key, iv).update(megabyte);
const last = (bytes) => bytes.subarray(-16).toString('hex');

function sealed() {
  const cipher = crypto.createCipheriv('aes-256-gcm', key, iv.subarray(0, 12));
  return [last(cipher.update(megabyte)), cipher.final().length, cipher.getAuthTag().toString('hex')];
}

const work = {
  md5: () => digest('md5'),
  sha1: () => digest('sha1'),
  sha256: () => digest('sha256'),
  sha512: () => digest('sha512'),
  // CRC-32 and length are the same whoever compressed, the rest is not.
  gzip: () => zlib.gzipSync(megabyte).subarray(-8).toString('hex'),
  gunzip: () => last(zlib.gunzipSync(gzipped)),
  hmac: () => times(1000, (i) => crypto.createHmac('sha256', key).update(message).update(`${i}`).digest('hex')),
  gcm: sealed,
  cbc: () => last(crypto.createCipheriv('aes-256-cbc', key, iv).update(megabyte)),
  'cbc-open': () => last(crypto.createDecipheriv('aes-256-cbc', key, iv).update(encrypted)),
  pbkdf2: () => crypto.pbkdf2Sync('password', 'salt', 10_000, 32, 'sha256').toString('hex'),
  scrypt: () => crypto.scryptSync('password', 'salt', 32).toString('hex'),
  'rsa-sign': () => last(times(4, () => crypto.sign('sha256', message, rsa.own))),
  'rsa-verify': () => times(20, () => crypto.verify('sha256', message, rsa.open, signatures.rsa)),
  'p256-sign': () => times(20, () => crypto.sign('sha256', message, { key: p256.own, dsaEncoding: 'ieee-p1363' })).length,
  'p256-verify': () => times(20, () => crypto.verify('sha256', Buffer.from('a message'), p256.open, signatures.p256)),
  'ed25519-sign': () => last(times(20, () => crypto.sign(null, message, ed25519.own))),
  'ed25519-verify': () => times(20, () => crypto.verify(null, message, ed25519.open, signatures.ed25519)),
};

export function handler(event) {
  return work[event.work]();
}
