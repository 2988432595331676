// J6, one click to hosts, and what B6 and B7 have in the browser: links and files as a host reads them, the gallery's
// address right and wrong, a connector that is Swagger 2.0, templates, allow-lists, the badge, and tools under `flat`.
//
//   node j6.mjs --binary PATH --chromium PATH --screenshots FOLDER
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { must } from "../../oauth/common.mjs";
import { host } from "./host.mjs";
import { House, downloaded, folder, journey, person, section } from "./house.mjs";
import { TOOL, answering } from "./vendor.mjs";

const REMOTE = "com.acme/billing";
const LOCAL = "com.acme/tool";
const FLAT = "com.acme/tides";
const SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/** Operations that a host like Copilot Studio would drop: references, and lists of types. */
const TIDES = {
  openapi: "3.1.0",
  info: { title: "Tides", version: "1.0.0" },
  paths: {
    "/tides": {
      post: { operationId: "findTides", summary: "Finds tides", requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Asked" } } } } },
    },
  },
  components: {
    schemas: {
      Asked: { type: "object", properties: { day: { type: ["string", "null"] }, port: { $ref: "#/components/schemas/Port" } } },
      Port: { type: "object", properties: { name: { type: "string" } } },
    },
  },
};

await journey("j6.mjs", async (eyes) => {
  const upstream = await answering(() => [TOOL]);
  const house = await House.start();
  const endpoint = await house.served(REMOTE, upstream, "--description", "Invoices and refunds");
  const packages = [{
    registryType: "npm", identifier: "@acme/tool", version: "2.0.0", transport: { type: "stdio" },
    environmentVariables: [{ name: "API_TOKEN", description: "From your account", isRequired: true, isSecret: true }],
  }];
  const local = file("tool.json", { $schema: SCHEMA, name: LOCAL, description: "Runs here", version: "2.0.0", packages });
  await house.cli("server", "add", "--file", local, "--approve");
  // What waits is in no file.
  await house.cli("server", "add", "com.acme/waiting", "--url", upstream, "--internal");

  const page = await person(eyes);
  await vscode(eyes, page, { house, endpoint });
  await gallery(eyes, page, house);
  await studio(eyes, page, { house, endpoint });
  await foundry(eyes, page, { house, endpoint });
  await badge(eyes, page, house);
  await allowed(eyes, page, { house, endpoint, upstream });
  await flat(house, upstream);
  return "VS Code, gallery, Copilot Studio, Foundry, badge, allow-lists, flat";
});

function file(name, content) {
  const path = join(folder(), name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** Opens a server's page, and one host on it. */
async function opened(page, { house, name, title }) {
  await page.goto(`${house.url}/servers/${name}`);
  await page.getByRole("navigation", { name: "Where to install it" }).getByRole("link", { name: title, exact: true }).click();
  await page.getByRole("heading", { level: 3, name: title, exact: true }).waitFor();
}

/** What a button's link hands to VS Code, and what the page says that it holds. */
async function handed(page, name) {
  const way = page.locator(".way").filter({ has: page.getByRole("link", { name, exact: true }) });
  const href = await way.getByRole("link").first().getAttribute("href");
  must(href.startsWith("vscode:mcp/install?"), `${name} leads to ${href}`);
  const payload = JSON.parse(decodeURIComponent(href.slice("vscode:mcp/install?".length)));
  const shown = JSON.parse(await way.locator("pre").first().textContent());
  same(payload, shown, `what the page says of ${name}`);
  return payload;
}

function same(found, expected, what) {
  const text = (value) => JSON.stringify(value, (_, one) => (one && !Array.isArray(one) && typeof one === "object" ? Object.fromEntries(Object.entries(one).sort()) : one));
  must(text(found) === text(expected), `${what}: ${text(found)} is not ${text(expected)}`);
}

/** Step 1: a click opens VS Code with all it needs, and no secret. */
async function vscode(eyes, page, { house, endpoint }) {
  await page.goto(house.url);
  await eyes.all(page, "j6-home");
  await opened(page, { house, name: REMOTE, title: "VS Code" });
  await eyes.all(page, "j6-remote");
  const plain = { name: REMOTE, type: "http", url: endpoint, version: "1.0.0" };
  same(await handed(page, "Install in VS Code"), plain, "the plain link");
  same(await handed(page, "Install from the gallery"), { ...plain, gallery: true }, "the gallery's link");
  await opened(page, { house, name: LOCAL, title: "VS Code" });
  await eyes.all(page, "j6-local");
  const payload = await handed(page, "Install in VS Code");
  same(payload.args, ["-y", "@acme/tool@2.0.0"], "the local command");
  same(payload.env, { API_TOKEN: "${input:API_TOKEN}" }, "the environment");
  const [{ id, password }] = payload.inputs;
  must(payload.command === "npx" && id === "API_TOKEN" && password === true, `the local link holds ${JSON.stringify(payload)}`);
}

/** Step 2: the address that the page shows, and what people make of it. */
async function gallery(eyes, page, house) {
  await page.getByRole("contentinfo").getByRole("link", { name: "Hosts" }).click();
  await page.getByRole("heading", { level: 1, name: "Hosts" }).waitFor();
  const base = (await page.getByRole("group", { name: "Address of the gallery" }).innerText()).trim();
  for (const [name, address] of [["right", base], ["wrong", `${base}/v0.1/servers`]]) {
    const answer = await fetch(`${address}/v0.1/servers?limit=50&version=latest`, { headers: { origin: "https://vscode.dev" } });
    const names = (await answer.json()).servers.map(({ server }) => server.name);
    must(answer.ok && names.join() === [REMOTE, LOCAL].join(), `${address} lists ${names}`);
    must(answer.headers.get("access-control-allow-origin") === "*", `${address} is closed to pages elsewhere`);
    await page.getByLabel(/address as it was given/i).fill(address);
    await page.getByRole("button", { name: "Check it" }).click();
    await page.getByText("It answers 200 with what VS Code needs.").waitFor();
    await page.getByText("Your browser asked for it too, and got 200").waitFor();
    const twice = await page.getByText("stand in the address twice").count();
    must((twice > 0) === (name === "wrong"), `of ${address} the page says it ${twice} times`);
    await eyes.all(page, `j6-gallery-${name}`);
  }
}

/** Step 4: values to be copied, and the connector's files. */
async function studio(eyes, page, { house, endpoint }) {
  await opened(page, { house, name: REMOTE, title: "Copilot Studio" });
  await eyes.all(page, "j6-studio");
  const value = async (title) => (await page.getByRole("group", { name: title, exact: true }).innerText()).trim();
  must((await value("Server URL")) === endpoint, `the URL is ${await value("Server URL")}`);
  must((await value("Server description")) === "Invoices and refunds", "the description is another");
  must((await value("Authentication")) === "OAuth 2.0, Dynamic discovery", "it signs in otherwise");
  must((await value("Authorization URL")) === `${house.url}/authorize`, "people sign in elsewhere");
  const json = await downloaded(page, page.getByRole("link", { name: "Connector, JSON" }));
  const yaml = await downloaded(page, page.getByRole("link", { name: "Connector, YAML" }));
  must(json.name === "billing.swagger.json", `the file is called ${json.name}`);
  const connector = JSON.parse(json.text);
  same(parse(yaml.text), connector, "the YAML");
  const { swagger, host: at, basePath, schemes, paths } = connector;
  const { pathname, host: here } = new URL(endpoint);
  const operation = paths[pathname]?.post;
  must(swagger === "2.0" && at === here && schemes[0] === "http" && (basePath ?? "/") === "/", `it leads to ${schemes} ${at}${basePath}`);
  must(operation?.["x-ms-agentic-protocol"] === "mcp-streamable-1.0", `its operation is ${JSON.stringify(paths)}`);
  must(operation.operationId === "InvokeMCP" && operation.responses["200"], JSON.stringify(operation));
}

/** Step 5: values to be pasted, and a template that Azure deploys. */
async function foundry(eyes, page, { house, endpoint }) {
  await opened(page, { house, name: REMOTE, title: "Azure AI Foundry" });
  await eyes.all(page, "j6-foundry");
  const value = async (title) => (await page.getByRole("group", { name: title, exact: true }).innerText()).trim();
  must((await value("Remote MCP server endpoint")) === endpoint, "the endpoint is another");
  const template = JSON.parse(await value("Add to an API Center"));
  must(template.$schema.includes("deploymentTemplate.json") && template.resources.length > 4, "it is no template");
  must(JSON.stringify(template.resources).includes(endpoint), "the template leads elsewhere");
}

/** B6: the badge is a picture that other sites may show. */
async function badge(eyes, page, house) {
  await opened(page, { house, name: REMOTE, title: "README badge" });
  await eyes.all(page, "j6-badge");
  const markdown = await page.getByRole("group", { name: "Markdown", exact: true }).innerText();
  const [, image] = /!\[[^\]]*\]\(([^)]*)\)/.exec(markdown);
  const answer = await fetch(image);
  must(answer.headers.get("content-type") === "image/svg+xml", `the badge is ${answer.headers.get("content-type")}`);
  must(answer.headers.get("cross-origin-resource-policy") === "cross-origin", "no other site may show the badge");
}

/** B7: every allow-list is there to be downloaded, and holds what is approved, and nothing else. */
async function allowed(eyes, page, { house, endpoint, upstream }) {
  const admin = await house.signedIn(eyes);
  await section(admin, "Allow-lists");
  await eyes.all(admin, "j6-exports");
  const links = await admin.getByRole("main").getByRole("link", { name: /^Download/ }).all();
  must(links.length >= 7, `there are ${links.length} files`);
  for (const link of links) {
    const title = await link.innerText();
    const { name, text } = await downloaded(admin, link);
    JSON.parse(text);
    must(!text.includes(upstream), `${name} tells where the server runs`);
    // A policy names the registry alone; all others name the server or its address.
    const isNamed = [endpoint, REMOTE, house.url].some((one) => text.includes(one));
    must(isNamed, `${title}: ${name} holds nothing that is approved: ${text.slice(0, 400)}`);
    must(!text.includes("com.acme/waiting"), `${name} holds what is not approved`);
  }
}

/** The profile for hosts that drop tools: no reference and no list of types is in what they see. */
async function flat(house, upstream) {
  const words = ["server", "add", FLAT, "--openapi", file("tides.json", TIDES), "--base-url", new URL(upstream).origin];
  await house.cli(...words, "--curation", file("tides.yaml", "profile: flat\n"), "--internal", "--approve");
  const agent = await host(house.endpoint("tides"), house.key);
  const { message } = await agent.ask("tools/list", {});
  const [tool] = message.result.tools;
  must(tool?.inputSchema.type === "object", `it lists ${JSON.stringify(message)}`);
  const text = JSON.stringify(message.result.tools);
  must(!text.includes('"$ref"') && !/"type":\[/.test(text), `a host would drop ${text}`);
  must(text.includes('"port"') && text.includes('"day"'), `what it asks for is lost: ${text}`);
}
