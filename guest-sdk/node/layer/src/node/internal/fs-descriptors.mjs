// Open files: numbers, with a place in a file each.

import bufferModule from "../buffer.mjs";
import { coded, invalidType } from "./errors.mjs";
import { systemError } from "./fs-errors.mjs";
import { Stats } from "./fs-stats.mjs";
import { addFile, find, get, place, toPath } from "./fs-tree.mjs";

const { Buffer } = bufferModule;

/** What each flag asks for, in the order of letters: read, write, append, create, truncate, exclusive. */
const FLAGS = { r: "r", "r+": "rw", w: "wct", "w+": "rwct", a: "wca", "a+": "rwca" };

const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;

function wishesOf(flags) {
  if (typeof flags === "number") {
    const access = flags & O_RDWR ? "rw" : flags & O_WRONLY ? "w" : "r";
    const letters = [[O_CREAT, "c"], [O_EXCL, "x"], [O_TRUNC, "t"], [O_APPEND, "a"]];
    return access + letters.filter(([bit]) => flags & bit).map(([, letter]) => letter).join("");
  }
  // "s" asks that nothing be cached.
  const plain = `${flags}`.replace("s", "");
  const wishes = FLAGS[plain.replace("x", "")];
  if (wishes === undefined) throw coded(new TypeError(`The argument 'flags' is invalid. Received '${flags}'`), "ERR_INVALID_ARG_VALUE");
  return plain.includes("x") ? `${wishes}x` : wishes;
}

const open = new Map();
/** After those of the standard streams. */
let lastDescriptor = 2;

export function modeOf(mode, otherwise) {
  return mode === undefined || mode === null ? otherwise : typeof mode === "string" ? parseInt(mode, 8) : mode;
}

/** The file at a path, as the flags will have it. */
export function openFile(path, flags, mode) {
  const text = toPath(path);
  const wishes = wishesOf(flags ?? "r");
  const has = (wish) => wishes.includes(wish);
  const fail = (code) => systemError(code, "open", text);
  let node = has("c") ? find(text) : get(text, "open");
  if (node !== undefined && has("c") && has("x")) throw fail("EEXIST");
  if (node?.isFolder && has("w")) throw fail("EISDIR");
  if (node?.isReadOnly && (has("w") || has("t"))) throw fail("EROFS");
  if (node === undefined) node = addFile(place(text, "open"), modeOf(mode, 0o644), fail);
  if (has("t")) node.resize(0, fail);
  return { node, position: 0, isReadable: has("r"), isWritable: has("w"), isAppending: has("a") };
}

export function openSync(path, flags, mode) {
  const file = openFile(path, flags, mode);
  open.set((lastDescriptor += 1), file);
  return lastDescriptor;
}

export function fileOf(descriptor, syscall) {
  if (typeof descriptor !== "number") throw invalidType("fd", "of type number", descriptor);
  const file = open.get(descriptor);
  if (file === undefined) throw systemError("EBADF", syscall);
  return file;
}

export function closeSync(descriptor) {
  fileOf(descriptor, "close");
  open.delete(descriptor);
}

/** `read(fd, buffer, offset, length, position)`, or with an object of the last three. */
export function readSync(descriptor, buffer, offsetOrOptions, length, position) {
  const file = fileOf(descriptor, "read");
  const isOptions = typeof offsetOrOptions === "object" && offsetOrOptions !== null;
  const options = isOptions ? offsetOrOptions : { offset: offsetOrOptions, length, position };
  const { offset = 0 } = options;
  const at = options.position === undefined || options.position === null || options.position < 0 ? undefined : Number(options.position);
  if (!file.isReadable) throw systemError("EBADF", "read");
  if (file.node.isFolder) throw systemError("EISDIR", "read");
  const target = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, options.length ?? buffer.byteLength - offset);
  const from = at ?? file.position;
  const chunk = file.node.content.subarray(from, from + target.length);
  target.set(chunk);
  if (at === undefined) file.position += chunk.length;
  return chunk.length;
}

/** `write(fd, buffer, offset, length, position)` or `write(fd, text, position, encoding)`. */
export function writeSync(descriptor, data, offsetOrPosition, lengthOrEncoding, position) {
  const file = fileOf(descriptor, "write");
  if (typeof data === "string") return writeTo(file, Buffer.from(data, lengthOrEncoding), offsetOrPosition);
  const isOptions = typeof offsetOrPosition === "object" && offsetOrPosition !== null;
  const options = isOptions ? offsetOrPosition : { offset: offsetOrPosition, length: lengthOrEncoding, position };
  const bytes = bytesOf(data);
  const offset = options.offset ?? 0;
  return writeTo(file, bytes.subarray(offset, offset + (options.length ?? bytes.length - offset)), options.position);
}

export function writeTo(file, chunk, position) {
  if (!file.isWritable) throw systemError("EBADF", "write");
  const isGiven = typeof position === "number" && position >= 0;
  const from = file.isAppending ? file.node.size : isGiven ? position : file.position;
  const written = file.node.write(chunk, from, (code) => systemError(code, "write"));
  if (!isGiven) file.position = from + written;
  return written;
}

/** What can be written, as bytes. */
export function bytesOf(data, encoding) {
  if (typeof data === "string") return Buffer.from(data, encoding);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw invalidType("data", "of type string or an instance of Buffer, TypedArray, or DataView", data);
}

export const fstatSync = (descriptor, options) => new Stats(fileOf(descriptor, "fstat").node, options?.bigint);
export const fsyncSync = (descriptor) => void fileOf(descriptor, "fsync");

/** Nothing is written later. */
export { fsyncSync as fdatasyncSync };

export function ftruncateSync(descriptor, length = 0) {
  fileOf(descriptor, "ftruncate").node.resize(length, (code) => systemError(code, "ftruncate"));
}
