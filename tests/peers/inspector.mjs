// The inspector's command line against one MCP endpoint: list the tools, call one.
//
//   PORTREEVE_KEY=... node inspector.mjs --url URL --server demo|everything|fixture|registry
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { must, options, run, servers } from "./expectations.mjs";

const LAUNCHER = "@modelcontextprotocol/inspector/clients/launcher/build/index.js";
const given = options({ url: undefined, server: "demo" });
const expected = servers[given.server];

await run(`inspector ${given.server}`, async () => {
  const { tools } = inspect("tools/list");
  const names = tools.map((tool) => tool.name);
  for (const name of expected.tools) must(names.includes(name), `no tool \`${name}\` among \`${names}\``);
  const { name, arguments: args, check } = expected.fast;
  const pairs = Object.entries(args).map(([key, value]) => `${key}=${value}`);
  const given = pairs.length > 0 ? ["--tool-arg", ...pairs] : [];
  check(inspect("tools/call", "--tool-name", name, ...given));
  return `${names.length} tools`;
});

function inspect(method, ...rest) {
  const launcher = fileURLToPath(new URL(`../node_modules/${LAUNCHER}`, import.meta.url));
  const key = process.env.PORTREEVE_KEY;
  const header = key ? ["--header", `Authorization: Bearer ${key}`] : [];
  const words = ["--cli", given.url, "--transport", "http", "--method", method, ...rest, ...header];
  const outcome = spawnSync(process.execPath, [launcher, ...words], { encoding: "utf8", timeout: 30_000 });
  must(outcome.status === 0, `${method} ended with ${outcome.status}: ${outcome.stderr}${outcome.stdout}`);
  return JSON.parse(outcome.stdout);
}
