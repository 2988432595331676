// The official TypeScript client against one MCP endpoint: negotiate, list, call, follow a slow call.
//
//   PORTREEVE_KEY=... node sdk_client.mjs --url URL --mode legacy|modern|auto --server demo|everything --era legacy|modern
//
// `--transport sse` takes the transport of 2024-11-05 to the endpoint `/sse`. `modern` pins 2026-07-28. `--era` says which era must come out of the negotiation. Without a key the endpoint is
// called as it is, which is how the scripts are tried against a server directly.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
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
    await lists(client);
    expected.fast.check(await client.callTool({ name: expected.fast.name, arguments: expected.fast.arguments }));
    const lead = await slowCall(client);
    await others(client);
    await unknownTool(client);
    return `${version}, first progress ${lead} ms before the result`;
  } finally {
    await client.close();
  }
});

async function lists(client) {
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  for (const name of expected.tools) must(names.includes(name), `no tool \`${name}\` among \`${names}\``);
}

/** Calls the slow tool; the first progress must arrive well before the result does. */
async function slowCall(client) {
  let first;
  let count = 0;
  const onprogress = () => {
    first ??= performance.now();
    count += 1;
  };
  const { name, arguments: args, check } = expected.slow;
  check(await client.callTool({ name, arguments: args }, { onprogress }));
  must(first !== undefined, `no progress came from \`${name}\``);
  must(count >= 3, `only ${count} progress notifications came from \`${name}\``);
  const lead = Math.round(performance.now() - first);
  must(lead >= 400, `the first progress of \`${name}\` came ${lead} ms before its result: the stream is held back`);
  return lead;
}

async function others(client) {
  if (expected.resource) {
    const { contents } = await client.readResource({ uri: expected.resource.uri });
    must(contents[0]?.text?.includes(expected.resource.includes), `the resource says \`${JSON.stringify(contents)}\``);
  }
  if (expected.prompt) {
    const { name, arguments: args, includes } = expected.prompt;
    const { messages } = await client.getPrompt({ name, arguments: args });
    must(messages[0]?.content?.text?.includes(includes), `the prompt says \`${JSON.stringify(messages)}\``);
  }
}

/** A tool that does not exist is refused, whichever way the server words it. */
async function unknownTool(client) {
  let refused;
  try {
    refused = (await client.callTool({ name: "no-such-tool", arguments: {} })).isError === true;
  } catch {
    refused = true;
  }
  must(refused, "a call of a tool that does not exist succeeded");
}
