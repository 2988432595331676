// J3, discover and reuse: a developer comes in with the company's account, finds "tickets", narrows it, and calls a tool that
// only reads as herself; an agent of hers finds the same. What her groups do not see is nowhere.
//
//   node j3.mjs --binary PATH --chromium PATH --screenshots FOLDER
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { must } from "../../oauth/common.mjs";
import { host } from "./host.mjs";
import { House, folder, freePort, journey, person, started, until } from "./house.mjs";
import { answering } from "./vendor.mjs";

const SECRET = "s3cret of the client";
const OURS = "com.example/tickets";
const THEIRS = "com.example/board-tickets";
const LOCAL = "com.example/ticket-printer";
/** Ours, and not ready. */
const NEXT = "com.example/next-tickets";
const TOOLS = [
  { name: "list_tickets", description: "Lists open tickets.", annotations: { readOnlyHint: true }, inputSchema: { type: "object" } },
  { name: "close_ticket", description: "Closes a ticket.", annotations: { readOnlyHint: false }, inputSchema: { type: "object" } },
];

await journey("j3.mjs", async (eyes) => {
  const { house, idp } = await company();
  const upstream = await answering(() => TOOLS);
  await house.served(OURS, upstream, "--description", "Opens, answers and closes tickets of customers", "--tag", "harbour");
  await house.served(THEIRS, upstream, "--description", "Tickets of the board, for nobody else", "--tag", "board");
  await house.served(NEXT, upstream, "--description", "Tickets, answered by themselves", "--tag", "harbour");
  await house.cli("server", "lifecycle", NEXT, "--stage", "preview");
  await local(house);
  for (const name of [OURS, NEXT, LOCAL]) await house.cli("grant", "add", "--group", "harbour", "--server", name, "--read-only");
  await house.cli("grant", "add", "--group", "board", "--server", THEIRS);
  for (const group of ["harbour", "board"]) {
    await house.cli("registry", "create", group, "--visibility", "only", "--reader", `group:${group}`, "--tag", group);
  }
  // Who is no reader of it finds what was granted to them, and nothing else.
  await house.cli("registry", "edit", "default", "--visibility", "only", "--reader", "user:admin");

  const page = await person(eyes);
  await comes(eyes, page, { house, idp });
  await finds(eyes, page, house);
  await runs(eyes, page, house);
  await sees(page, house);
  return "signed in, found, narrowed, called as herself; an agent finds the same";
});

/** The company's provider, and a Portreeve that takes its people. */
async function company() {
  const [port, own] = [await freePort(), await freePort()];
  const secret = join(folder(), "secret");
  writeFileSync(secret, SECRET);
  // Another name than that of Portreeve: browsers keep the cookies of both apart.
  const idp = `http://localhost:${port}`;
  const script = fileURLToPath(new URL("../../oauth/idp.mjs", import.meta.url));
  const flags = ["--port", String(port), "--secret", SECRET, "--portreeve", `http://127.0.0.1:${own}`];
  started(process.execPath, [...process.execArgv, script, ...flags]);
  await until("the provider answers", async () => (await fetch(`${idp}/.well-known/openid-configuration`)).ok);
  const config = `[[login.providers]]
name = "acme"
title = "Acme"
issuer = "${idp}"
client_id = "portreeve"
client_secret = "file:${secret}"
groups = [{ value = "*" }]
`;
  return { house: await House.start({ config, port: own }), idp };
}

/** A server that people run where they are. */
async function local(house) {
  const packages = [{ registryType: "npm", identifier: "@example/printer", version: "1.0.0", transport: { type: "stdio" } }];
  const $schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
  const path = join(folder(), "server.json");
  writeFileSync(path, JSON.stringify({ $schema, name: LOCAL, description: "Prints tickets", version: "1.0.0", packages }));
  await house.cli("server", "add", "--file", path, "--tag", "harbour", "--approve");
}

async function comes(eyes, page, { house, idp }) {
  const closed = await page.goto(house.url);
  must(closed.status() === 403, `a visitor is answered ${closed.status()}`);
  await eyes.all(page, "j3-closed", { isAnswer: true });
  await page.getByRole("link", { name: "Sign in", exact: true }).first().click();
  await eyes.all(page, "j3-sign-in");
  await page.getByRole("link", { name: "Sign in with Acme" }).click();
  must(page.url().startsWith(idp), `she was sent to ${page.url()}`);
  await page.getByLabel("Name").fill("ada");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: /sign out/i }).waitFor();
}

/** The names of the servers on a page of results. */
async function shown(page) {
  const links = page.getByRole("main").getByRole("heading", { level: 3 }).getByRole("link");
  const paths = await links.evaluateAll((all) => all.map((link) => new URL(link.href).pathname));
  return paths.map((path) => path.replace("/servers/", "")).sort().join();
}

async function finds(eyes, page, house) {
  await page.goto(house.url);
  await page.getByRole("searchbox").fill("tickets");
  await page.getByRole("searchbox").press("Enter");
  await page.waitForURL(/q=tickets/);
  await until("all of hers are found", async () => (await shown(page)) === [NEXT, LOCAL, OURS].join());
  await eyes.all(page, "j3-found");
  const facet = (group, name) => page.getByRole("list", { name: group }).getByRole("link", { name });
  await facet("Runs", /^Behind a URL/).click();
  await page.waitForURL(/kind=remote/);
  await facet("Stage", /^Production/).click();
  await page.waitForURL(/stage=production/);
  must((await shown(page)) === OURS, `narrowed, she finds ${await shown(page)}`);
  await eyes.all(page, "j3-narrowed");
}

/** A tool that only reads, as herself; one that writes is not hers to call. */
async function runs(eyes, page, house) {
  await page.getByRole("main").getByRole("heading", { level: 3 }).getByRole("link").click();
  await page.waitForURL(`**/servers/${OURS}`);
  await eyes.all(page, "j3-server");
  must((await page.getByRole("heading", { name: "close_ticket" }).count()) === 0, "she sees a tool that is not hers");
  await page.getByRole("link", { name: /^Try it.*list_tickets$/ }).click();
  await page.getByRole("heading", { level: 1, name: /list_tickets/ }).waitFor();
  await eyes.all(page, "j3-try");
  await page.getByRole("button", { name: /call it/i }).click();
  await page.getByText("The tool answered.").waitFor();
  await page.getByText("north 1").waitFor();
  await eyes.all(page, "j3-answer", { isAnswer: true });
  const calls = await until("the audit log has the call", async () => {
    const all = await house.audit("tools/call");
    return all.length > 0 && all;
  });
  const text = JSON.stringify(calls);
  must(text.includes("user:ada") && !text.includes("user:admin"), `who called is said to be ${text}`);
}

/** Portal, registry and agents agree about what is there. */
async function sees(page, house) {
  const gone = await page.goto(`${house.url}/servers/${THEIRS}`);
  must(gone.status() === 404, `what is not hers answers ${gone.status()}`);
  const agents = {};
  for (const group of ["harbour", "board"]) {
    const { key, secret } = await house.cli("key", "create", `agent-of-${group}`, "--group", group);
    agents[group] = secret ?? key;
  }
  const all = { harbour: [NEXT, LOCAL, OURS], board: [THEIRS] };
  for (const group of ["harbour", "board"]) {
    const [base, headers] = [`${house.url}/registries/${group}`, { authorization: `Bearer ${agents[group]}` }];
    const list = await fetch(`${base}/v0.1/servers?version=latest`, { headers });
    const names = (await list.json()).servers?.map(({ server }) => server.name).sort();
    must(list.ok && names.join() === all[group].join(), `/v0.1 shows ${group} ${list.status} ${names}`);
    const agent = await host(`${base}/mcp`, agents[group]);
    const found = (await agent.call("registry_search", { query: "tickets" })).structuredContent.servers;
    must(found.map(({ name }) => name).sort().join() === all[group].join(), `an agent of ${group} finds ${JSON.stringify(found)}`);
    const [other] = Object.keys(agents).filter((name) => name !== group);
    for (const elsewhere of [house.url, `${house.url}/registries/${other}`]) {
      const hidden = await fetch(`${elsewhere}/v0.1/servers`, { headers });
      must(hidden.status === 404, `${elsewhere} answers ${group} ${hidden.status}`);
    }
  }
  await installs(house, agents.harbour);
}

/** What an agent is told to install is the route that she called. */
async function installs(house, key) {
  const agent = await host(`${house.url}/registries/harbour/mcp`, key);
  const fetched = (await agent.call("registry_fetch", { name: OURS })).structuredContent;
  const address = house.endpoint("tickets");
  must(fetched.server.remotes[0].url === address && fetched.install.config.url === address, JSON.stringify(fetched.install));
  must(fetched.hosts.some((one) => one.host === "vscode"), `it is told of ${JSON.stringify(fetched.hosts)}`);
  const other = await agent.call("registry_fetch", { name: THEIRS });
  must(other.isError === true, "an agent is told of what is not hers");
}
