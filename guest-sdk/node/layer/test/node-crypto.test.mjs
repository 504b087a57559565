import assert from "node:assert/strict";
import crypto from "node:crypto";
import { test } from "node:test";
import { cases, errors } from "../../../../fixtures/handlers/node-crypto/cases.mjs";
import { keys } from "../../../../fixtures/handlers/node-crypto/keys.mjs";
import { LAYER_WITH_BUILTINS } from "./builtins.mjs";
import { makeRealm } from "./realm.mjs";

function builtins(isPreparing = false) {
  const realm = makeRealm(LAYER_WITH_BUILTINS);
  realm.isPreparing = isPreparing;
  realm.randoms = Array(100).fill(12345);
  return { realm, ...realm.run("globalThis[Symbol.for('mirra.builtins')]") };
}

const plain = (value) => JSON.parse(JSON.stringify(value));

test("hashes, HMACs, key derivation and ciphers are Node's", () => {
  const ours = builtins();
  assert.deepEqual(plain(cases(ours.crypto, ours.Buffer)), plain(cases(crypto, Buffer)));
});

test("errors are Node's", () => {
  const ours = builtins();
  // OpenSSL's own are the engine's to make.
  const known = ([, code]) => !code?.startsWith("ERR_OSSL");
  const [expected, got] = [plain(errors(crypto, Buffer)), plain(errors(ours.crypto, ours.Buffer))];
  for (const [at, error] of expected.entries()) if (known(error)) assert.deepEqual(got[at], error);
});

test("keys are read and written as Node does", () => {
  const ours = builtins();
  for (const name of ["rsa", "p256", "p384", "ed25519"]) {
    const [own, its] = [ours.crypto.createPrivateKey(keys[name].pkcs8), crypto.createPrivateKey(keys[name].pkcs8)];
    assert.deepEqual(plain(own.export({ format: "jwk" })), its.export({ format: "jwk" }));
    assert.equal(own.export({ format: "pem", type: "pkcs8" }), keys[name].pkcs8);
    assert.ok(ours.crypto.createPublicKey(own).equals(ours.crypto.createPublicKey(keys[name].spki)));
  }
});

test("randomness is refused while a handler is prepared", () => {
  const { crypto: ours } = builtins(true);
  const refused = /move it into the handler/;
  assert.throws(() => ours.randomBytes(4), refused);
  assert.throws(() => ours.randomBytes(4, () => {}), refused);
  assert.throws(() => ours.randomFillSync(new Uint8Array(4)), refused);
  assert.throws(() => ours.randomInt(4), refused);
  assert.throws(() => ours.randomUUID(), refused);
  assert.throws(() => ours.generateKeySync("aes", { length: 128 }), refused);
  assert.throws(() => ours.generateKeyPairSync("ed25519"), refused);
});

test("results come to callbacks, later", async () => {
  const { realm, crypto: ours } = builtins();
  realm.serve({ handler: () => null });
  const derived = [];
  ours.pbkdf2("password", "salt", 1, 8, "sha1", (error, key) => derived.push(error, key.toString("hex")));
  assert.deepEqual(derived, []);
  await realm.finishTimers();
  assert.deepEqual(derived, [null, crypto.pbkdf2Sync("password", "salt", 1, 8, "sha1").toString("hex")]);
});

test("hashes and ciphers are streams", async () => {
  const { realm, crypto: ours } = builtins();
  const through = async (stream, text) => {
    const pieces = [];
    const ended = new Promise((resolve) => stream.on("end", resolve));
    stream.on("data", (piece) => pieces.push(...piece));
    stream.write(text);
    stream.end(text);
    await realm.finishTimers();
    await ended;
    return Buffer.from(pieces).toString("hex");
  };
  const [key, iv] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
  assert.equal(await through(ours.createHash("sha256"), "text"), await through(crypto.createHash("sha256"), "text"));
  assert.equal(await through(ours.createHmac("md5", "key"), "text"), await through(crypto.createHmac("md5", "key"), "text"));
  assert.equal(await through(ours.createCipheriv("aes-128-cbc", key, iv), "text"), await through(crypto.createCipheriv("aes-128-cbc", key, iv), "text"));
});

test("what is missing says so when it is used", () => {
  const { crypto: ours } = builtins();
  assert.throws(() => ours.createDiffieHellman(512), { code: "ERR_CRYPTO_UNSUPPORTED_OPERATION" });
  assert.throws(() => ours.generateKeyPairSync("rsa", { modulusLength: 2048 }), /rsa keys/);
});
