// The official conformance suite's scenarios about authorization servers, with Portreeve as one. The suite prints an address
// and waits for a person: a scripted one goes there.
//
//   node authorization.mjs --url ISSUER --resource URL --link SIGN-IN-LINK --out FOLDER
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { Agent } from "../oauth/agent.mjs";
import { must, options, run } from "../oauth/common.mjs";

const SCENARIOS = ["authorization-code-grant", "authorization-server-metadata-endpoint"];
const given = options({ url: undefined, resource: undefined, link: undefined, out: undefined });
const suite = join(dirname(createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")), "dist/index.js");

await run("authorization server", async () => {
  const agent = new Agent();
  await agent.signInWith(given.link);
  const port = await free();
  const client = await registered(`http://127.0.0.1:${port}/callback`);
  const words = ["authorization", "--url", given.url, "--client-id", client, "--resource", given.resource];
  words.push("--port", String(port), "--output-dir", given.out);
  const child = spawn(process.execPath, [suite, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => child.on("close", done));
  let said = "";
  let went;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
    process.stdout.write(text);
    const address = /^https?:\S+\/authorize\?\S+$/m.exec(said)?.[0];
    if (address) went ??= agent.allow(address, "").then(fetch).catch((error) => child.kill() && console.error(error));
  });
  const code = await ended;
  await went;
  must(code === 0, `the suite ended with ${code}`);
  const checks = new Map();
  for (const folder of readdirSync(given.out)) {
    for (const check of JSON.parse(readFileSync(join(given.out, folder, "checks.json"), "utf8"))) {
      must(["SUCCESS", "INFO"].includes(check.status), `${folder}: ${check.id}: ${check.status}: ${check.errorMessage}`);
      checks.set(check.id, SCENARIOS.find((scenario) => folder.includes(scenario)));
    }
  }
  must(new Set(checks.values()).size === SCENARIOS.length, `scenarios are missing: ${[...checks]}`);
  return `${checks.size} checks of ${SCENARIOS.length} scenarios`;
});

async function free() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function registered(redirect) {
  const metadata = { client_name: "Conformance", redirect_uris: [redirect], token_endpoint_auth_method: "none" };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${given.url}/register`, { method: "POST", headers, body: JSON.stringify(metadata) });
  must(answer.status === 201, `registering answered ${answer.status}`);
  return (await answer.json()).client_id;
}
