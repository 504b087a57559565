// Streams of the web: web-streams-polyfill's, and the two that turn bytes into text and back.

import {
  ByteLengthQueuingStrategy, CountQueuingStrategy, ReadableByteStreamController, ReadableStream, ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest, ReadableStreamDefaultController, ReadableStreamDefaultReader, TransformStream,
  TransformStreamDefaultController, WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter,
} from "web-streams-polyfill";

import { defineClasses } from "../intrinsics.mjs";
import { Codec } from "../node/internal/zlib/codec.mjs";

/** A pair of streams, the one fed with what the other is given. */
class Transforming {
  #transform;

  constructor(transformer) {
    this.#transform = new TransformStream(transformer);
  }

  get readable() {
    return this.#transform.readable;
  }
  get writable() {
    return this.#transform.writable;
  }
}

class TextEncoderStream extends Transforming {
  constructor() {
    const encoder = new TextEncoder();
    // Half of a surrogate pair waits for the other half.
    let rest = "";
    super({
      transform(chunk, controller) {
        let text = rest + chunk;
        const isHalf = /[\ud800-\udbff]$/.test(text);
        rest = isHalf ? text.slice(-1) : "";
        if (isHalf) text = text.slice(0, -1);
        if (text !== "") controller.enqueue(encoder.encode(text));
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(encoder.encode(rest));
      },
    });
  }

  get encoding() {
    return "utf-8";
  }
}

class TextDecoderStream extends Transforming {
  #decoder;

  constructor(label, options) {
    const decoder = new TextDecoder(label, options);
    super({
      transform(chunk, controller) {
        const text = decoder.decode(chunk, { stream: true });
        if (text !== "") controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== "") controller.enqueue(text);
      },
    });
    this.#decoder = decoder;
  }

  get encoding() {
    return this.#decoder.encoding;
  }
  get fatal() {
    return this.#decoder.fatal;
  }
  get ignoreBOM() {
    return this.#decoder.ignoreBOM;
  }
}

const bytesOf = (chunk) => (chunk instanceof ArrayBuffer ? new Uint8Array(chunk) : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));

/** `formats` has the codec's names by the standard's. */
class Coding extends Transforming {
  constructor(format, formats) {
    if (!Object.hasOwn(formats, format)) throw new TypeError(`${format} is no format: ${Object.keys(formats).join(", ")} are`);
    const codec = new Codec(formats[format]);
    const enqueue = (controller, pieces) => {
      for (const piece of pieces) controller.enqueue(new Uint8Array(piece));
    };
    const told = (work) => {
      try {
        work();
      } catch (cause) {
        throw new TypeError(cause.message, { cause });
      }
    };
    super({
      transform: (chunk, controller) => told(() => enqueue(controller, codec.pieces(bytesOf(chunk)))),
      flush: (controller) => told(() => enqueue(controller, codec.end())),
    });
  }
}

class CompressionStream extends Coding {
  constructor(format) {
    super(format, { gzip: "gzip", deflate: "deflate", "deflate-raw": "deflate-raw" });
  }
}

class DecompressionStream extends Coding {
  constructor(format) {
    super(format, { gzip: "gunzip", deflate: "inflate", "deflate-raw": "inflate-raw" });
  }
}

export const streams = {
  ByteLengthQueuingStrategy, CompressionStream, CountQueuingStrategy, DecompressionStream, ReadableByteStreamController, ReadableStream,
  ReadableStreamBYOBReader, ReadableStreamBYOBRequest, ReadableStreamDefaultController, ReadableStreamDefaultReader, TextDecoderStream, TextEncoderStream,
  TransformStream, TransformStreamDefaultController, WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter,
};

export function installStreams() {
  defineClasses(streams);
}

export { ReadableStream, TransformStream };
