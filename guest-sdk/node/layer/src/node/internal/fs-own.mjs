// The handler's own files below /var/task, where AWS Lambda has them, read-only. The host has them (`wit/files.wit`) and each is looked
// for when it is wanted: what names a file there holds for one instance, and not for a snapshot of it.

import { native } from "../../native.mjs";

/** Where relative paths begin, too. */
export const HOME = "/var/task";

/** The host's name for that folder. */
const MOUNT = "handler";

const S_IFDIR_READABLE = 0o040555;
const S_IFREG_READABLE = 0o100444;

/** Beyond those of /tmp. */
const FIRST_INODE = 2 ** 32;

class Entry {
  isReadOnly = true;
  // An archive of a handler holds no times, or it would be another one after each checkout.
  atime = 0;
  mtime = 0;
  ctime = 0;
  birthtime = 0;

  constructor(path, { id }) {
    this.path = path;
    this.inode = FIRST_INODE + id;
  }
}

class OwnFile extends Entry {
  mode = S_IFREG_READABLE;
  isFolder = false;
  #content;

  constructor(path, found) {
    super(path, found);
    this.size = found.size;
  }

  get content() {
    const read = () => new Uint8Array(native.fileRead(native.fileFind(this.path).id, 0, this.size));
    return (this.#content ??= read());
  }
}

class OwnFolder extends Entry {
  mode = S_IFDIR_READABLE;
  isFolder = true;
  size = 4096;

  get children() {
    return new Children(this.path);
  }
}

/** As much of a Map as folders are asked for. */
class Children {
  #path;

  constructor(path) {
    this.#path = path;
  }

  get(name) {
    return entryAt(`${this.#path}/${name}`);
  }

  keys() {
    const found = native.fileFind(this.#path);
    return found ? native.fileNames(found.id).map((name) => name.replace(/\/$/, "")) : [];
  }

  get size() {
    return this.keys().length;
  }
}

function entryAt(path) {
  const found = native.fileFind(path);
  return found && new (found.isFolder ? OwnFolder : OwnFile)(path, found);
}

/** It is there and empty where a handler has no files. */
export const ownFiles = new OwnFolder(MOUNT, { id: 0 });
