// The promise forms, and handles of open files.

import * as descriptors from "./fs-descriptors.mjs";
import * as operations from "./fs-operations.mjs";
import { ReadStream, WriteStream } from "./fs-streams.mjs";
import bufferModule from "../buffer.mjs";

const { Buffer } = bufferModule;

/** `readFileSync` and its like, under their plain names. */
export function plainNames(functions) {
  return Object.entries(functions)
    .filter(([name]) => name.endsWith("Sync"))
    .map(([name, operation]) => [name.slice(0, -"Sync".length), operation]);
}

class FileHandle {
  constructor(fd) {
    this.fd = fd;
  }

  async appendFile(data, options) {
    operations.appendFileSync(this.fd, data, options);
  }

  async close() {
    if (this.fd === -1) return;
    descriptors.closeSync(this.fd);
    this.fd = -1;
  }

  createReadStream(options) {
    return new ReadStream(undefined, { ...options, fd: this });
  }

  createWriteStream(options) {
    return new WriteStream(undefined, { ...options, fd: this });
  }

  async datasync() {
    descriptors.fsyncSync(this.fd);
  }

  async read(bufferOrOptions, ...rest) {
    const isOptions = !ArrayBuffer.isView(bufferOrOptions);
    const { buffer = Buffer.alloc(16384), ...options } = isOptions ? (bufferOrOptions ?? {}) : { buffer: bufferOrOptions };
    const bytesRead = isOptions ? descriptors.readSync(this.fd, buffer, options) : descriptors.readSync(this.fd, buffer, ...rest);
    return { bytesRead, buffer };
  }

  async readFile(options) {
    return operations.readFileSync(this.fd, options);
  }

  async stat(options) {
    return descriptors.fstatSync(this.fd, options);
  }

  async sync() {
    descriptors.fsyncSync(this.fd);
  }

  async truncate(length) {
    descriptors.ftruncateSync(this.fd, length);
  }

  async write(buffer, ...rest) {
    return { bytesWritten: descriptors.writeSync(this.fd, buffer, ...rest), buffer };
  }

  async writeFile(data, options) {
    operations.writeFileSync(this.fd, data, options);
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }
}

export const promises = { open: async (...args) => new FileHandle(descriptors.openSync(...args)) };
for (const [name, operation] of plainNames(operations)) {
  if (name !== "exists") promises[name] = async (...args) => operation(...args);
}
