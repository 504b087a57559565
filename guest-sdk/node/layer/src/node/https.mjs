import { Agent, client } from "./internal/http/client.mjs";

class HttpsAgent extends Agent {
  constructor(options) {
    super(options);
    this.defaultPort = 443;
    this.protocol = "https:";
  }
}

// By that name here, too.
Object.defineProperty(HttpsAgent, "name", { value: "Agent" });

export default client("https", HttpsAgent);
