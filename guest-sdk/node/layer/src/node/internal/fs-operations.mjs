// What can be done with paths: once, synchronously. The other forms are made of these (`fs.mjs`, `fs-promises.mjs`).

import bufferModule from "../buffer.mjs";
import path from "../path.mjs";
import { coded } from "./errors.mjs";
import { bytesOf, fileOf, modeOf, openFile, writeTo } from "./fs-descriptors.mjs";
import { systemError } from "./fs-errors.mjs";
import { Dirent, Stats } from "./fs-stats.mjs";
import { absolute, addFolder, find, get, move, place, remove, toPath } from "./fs-tree.mjs";

const { Buffer } = bufferModule;

const W_OK = 2;
const COPYFILE_EXCL = 1;
const RANDOM_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

const optionsOf = (options) => (typeof options === "string" ? { encoding: options } : (options ?? {}));

/** A number is a file that is open, and read or written from where it is. */
const fileAt = (target, flag, mode, syscall) => (typeof target === "number" ? fileOf(target, syscall) : openFile(target, flag, mode));

export function readFileSync(target, options) {
  const { encoding, flag = "r" } = optionsOf(options);
  const file = fileAt(target, flag, undefined, "read");
  if (file.node.isFolder) throw systemError("EISDIR", "read");
  const content = Buffer.from(file.node.content.subarray(file.position));
  return encoding && encoding !== "buffer" ? content.toString(encoding) : content;
}

function write(target, data, options, flag) {
  const { encoding, mode, ...given } = optionsOf(options);
  // What cannot be written must not have emptied the file.
  const bytes = bytesOf(data, encoding);
  writeTo(fileAt(target, given.flag ?? flag, mode, "write"), bytes);
}

export const writeFileSync = (target, data, options) => write(target, data, options, "w");
export const appendFileSync = (target, data, options) => write(target, data, options, "a");

export function truncateSync(target, length = 0) {
  const text = toPath(target);
  openFile(text, "r+").node.resize(length, (code) => systemError(code, "truncate", text));
}

export function copyFileSync(source, target, mode = 0) {
  const [from, to] = [toPath(source, "src"), toPath(target, "dest")];
  const node = get(from, "copyfile");
  if (node.isFolder) throw systemError("EISDIR", "copyfile", from, to);
  if (mode & COPYFILE_EXCL && find(to) !== undefined) throw systemError("EEXIST", "copyfile", from, to);
  writeFileSync(to, node.content, { mode: node.mode & 0o777 });
}

export function mkdirSync(target, options) {
  const { recursive = false, mode } = typeof options === "object" && options !== null ? options : { mode: options };
  const text = toPath(target);
  const known = find(text);
  if (known !== undefined) {
    if (recursive && known.isFolder) return undefined;
    throw systemError("EEXIST", "mkdir", text);
  }
  const parent = path.dirname(absolute(text));
  const first = recursive ? mkdirSync(parent, { recursive, mode }) : undefined;
  addFolder(place(text, "mkdir"), modeOf(mode, 0o777), (code) => systemError(code, "mkdir", text));
  return recursive ? (first ?? text) : undefined;
}

export function mkdtempSync(prefix) {
  const start = toPath(prefix, "prefix");
  const letters = Array.from({ length: 6 }, () => RANDOM_LETTERS[Math.floor(Math.random() * RANDOM_LETTERS.length)]);
  const folder = start + letters.join("");
  mkdirSync(folder, 0o700);
  return folder;
}

export function readdirSync(target, options) {
  const { withFileTypes = false, recursive = false, encoding } = optionsOf(options);
  const text = toPath(target);
  const found = [];
  const list = (folder, parent) => {
    for (const name of [...folder.children.keys()].sort()) {
      const child = folder.children.get(name);
      const inside = path.join(parent, name);
      found.push(withFileTypes ? new Dirent(name, path.join(text, parent), child.isFolder) : inside);
      if (recursive && child.isFolder) list(child, inside);
    }
  };
  const node = get(text, "scandir");
  if (!node.isFolder) throw systemError("ENOTDIR", "scandir", text);
  list(node, "");
  return encoding === "buffer" ? found.map((name) => Buffer.from(name)) : found;
}

export function statSync(target, options, syscall = "stat") {
  const text = toPath(target);
  if (options?.throwIfNoEntry === false && find(text) === undefined) return undefined;
  return new Stats(get(text, syscall), options?.bigint);
}

/** There are no links. */
export const lstatSync = (target, options) => statSync(target, options, "lstat");

export function existsSync(target) {
  try {
    return find(toPath(target)) !== undefined;
  } catch {
    return false;
  }
}

export function accessSync(target, mode = 0) {
  const text = toPath(target);
  get(text, "access");
  if (mode & W_OK && !isInTmp(text)) throw systemError("EROFS", "access", text);
}

const isInTmp = (text) => absolute(text).split("/")[1] === "tmp";

export function realpathSync(target) {
  const text = toPath(target);
  get(text, "realpath");
  return absolute(text);
}

export function renameSync(source, target) {
  const [from, to] = [toPath(source, "oldPath"), toPath(target, "newPath")];
  const fail = (code) => systemError(code, "rename", from, to);
  const [moved, known] = [find(from), find(to)];
  if (moved === undefined) throw fail("ENOENT");
  if (moved === known) return;
  const [absoluteFrom, absoluteTo] = [absolute(from), absolute(to)];
  if (absoluteTo.startsWith(`${absoluteFrom}/`)) throw fail("EINVAL");
  if (known !== undefined && known.isFolder !== moved.isFolder) throw fail(known.isFolder ? "EISDIR" : "ENOTDIR");
  if (known?.isFolder && known.children.size > 0) throw fail("ENOTEMPTY");
  move(place(from, "rename"), place(to, "rename", { from }));
}

export function unlinkSync(target) {
  const text = toPath(target);
  if (get(text, "unlink").isFolder) throw systemError("EISDIR", "unlink", text);
  remove(place(text, "unlink"));
}

export function rmdirSync(target) {
  const text = toPath(target);
  const node = get(text, "rmdir");
  if (!node.isFolder) throw systemError("ENOTDIR", "rmdir", text);
  if (node.children.size > 0) throw systemError("ENOTEMPTY", "rmdir", text);
  remove(place(text, "rmdir"));
}

export function rmSync(target, { recursive = false, force = false } = {}) {
  const text = toPath(target);
  if (force && find(text) === undefined) return;
  if (get(text, "lstat").isFolder && !recursive) {
    const error = new Error(`Path is a directory: rm returned EISDIR (is a directory) ${text}`);
    throw coded(Object.assign(error, { name: "SystemError", syscall: "rm", path: text }), "ERR_FS_EISDIR");
  }
  remove(place(text, "rm"));
}

export function cpSync(source, target, options = {}) {
  const { recursive = false, force = true, errorOnExist = false, filter = () => true } = options;
  const [from, to] = [toPath(source, "src"), toPath(target, "dest")];
  if (!filter(from, to)) return;
  const node = get(from, "cp");
  if (node.isFolder) {
    if (!recursive) throw coded(new Error(`Recursive option not enabled, cannot copy a directory: ${from}`), "ERR_FS_EISDIR");
    mkdirSync(to, { recursive: true });
    for (const name of [...node.children.keys()]) cpSync(path.join(from, name), path.join(to, name), options);
  } else if (force || find(to) === undefined) {
    mkdirSync(path.dirname(absolute(to)), { recursive: true });
    copyFileSync(from, to);
  } else if (errorOnExist) {
    throw coded(new Error(`Target already exists: ${to}`), "ERR_FS_CP_EEXIST");
  }
}

/** The entry that is to be changed, which outside /tmp none may be. */
function changeable(target, syscall) {
  const text = toPath(target);
  const node = get(text, syscall);
  if (!isInTmp(text)) throw systemError("EROFS", syscall, text);
  return node;
}

export function chmodSync(target, mode) {
  const node = changeable(target, "chmod");
  node.mode = (node.mode & ~0o7777) | modeOf(mode);
}

/** There is one user. */
export const chownSync = (target) => void changeable(target, "chown");

export function utimesSync(target, atime, mtime) {
  const ms = (time) => (time instanceof Date ? time.getTime() : Number(time) * 1000);
  Object.assign(changeable(target, "utime"), { atime: ms(atime), mtime: ms(mtime) });
}
