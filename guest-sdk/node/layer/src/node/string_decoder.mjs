import stringDecoder from "string_decoder/lib/string_decoder.js";
import buffer from "./buffer.mjs";

const { Buffer } = buffer;
const { StringDecoder } = stringDecoder;

// The package takes no other views of memory.
for (const name of ["write", "end"]) {
  const { [name]: plain } = StringDecoder.prototype;
  StringDecoder.prototype[name] = function (chunk) {
    const isForeign = ArrayBuffer.isView(chunk) && !Buffer.isBuffer(chunk);
    return plain.call(this, isForeign ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : chunk);
  };
}

export default stringDecoder;
