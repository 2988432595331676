// The official TypeScript client against one MCP endpoint: negotiate, list, call, follow a slow call.
//
//   PORTREEVE_KEY=... node sdk_client.mjs --url URL --mode legacy|modern|auto --server demo|everything|fixture --era legacy|modern
//
// `--transport sse` takes the transport of 2024-11-05 to the endpoint `/sse`. `modern` pins 2026-07-28. `--era` says which era must come out of the negotiation. Without a key the endpoint is
// called as it is, which is how the scripts are tried against a server directly.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { check } from "./checks.mjs";
import { must, options, run, servers } from "./expectations.mjs";

const MODES = { legacy: "legacy", modern: { pin: "2026-07-28" }, auto: "auto" };
const given = options({ url: undefined, mode: "auto", server: "demo", era: undefined, transport: "http" });
const expected = servers[given.server];

await run(`sdk_client ${given.transport} ${given.mode} ${given.server}`, async () => {
  must(MODES[given.mode], `\`--mode\` is one of ${Object.keys(MODES).join(", ")}`);
  const client = new Client(
    { name: "portreeve-peer", version: "1.0.0" },
    { versionNegotiation: { mode: MODES[given.mode] } },
  );
  const key = process.env.PORTREEVE_KEY;
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const Transport = given.transport === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
  await client.connect(new Transport(new URL(given.url), { requestInit: { headers } }));
  try {
    const version = client.getNegotiatedProtocolVersion();
    const era = version >= "2026-07-28" ? "modern" : "legacy";
    must(!given.era || era === given.era, `negotiated \`${version}\`, wanted the ${given.era} era`);
    const lead = await check(client, expected);
    return `${version}, first progress ${lead} ms before the result`;
  } finally {
    await client.close();
  }
});
