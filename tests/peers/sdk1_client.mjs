// The official TypeScript SDK of the legacy era against one MCP endpoint: the same checks as sdk_client.mjs.
//
//   PORTREEVE_KEY=... node sdk1_client.mjs --url URL --server demo|everything|fixture
//
// `--transport sse` takes the transport of 2024-11-05 to the endpoint `/sse`. Every other option is of sdk_client.mjs, and
// this client has only one mode.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { check } from "./checks.mjs";
import { options, run, servers } from "./expectations.mjs";

const given = options({ url: undefined, mode: "legacy", server: "demo", era: "legacy", transport: "http" });

await run(`sdk1_client ${given.transport} ${given.server}`, async () => {
  const client = new Client({ name: "portreeve-peer", version: "1.0.0" });
  const key = process.env.PORTREEVE_KEY;
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const Transport = given.transport === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
  await client.connect(new Transport(new URL(given.url), { requestInit: { headers } }));
  try {
    const lead = await check(alike(client), servers[given.server]);
    return `first progress ${lead} ms before the result`;
  } finally {
    await client.close();
  }
});

/** Its calls, with their arguments where the newer client has them. */
function alike(client) {
  return {
    listTools: () => client.listTools(),
    callTool: (params, options) => client.callTool(params, undefined, options),
    readResource: (params) => client.readResource(params),
    getPrompt: (params) => client.getPrompt(params),
  };
}
