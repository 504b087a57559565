import path from "../path.mjs";

export default path.posix;
