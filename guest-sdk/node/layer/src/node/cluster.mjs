import { refuse } from "./internal/refused.mjs";

export default {
  isMaster: true,
  isPrimary: true,
  isWorker: false,
  settings: {},
  workers: {},
  ...refuse("cluster", "fork disconnect setupMaster setupPrimary Worker", "a handler is one process; make several calls"),
};
