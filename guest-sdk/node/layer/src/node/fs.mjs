// The file system that a handler sees: /tmp, in memory. Each operation is one function (`internal/fs-operations.mjs`), which
// stands here with a callback and synchronously, and under `promises`.

import { validateFunction } from "./internal/errors.mjs";
import * as descriptors from "./internal/fs-descriptors.mjs";
import * as operations from "./internal/fs-operations.mjs";
import { plainNames, promises } from "./internal/fs-promises.mjs";
import { Dirent, Stats } from "./internal/fs-stats.mjs";
import { ReadStream, WriteStream } from "./internal/fs-streams.mjs";
import { refuse } from "./internal/refused.mjs";
import * as constants from "unenv/node/internal/fs/constants";

const { fileOf, openFile, bytesOf, writeTo, modeOf, ...ofDescriptors } = descriptors;
const sync = { ...operations, ...ofDescriptors };

/** The form with a callback, which comes last and later. */
function withCallback(operation) {
  return function (...args) {
    const callback = typeof args.at(-1) === "function" ? args.pop() : undefined;
    validateFunction(callback, "cb");
    let results;
    try {
      results = [null, operation(...args)];
    } catch (error) {
      // What the caller did wrong is thrown where it was done.
      if (error.syscall === undefined && error.code?.startsWith("ERR_INVALID_ARG")) throw error;
      results = [error];
    }
    process.nextTick(callback, ...results);
  };
}

const callbacks = Object.fromEntries(plainNames(sync).map(([name, operation]) => [name, withCallback(operation)]));
callbacks.exists = (path, callback) => process.nextTick(callback, sync.existsSync(path));
promiseAs(callbacks.exists, async (path) => sync.existsSync(path));
for (const name of ["read", "write"]) {
  const { [name]: plain } = callbacks;
  // These tell the buffer, too.
  callbacks[name] = (fd, buffer, ...rest) => {
    const callback = rest.pop();
    plain(fd, buffer, ...rest, (error, count) => callback(error, count, buffer));
  };
  const count = name === "read" ? "bytesRead" : "bytesWritten";
  promiseAs(callbacks[name], async (fd, buffer, ...rest) => ({ [count]: sync[`${name}Sync`](fd, buffer, ...rest), buffer }));
}

/** Says what `util.promisify` makes of a function. */
function promiseAs(callback, promising) {
  Object.defineProperty(callback, Symbol.for("nodejs.util.promisify.custom"), { value: promising });
}

const fs = {
  ...sync,
  ...callbacks,
  constants: { ...constants },
  F_OK: constants.F_OK,
  R_OK: constants.R_OK,
  W_OK: constants.W_OK,
  X_OK: constants.X_OK,
  Dirent,
  ReadStream,
  Stats,
  WriteStream,
  promises,
  createReadStream: (path, options) => new ReadStream(path, options),
  createWriteStream: (path, options) => new WriteStream(path, options),
  ...refuse(
    "fs",
    "link linkSync lutimes lutimesSync opendir opendirSync readlink readlinkSync readv readvSync statfs statfsSync symlink symlinkSync " +
      "unwatchFile watch watchFile writev writevSync",
    "the files of a handler are plain files and folders in memory",
  ),
};
promises.constants = fs.constants;

export default fs;
