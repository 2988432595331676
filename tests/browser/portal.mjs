// The portal as people meet it: a visitor, then the manager with the printed link, in light and dark, on a phone, and
// with JavaScript switched off. Every page must pass axe at WCAG 2.2 AA.
//
//   node portal.mjs --url URL --link SIGN-IN-LINK --chromium PATH --screenshots FOLDER
//
// Looks for roles, headings and labels only: what a person sees or hears may be moved about freely.
import { must, options } from "../oauth/common.mjs";
import { Eyes, fits, heading, launched } from "./eyes.mjs";

const SERVER = { search: "port", name: "com.example/port", tools: ["list_ships", "release_mooring", "inspect_cargo"] };
const GOVERNED = {
  discover: "/discover",
  partner: "/discover/stripe/stripe",
  granted: `/servers/${SERVER.name}?show=grants`,
  waiting: "/admin/waiting",
  failing: "/admin/waiting?show=properties",
  registries: "/registries",
  registry: "/admin/registries/default",
  imports: "/admin/imports",
  secrets: "/admin/secrets",
  users: "/admin/users",
  user: "/admin/users/admin",
  account: "/account",
  sessions: "/account/sessions",
  webhooks: "/admin/webhooks",
  environments: "/admin/environments",
  environment: "/admin/environments/test",
  deployments: "/admin/deployments",
  submit: "/submit",
  properties: "/admin/properties",
  rest: "/admin/rest",
  exports: "/exports",
  hosts: "/hosts",
  checked: `/hosts?url=https%3A%2F%2Felsewhere.example`,
  studio: `/servers/${SERVER.name}?host=copilot-studio`,
  claude: `/servers/${SERVER.name}?host=claude-code`,
  review: `/servers/${SERVER.name}/review`,
  stages: `/servers/${SERVER.name}/stages`,
  places: `/servers/${SERVER.name}/deployments`,
  profile: `/servers/${SERVER.name}/profile`,
  logins: `/servers/${SERVER.name}/logins`,
  narrowed: "/?kind=local",
  asking: `/servers/${SERVER.name}/access`,
  asked: "/account/access",
  requests: "/admin/waiting?show=access",
  offers: `/servers/${SERVER.name}/try`,
  resource: `/servers/${SERVER.name}/try?resource=port%3A%2F%2Ftides%2Ftoday`,
  prompt: `/servers/${SERVER.name}/try?prompt=arrival_briefing`,
};
const TRIED = { name: "com.example/chandler", tool: "show_picture", arguments: { sku: "SF-410" } };
const DESCRIPTION = `openapi: 3.1.0
info: {title: Tides, version: 1.0.0}
servers: [{url: https://api.acme.example/v1}]
paths:
  /tides:
    get: {operationId: tides, summary: Reads the tides, tags: [sea], parameters: [{name: day, in: query, schema: {type: string, format: date}}]}
    delete: {operationId: forget, summary: Forgets the tides, tags: [sea]}
    put: {operationId: odd, requestBody: 7, tags: [land]}
  /odd: {get: 7}
`;

const given = options({ url: undefined, link: undefined, chromium: undefined, screenshots: undefined });
const browser = await launched(given.chromium);
const eyes = new Eyes(browser, given.screenshots);
try {
  await visitor("light");
  await visitor("dark");
  const session = await signIn();
  await manager("light", session);
  await manager("dark", session);
  await wizard("light", session);
  await wizard("dark", session);
  await tries("light", session);
  await tries("dark", session);
  await phone(session);
  await withoutScripts(session);
} catch (error) {
  eyes.findings.push(error.stack ?? String(error));
} finally {
  await browser.close();
}
for (const finding of eyes.findings) console.error(finding);
console.log(`${eyes.findings.length} findings`);
process.exit(eyes.findings.length === 0 ? 0 : 1);

/** Finds a server without being anybody. */
async function visitor(scheme) {
  await eyes.inPage(`visitor ${scheme}`, { colorScheme: scheme }, async (page, look) => {
    await page.goto(given.url);
    await look("home");
    await search(page);
    await look("search");
    await openServer(page);
    await look("server");
    await page.getByRole("link", { name: /^sign in$/i }).first().click();
    await heading(page, /sign in/i);
    await look("sign-in");
    const lost = await page.goto(`${given.url}/servers/com.example/nowhere-to-be-found`);
    must(lost.status() === 404, `an unknown server answers ${lost.status()}`);
    await heading(page);
    await look("not-found");
  });
}

/** Uses the printed link. It works once, so the session is handed on. */
async function signIn() {
  let session;
  await eyes.inPage("sign-in", { isVital: true }, async (page, look) => {
    await page.goto(given.link);
    await look("welcome");
    await page.getByRole("main").getByRole("button", { name: /sign in/i }).click();
    await page.getByRole("button", { name: /sign out/i }).waitFor();
    session = await page.context().storageState();
  });
  await eyes.inPage("sign-in again", { expectErrors: true }, async (page) => {
    await page.goto(given.link);
    const button = page.getByRole("main").getByRole("button", { name: /sign in/i });
    if (await button.count()) await button.click();
    await heading(page);
    must((await page.getByRole("button", { name: /sign out/i }).count()) === 0, "the sign-in link worked twice");
  });
  return session;
}

/** Sees tools, usage and audit. */
async function manager(scheme, storageState) {
  await eyes.inPage(`manager ${scheme}`, { colorScheme: scheme, storageState }, async (page, look) => {
    await page.goto(given.url);
    await search(page);
    await openServer(page);
    for (const tool of SERVER.tools) await page.getByRole("heading", { name: tool }).first().waitFor();
    await look("tools");
    for (const section of ["Usage", "Audit"]) {
      await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: section, exact: true }).click();
      await heading(page, new RegExp(section, "i"));
      await look(section.toLowerCase());
    }
    for (const [name, path] of Object.entries(GOVERNED)) {
      await page.goto(given.url + path);
      await heading(page);
      await look(name);
    }
  });
}

/** Makes a server of the sample API once more, and calls a tool of it; all by name and label. */
async function wizard(scheme, storageState, options = {}) {
  const { part = "wizard", axe = true } = options;
  await eyes.inPage(`${part} ${scheme}`, { colorScheme: scheme, storageState, ...options.context }, async (page, look) => {
    await page.goto(`${given.url}/admin/rest`);
    await heading(page, /rest api/i);
    await look("begin", { axe });
    const name = `com.acme/${part}-${scheme}`;
    await page.getByLabel("Name of the server").fill(name);
    await page.getByLabel("or its text").fill(DESCRIPTION);
    await page.getByRole("button", { name: /look at its operations/i }).click();
    await heading(page, /tides/i);
    await look("operations", { axe });
    await page.getByRole("checkbox", { name: "DELETE /tides" }).uncheck();
    await page.getByText("Name and words of GET /tides").click();
    await page.getByLabel(/name of the tool/i).first().fill("read_tides");
    await page.getByRole("button", { name: /save choices/i }).first().click();
    await page.getByText("Saved. The tools").waitFor();
    await page.getByText("read_tides").first().waitFor();
    await look("saved", { axe });
    await fits(page);
    await page.getByRole("button", { name: /make this version/i }).click();
    await page.waitForURL(`**/servers/${name}**`);
    await look("made", { axe });
    await page.goto(`${given.url}/servers/${TRIED.name}/try?tool=${TRIED.tool}`);
    await page.getByLabel(/arguments/i).fill(JSON.stringify(TRIED.arguments));
    await look("try", { axe });
    await page.getByRole("button", { name: /call it/i }).click();
    await page.getByText("The tool answered.").waitFor();
    await look("tried", { axe });
  });
}

/** Tries what is no tool, and sees how a slow tool gets on while it runs. */
async function tries(scheme, storageState) {
  await eyes.inPage(`console ${scheme}`, { colorScheme: scheme, storageState }, async (page, look) => {
    await page.goto(`${given.url}/servers/${SERVER.name}/try`);
    await page.getByRole("link", { name: "Tides today" }).click();
    await page.getByRole("button", { name: /read it/i }).click();
    await page.getByText("The resource was read.").waitFor();
    await look("read");
    await page.goto(`${given.url}/servers/${SERVER.name}/try?tool=inspect_cargo`);
    await page.getByLabel(/arguments/i).fill(JSON.stringify({ seconds: 3 }));
    // The page itself notes the order: who asks from outside may come too late.
    await page.evaluate(() => {
      const noted = new MutationObserver(() => {
        globalThis.isToldFirst = !document.body.textContent.includes("The tool answered.");
        noted.disconnect();
      });
      noted.observe(document.getElementById("live-told"), { childList: true });
    });
    await page.getByRole("button", { name: /call it/i }).click();
    await page.getByRole("log").getByText(/^1 of/).waitFor();
    must(await page.evaluate(() => globalThis.isToldFirst), "nothing was told before the answer");
    await look("under way");
    await page.getByText("The tool answered.").waitFor();
    must((await page.getByRole("log").getByRole("listitem").count()) >= 4, "what was told is gone");
    await look("ended");
    await heading(page);
  });
}

/** A narrow screen scrolls down, never sideways. */
async function phone(storageState) {
  await eyes.inPage("phone", { viewport: { width: 360, height: 740 }, storageState }, async (page, look) => {
    const pages = { home: "/", server: `/servers/${SERVER.name}`, usage: "/usage", ...GOVERNED };
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(given.url + path);
      await heading(page);
      await fits(page);
      await look(name);
    }
  });
}

/** Everything that matters works without scripts. */
async function withoutScripts(storageState) {
  await eyes.inPage("no-script", { javaScriptEnabled: false, storageState }, async (page, look) => {
    await page.goto(given.url);
    await search(page);
    await look("search", { axe: false });
    await openServer(page);
    await page.getByRole("heading", { name: SERVER.tools[0] }).first().waitFor();
    await look("server", { axe: false });
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Usage", exact: true }).click();
    await heading(page, /usage/i);
    await look("usage", { axe: false });
  });
  await wizard("light", storageState, { part: "no-script-wizard", axe: false, context: { javaScriptEnabled: false } });
  await wizard("light", storageState, { part: "phone-wizard", context: { viewport: { width: 360, height: 740 } } });
}

async function search(page) {
  await page.getByRole("searchbox").fill(SERVER.search);
  await page.getByRole("searchbox").press("Enter");
  await page.waitForURL(new RegExp(`q=${SERVER.search}`));
  await page.getByRole("main").getByRole("heading", { level: 3 }).getByRole("link").first().waitFor();
}

async function openServer(page) {
  const card = page.getByRole("listitem").filter({ hasText: SERVER.name });
  await card.getByRole("heading", { level: 3 }).getByRole("link").first().click();
  await page.waitForURL(`**/servers/${SERVER.name}`);
  await heading(page);
}
