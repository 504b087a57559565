import { refuse } from "./internal/refused.mjs";

export default refuse("child_process", "exec execFile execFileSync execSync fork spawn spawnSync ChildProcess", "a handler cannot start programs");
