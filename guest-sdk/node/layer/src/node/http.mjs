import { Agent, client, common } from "./internal/http/client.mjs";

export default { ...common, ...client("http", Agent) };
