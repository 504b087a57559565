// What `stat` and `readdir` tell of an entry.

/** What no entry is. */
const OTHER_KINDS = ["isBlockDevice", "isCharacterDevice", "isFIFO", "isSocket", "isSymbolicLink"];

export class Stats {
  constructor(node, isBigInt) {
    const number = isBigInt ? (value) => BigInt(Math.round(value)) : (value) => value;
    const { size } = node;
    const fields = { dev: 1, mode: node.mode, nlink: 1, uid: 1000, gid: 1000, rdev: 0, blksize: 4096, ino: node.inode, size };
    fields.blocks = Math.ceil(size / 512);
    for (const name in fields) this[name] = number(fields[name]);
    for (const name of ["atime", "mtime", "ctime", "birthtime"]) {
      this[`${name}Ms`] = number(node[name]);
      if (isBigInt) this[`${name}Ns`] = number(node[name]) * 1_000_000n;
      this[name] = new Date(node[name]);
    }
  }

  isDirectory() {
    return (Number(this.mode) & 0o170000) === 0o040000;
  }

  isFile() {
    return !this.isDirectory();
  }
}

export class Dirent {
  #isFolder;

  constructor(name, parentPath, isFolder) {
    this.name = name;
    this.parentPath = this.path = parentPath;
    this.#isFolder = isFolder;
  }

  isDirectory() {
    return this.#isFolder;
  }

  isFile() {
    return !this.#isFolder;
  }
}

for (const { prototype } of [Stats, Dirent]) {
  for (const kind of OTHER_KINDS) Object.defineProperty(prototype, kind, { value: () => false, writable: true, configurable: true });
}
