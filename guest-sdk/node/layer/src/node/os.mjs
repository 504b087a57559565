// One machine for every handler: what a call runs on is not its business.

import { dlopen, errno, priority, signals, UV_UDP_REUSEADDR } from "unenv/node/internal/os/constants";

const MEMORY_BYTES = 128 * 1024 * 1024;

const cpu = () => ({ model: "wasm", speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } });

export default {
  EOL: "\n",
  devNull: "/dev/null",
  constants: { UV_UDP_REUSEADDR, dlopen, errno, signals, priority },
  arch: () => "wasm32",
  availableParallelism: () => 1,
  cpus: () => [cpu()],
  endianness: () => "LE",
  freemem: () => MEMORY_BYTES,
  getPriority: () => 0,
  homedir: () => "/tmp",
  hostname: () => "localhost",
  loadavg: () => [0, 0, 0],
  machine: () => "wasm32",
  networkInterfaces: () => ({}),
  platform: () => "linux",
  release: () => "0.0.0",
  setPriority() {},
  tmpdir: () => "/tmp",
  totalmem: () => MEMORY_BYTES,
  type: () => "Linux",
  uptime: () => performance.now() / 1000,
  userInfo: () => ({ uid: 1000, gid: 1000, username: "handler", homedir: "/tmp", shell: null }),
  version: () => "mirra",
};
