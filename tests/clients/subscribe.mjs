/* Subscribes with the client libraries that web applications use, and prints each result as a JSON line.

   node subscribe.mjs ws|sse URL DOCUMENT VARIABLES COUNT

   URL        of GraphQL, with http
   VARIABLES  a JSON object
   COUNT      how many results to take before leaving; 0 stays until the server completes the stream

   Lines: {step: "connected"}
          {step: "next", result}
          {step: "left"} or {step: "complete"} */

import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import WebSocket from "ws";

const [kind, url, query, variables, count] = process.argv.slice(2);
const say = (step, facts = {}) => console.log(JSON.stringify({ step, ...facts }));
const connected = () => say("connected");

function clientOf() {
  if (kind === "sse") {
    return createSseClient({ url, retryAttempts: 0, on: { connected } });
  }
  return createWsClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0, on: { connected } });
}

const client = clientOf();
let seen = 0;
let end = "complete";
for await (const result of client.iterate({ query, variables: JSON.parse(variables) })) {
  say("next", { result });
  seen += 1;
  if (seen === Number(count)) {
    end = "left";
    break;
  }
}
say(end);
await client.dispose();
