// `node:zlib`.

import { Buffer } from "buffer";

import { native } from "../../../native.mjs";
import { bytesArgument, later } from "../crypto/bytes.mjs";
import { checkFunction, checkInteger, unsupported } from "../crypto/errors.mjs";
import { Codec } from "./codec.mjs";
import { codes, constants } from "./constants.mjs";
import { brotliOptions, tooLarge, zlibOptions } from "./options.mjs";
import * as streams from "./streams.mjs";

/** More than any memory holds. */
const LENGTH_MAX = 2 ** 31 - 1;

const DATA = "of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer";

/** Does all of it at once. */
function convert(format, bytes, options) {
  const codec = new Codec(format, options);
  const limit = Math.min(options.maxOutputLength, LENGTH_MAX - 1);
  const result = codec.step(bytes, options.finishFlush, limit + 1);
  if (result.byteLength > limit) throw tooLarge(limit);
  if (options.finishFlush === constants.Z_FINISH) codec.checkEnd();
  return Buffer.from(result);
}

function conversions(name, format, checked) {
  const sync = (data, options) => convert(format, bytesArgument("buffer", data, undefined, DATA), checked(options, format));
  const async = (data, options, callback) => {
    if (typeof options === "function") [options, callback] = [undefined, options];
    checkFunction("callback", callback);
    const [bytes, checkedOptions] = [bytesArgument("buffer", data, undefined, DATA), checked(options, format)];
    later(callback, () => convert(format, bytes, checkedOptions));
  };
  Object.defineProperty(sync, "name", { value: `${name}Sync` });
  Object.defineProperty(async, "name", { value: name });
  return { [`${name}Sync`]: sync, [name]: async };
}

function crc32(data, value = 0) {
  const bytes = bytesArgument("data", data, undefined, "of type string or an instance of Buffer, TypedArray, or DataView");
  checkInteger("value", value, 0, 2 ** 32 - 1);
  return native.crc32(bytes, value);
}

/** To write Brotli takes more code than all the rest of zlib. */
function noBrotli() {
  throw unsupported("Brotli compression; it can decompress, and gzip does both");
}

const creators = Object.entries(streams).map(([name, Stream]) => [`create${name}`, (options) => new Stream(options)]);

export default {
  ...streams,
  ...Object.fromEntries(creators),
  ...conversions("gzip", "gzip", zlibOptions),
  ...conversions("gunzip", "gunzip", zlibOptions),
  ...conversions("deflate", "deflate", zlibOptions),
  ...conversions("inflate", "inflate", zlibOptions),
  ...conversions("deflateRaw", "deflate-raw", zlibOptions),
  ...conversions("inflateRaw", "inflate-raw", zlibOptions),
  ...conversions("unzip", "unzip", zlibOptions),
  ...conversions("brotliDecompress", "brotli-decompress", brotliOptions),
  brotliCompress: noBrotli,
  brotliCompressSync: noBrotli,
  createBrotliCompress: noBrotli,
  codes,
  constants,
  crc32,
};
