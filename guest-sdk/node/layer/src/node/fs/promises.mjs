import fs from "../fs.mjs";

export default fs.promises;
