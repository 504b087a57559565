import stream from "../stream.mjs";
import bufferModule from "../buffer.mjs";
import { closeSync, openSync, readSync, writeSync } from "./fs-descriptors.mjs";

const { Buffer } = bufferModule;
const HIGH_WATER_MARK = 64 * 1024;

const optionsOf = (options) => (typeof options === "string" ? { encoding: options } : { ...options });

/** Opens the file when the stream begins, closes it when it ends. */
function opening(Base) {
  return class extends Base {
    bytesTransferred = 0;

    constructor(path, flags, { fd, mode, autoClose = true, start, ...options }) {
      super({ highWaterMark: HIGH_WATER_MARK, autoDestroy: autoClose, emitClose: true, ...options });
      Object.assign(this, { path, flags, mode, fd: typeof fd === "number" ? fd : (fd?.fd ?? null), start, autoClose });
      this.position = start;
    }

    get pending() {
      return this.fd === null;
    }

    _construct(done) {
      try {
        if (this.fd === null) this.fd = openSync(this.path, this.flags, this.mode);
        done();
        this.emit("open", this.fd);
        this.emit("ready");
      } catch (error) {
        done(error);
      }
    }

    _destroy(error, done) {
      try {
        if (this.fd !== null && this.autoClose) closeSync(this.fd);
        this.fd = null;
        done(error);
      } catch (failure) {
        done(error ?? failure);
      }
    }

    close(done) {
      if (done) this.once("close", done);
      this.destroy();
    }
  };
}

export class ReadStream extends opening(stream.Readable) {
  constructor(path, options) {
    const { flags = "r", end = Infinity, ...rest } = optionsOf(options);
    super(path, flags, rest);
    this.end = end;
  }

  get bytesRead() {
    return this.bytesTransferred;
  }

  _read(wanted) {
    try {
      const left = this.end - (this.start ?? 0) + 1 - this.bytesTransferred;
      const chunk = Buffer.alloc(Math.max(Math.min(wanted, left), 0));
      const count = readSync(this.fd, chunk, 0, chunk.length, this.position);
      if (this.position !== undefined) this.position += count;
      this.bytesTransferred += count;
      this.push(count === 0 ? null : chunk.subarray(0, count));
    } catch (error) {
      this.destroy(error);
    }
  }
}

export class WriteStream extends opening(stream.Writable) {
  constructor(path, options) {
    const { flags = "w", encoding, ...rest } = optionsOf(options);
    super(path, flags, rest);
    if (encoding) this.setDefaultEncoding(encoding);
  }

  get bytesWritten() {
    return this.bytesTransferred;
  }

  _write(chunk, encoding, done) {
    try {
      const count = writeSync(this.fd, chunk, 0, chunk.length, this.position);
      if (this.position !== undefined) this.position += count;
      this.bytesTransferred += count;
      done();
    } catch (error) {
      done(error);
    }
  }
}
