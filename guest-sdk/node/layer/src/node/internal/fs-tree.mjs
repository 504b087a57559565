// The files of one call: folders and files in memory below /tmp, which are gone with the instance, and the handler's own.

import path from "../path.mjs";
import url from "../url.mjs";
import bufferModule from "../buffer.mjs";
import { coded, invalidType } from "./errors.mjs";
import { systemError } from "./fs-errors.mjs";
import { HOME, ownFiles } from "./fs-own.mjs";

const { Buffer } = bufferModule;

const ENTRIES_MAX = 10_000;
const BYTES_MAX = 32 * 1024 * 1024;

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

let entries = 0;
let bytes = 0;
let lastInode = 0;

class Node {
  inode = (lastInode += 1);
  atime = Date.now();
  mtime = this.atime;
  ctime = this.atime;
  birthtime = this.atime;

  constructor(type, mode) {
    this.mode = type | mode;
  }

  get isFolder() {
    return (this.mode & S_IFDIR) !== 0;
  }

  touch() {
    this.mtime = this.ctime = Date.now();
  }
}

class Folder extends Node {
  children = new Map();
  size = 4096;

  constructor(mode = 0o755) {
    super(S_IFDIR, mode);
  }
}

class File extends Node {
  /** Content and room for more. */
  #memory = new Uint8Array(0);
  #size = 0;

  constructor(mode = 0o644) {
    super(S_IFREG, mode);
  }

  get size() {
    return this.#size;
  }

  get content() {
    return this.#memory.subarray(0, this.#size);
  }

  /** `fail(code)` makes the error of the operation that wants the room. */
  resize(size, fail) {
    const added = size - this.#size;
    if (bytes + added > BYTES_MAX) throw fail("ENOSPC");
    if (size > this.#memory.length) {
      const memory = new Uint8Array(Math.min(Math.max(size, 2 * this.#memory.length), BYTES_MAX));
      memory.set(this.content);
      this.#memory = memory;
    }
    // What comes back when the file grows again is zero.
    if (added < 0) this.#memory.fill(0, size, this.#size);
    bytes += added;
    this.#size = size;
    this.touch();
  }

  write(chunk, position, fail) {
    if (position + chunk.length > this.#size) this.resize(position + chunk.length, fail);
    this.#memory.set(chunk, position);
    this.touch();
    return chunk.length;
  }
}

const root = new Folder();
root.children.set("tmp", new Folder(0o777));
root.children.set("var", new Folder());
root.children.get("var").children.set("task", ownFiles);

/** An argument that names a file, as an absolute path without dots. */
export function toPath(value, name = "path") {
  const text = value instanceof URL ? url.fileURLToPath(value) : value instanceof Uint8Array ? Buffer.from(value).toString() : value;
  if (typeof text !== "string") throw invalidType(name, "of type string or an instance of Buffer or URL", value);
  if (text.includes("\0")) {
    throw coded(new TypeError(`The argument '${name}' must be a string without null bytes. Received '${text}'`), "ERR_INVALID_ARG_VALUE");
  }
  return text;
}

export const absolute = (text) => path.resolve(HOME, text);

const partsOf = (text) => absolute(text).split("/").filter(Boolean);

const isWritable = (parts) => parts[0] === "tmp";

/** What there is at a path, or undefined. */
export function find(text) {
  let node = root;
  for (const part of partsOf(text)) {
    node = node?.children?.get(part);
    if (node === undefined) return undefined;
  }
  return node;
}

/** What there must be at a path. */
export function get(text, syscall) {
  let node = root;
  for (const part of partsOf(text)) {
    if (!node.isFolder) throw systemError("ENOTDIR", syscall, text);
    node = node.children.get(part);
    if (node === undefined) throw systemError("ENOENT", syscall, text);
  }
  return node;
}

/** Where an entry is or will be: `{ folder, name }`; refused outside /tmp. */
export function place(text, syscall, dest) {
  const parts = partsOf(text);
  const name = parts.pop();
  const [first, second] = dest === undefined ? [text] : [dest.from, text];
  if (!isWritable(parts)) throw systemError(find(text) === undefined && !isReachable(parts) ? "ENOENT" : "EROFS", syscall, first, second);
  let folder = root;
  for (const part of parts) {
    folder = folder.children.get(part);
    if (folder === undefined) throw systemError("ENOENT", syscall, first, second);
    if (!folder.isFolder) throw systemError("ENOTDIR", syscall, first, second);
  }
  return { folder, name };
}

const isReachable = (parts) => find(`/${parts.join("/")}`) !== undefined;

function add({ folder, name }, node, fail) {
  if (entries >= ENTRIES_MAX) throw fail("ENOSPC");
  entries += 1;
  folder.children.set(name, node);
  folder.touch();
  return node;
}

export function addFile(at, mode, fail) {
  return add(at, new File(mode), fail);
}

export function addFolder(at, mode, fail) {
  return add(at, new Folder(mode), fail);
}

/** Takes an entry out, with all that is below it. */
export function remove({ folder, name }) {
  discard(folder.children.get(name));
  folder.children.delete(name);
  folder.touch();
}

function discard(node) {
  entries -= 1;
  if (node.isFolder) for (const child of node.children.values()) discard(child);
  // A file that is still open keeps its content; it does not count any more.
  else bytes -= node.size;
}

export function move(from, to) {
  const node = from.folder.children.get(from.name);
  if (to.folder.children.has(to.name)) remove(to);
  from.folder.children.delete(from.name);
  to.folder.children.set(to.name, node);
  for (const { folder } of [from, to]) folder.touch();
}
