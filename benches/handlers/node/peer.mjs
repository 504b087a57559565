// Runs handlers under Node for `mirra bench node`. Every line of stdin is `{"handler": FILE, "event": EVENT}`; the answer is a line
// `{"ms": CPU TIME, "result": RESULT}`.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  const { handler } = await import(pathToFileURL(call.handler));
  const before = process.cpuUsage();
  const result = await handler(call.event);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ ms: (user + system) / 1000, result }));
}
