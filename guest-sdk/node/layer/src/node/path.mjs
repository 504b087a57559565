import posix from "path-unified/posix";
import win32 from "path-unified/win32";

// They refer to each other, so `path.posix.win32` works, and `path` is the very `path.posix`.
for (const path of [posix, win32]) Object.assign(path, { posix, win32, _makeLong: path.toNamespacedPath });

export default posix;
