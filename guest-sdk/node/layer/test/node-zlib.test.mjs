import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";
import { LAYER_WITH_BUILTINS } from "./builtins.mjs";
import { makeRealm } from "./realm.mjs";

/** An engine of formats that are what they are of: enough for the layer, which looks into none. The fixture has the real one. */
const copying = {
  zlib: (format) => ({ format, consumed: 0, hasEnded: false }),
  zlibStep(state, bytes, flush, limit) {
    if (bytes[0] === 255) throw Object.assign(new Error("incorrect header check"), { code: "Z_DATA_ERROR" });
    state.consumed = Math.min(bytes.length, limit);
    state.hasEnded = flush === zlib.constants.Z_FINISH && state.consumed === bytes.length;
    return Uint8Array.from(bytes.subarray(0, state.consumed)).buffer;
  },
  zlibConsumed: (state) => state.consumed,
  zlibHasEnded: (state) => state.hasEnded,
};

function builtins() {
  const realm = makeRealm(LAYER_WITH_BUILTINS, copying);
  realm.isPreparing = false;
  return { realm, ...realm.run("globalThis[Symbol.for('mirra.builtins')]") };
}

test("constants and codes are Node's", () => {
  const { zlib: ours } = builtins();
  assert.deepEqual({ ...ours.constants }, { ...zlib.constants });
  assert.deepEqual({ ...ours.codes }, { ...zlib.codes });
});

test("there is all of Node's but Brotli's compression, which says so", () => {
  const { zlib: ours } = builtins();
  const missing = Object.keys(zlib).filter((name) => !(name in ours) && name !== "BrotliCompress" && name !== "Zlib");
  assert.deepEqual(missing, []);
  assert.throws(() => ours.brotliCompressSync("a"), /Brotli compression/);
});

test("checksums are Node's", { skip: zlib.crc32 === undefined }, () => {
  const { zlib: ours } = builtins();
  for (const text of ["a", "hello"]) assert.equal(ours.crc32(text, 7), zlib.crc32(text, 7));
});

test("options are checked as Node does", () => {
  const { zlib: ours } = builtins();
  const thrown = (work) => {
    try {
      work();
      return "nothing";
    } catch (error) {
      return [error.name, error.code, error.message];
    }
  };
  const options = [{ level: 10 }, { level: "1" }, { windowBits: 16 }, { windowBits: 8 }, { memLevel: 0 }, { dictionary: 5 }, { chunkSize: 1 }];
  for (const option of options) {
    assert.deepEqual(thrown(() => ours.gzipSync("a", option)), thrown(() => zlib.gzipSync("a", option)));
  }
  for (const data of [5, null, {}]) assert.equal(thrown(() => ours.gzipSync(data))[1], "ERR_INVALID_ARG_TYPE");
});

test("a result is no longer than it may be", () => {
  const { zlib: ours } = builtins();
  assert.equal(ours.gunzipSync("12345", { maxOutputLength: 5 }).toString(), "12345");
  assert.throws(() => ours.gunzipSync("123456", { maxOutputLength: 5 }), { code: "ERR_BUFFER_TOO_LARGE" });
});

test("streams make pieces as they are wanted, and say what went wrong", async () => {
  const { realm, zlib: ours, Buffer: OurBuffer } = builtins();
  const stream = ours.createGunzip();
  const lengths = [];
  stream.on("data", (piece) => lengths.push(piece.length));
  stream.end(OurBuffer.alloc(150_000, 1));
  await realm.finishTimers();
  assert.deepEqual(lengths, [65536, 65536, 18928]);
  const broken = ours.createGunzip();
  const errors = [];
  broken.on("error", (error) => errors.push(error));
  broken.end(OurBuffer.from([255]));
  await realm.finishTimers();
  const [error] = errors;
  assert.deepEqual([error.code, error.errno], ["Z_DATA_ERROR", -3]);
});
