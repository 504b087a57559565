import fs from "./fs.mjs";
import os from "./os.mjs";

export default { ...os.constants.dlopen, ...os.constants.errno, ...os.constants.priority, ...os.constants.signals, ...fs.constants };
