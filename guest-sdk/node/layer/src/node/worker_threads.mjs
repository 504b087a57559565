import { messaging } from "../web/message-channel.mjs";
import { refuse } from "./internal/refused.mjs";

const { MessageChannel, MessagePort } = messaging;

export default {
  MessageChannel,
  MessagePort,
  isMainThread: true,
  parentPort: null,
  resourceLimits: {},
  threadId: 0,
  workerData: null,
  getEnvironmentData() {},
  setEnvironmentData() {},
  ...refuse("worker_threads", "Worker BroadcastChannel receiveMessageOnPort markAsUntransferable", "a handler is one thread; make several calls"),
};
