// J1, the first hour: one binary, an empty folder, the printed link, and Discover with the network closed to the outside.
//
//   node j1.mjs --binary PATH --chromium PATH --screenshots FOLDER
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { must } from "../../oauth/common.mjs";
import { host } from "./host.mjs";
import { House, journey, person, section } from "./house.mjs";

/** Set in the world without a network in which the script starts itself again. */
const CLOSED = "PORTREEVE_JOURNEY_CLOSED";
const UNSHARE = ["--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
/** Bytes of a first page with everything on it, as they cross the network. */
const LIGHT = 100_000;
/** What of the five minutes is the machine's, in seconds: a person reads in the others. */
const PATIENCE = 30;

// In a world where only it seems to be root, Chromium does not start: nobody else gets one.
const isAllowed = () => process.getuid() === 0 && spawnSync("unshare", [...UNSHARE, "true"], { stdio: "ignore" }).status === 0;
if (!process.env[CLOSED] && isAllowed()) {
  const again = [...UNSHARE, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync("unshare", again, { stdio: "inherit", env: { ...process.env, [CLOSED]: "yes" } });
  process.exit(status ?? 1);
}

await journey("j1.mjs", async (eyes) => {
  let begun = performance.now();
  const house = await House.start();
  must(readdirSync(house.data).includes("admin.key"), "no key of the administrator was made");
  const page = await person(eyes);
  const asked = new Set();
  page.on("request", (request) => asked.add(new URL(request.url()).origin));

  await page.goto(house.link);
  const looking = performance.now();
  await eyes.all(page, "j1-welcome");
  // Nobody waits for what only this test does.
  begun += performance.now() - looking;
  await page.getByRole("main").getByRole("button", { name: /sign in/i }).click();
  await page.getByRole("button", { name: /sign out/i }).waitFor();
  await page.getByRole("heading", { name: "The register is still empty" }).waitFor();
  await section(page, "Discover");
  await page.getByRole("heading", { level: 1, name: "Discover" }).waitFor();
  const took = (performance.now() - begun) / 1000;
  must(took < PATIENCE, `it took ${took.toFixed(1)} s until Discover`);
  const cards = page.getByRole("main").getByRole("heading", { level: 3 }).getByRole("link");
  must((await cards.count()) > 10, `${await cards.count()} partners are shown`);

  await eyes.all(page, "j1-discover");
  const [category] = await page.getByRole("list", { name: "Category" }).getByRole("link").all();
  await category.click();
  await page.waitForURL(/category=/);
  await eyes.all(page, "j1-category");
  await page.goto(`${house.url}/discover`);
  await page.getByRole("searchbox").fill("payments");
  await page.getByRole("searchbox").press("Enter");
  await page.waitForURL(/q=payments/);
  await page.getByRole("link", { name: "Stripe" }).first().click();
  await page.getByRole("heading", { level: 1, name: "Stripe" }).waitFor();
  await eyes.all(page, "j1-partner");
  await page.goto(house.url);
  await eyes.all(page, "j1-empty");
  must([...asked].join() === house.url, `pages ask ${[...asked]}`);

  for (const path of ["/", "/discover"]) {
    const bytes = await weight(eyes, house.url + path);
    must(bytes < LIGHT, `${path} is ${bytes} bytes for who comes for the first time`);
  }

  await registry(house);
  return `Discover after ${took.toFixed(1)} s, network ${process.env[CLOSED] ? "closed" : "left open: this machine allows no other"}`;
});

/** What hosts see of a registry in which nothing is yet. */
async function registry(house) {
  const origin = "https://vscode.dev";
  const list = await fetch(`${house.url}/v0.1/servers`, { headers: { origin } });
  const { servers } = await list.json();
  must(list.status === 200 && servers.length === 0, `/v0.1/servers answers ${list.status} with ${servers?.length}`);
  must(list.headers.get("access-control-allow-origin") === "*", "a page elsewhere may not read the list");
  const asks = { origin, "access-control-request-method": "GET", "access-control-request-headers": "authorization" };
  const preflight = await fetch(`${house.url}/v0.1/servers`, { method: "OPTIONS", headers: asks });
  const allowed = (name) => preflight.headers.get(`access-control-allow-${name}`) ?? "";
  must(preflight.ok && allowed("origin") === "*", `the preflight answers ${preflight.status}, ${allowed("origin")}`);
  must(/GET/.test(allowed("methods")) && /authorization/i.test(allowed("headers")), `it allows ${allowed("methods")}, ${allowed("headers")}`);
  const registry = await host(`${house.url}/mcp`);
  must(registry.info.serverInfo.name, `initialize says ${JSON.stringify(registry.info)}`);
  const found = await registry.call("registry_search", { query: "tickets" });
  must(found.structuredContent.servers.length === 0, "an empty register has servers");
}

/** What somebody who was never here loads with a page. */
async function weight(eyes, url) {
  const page = await person(eyes);
  const sizes = [];
  page.on("requestfinished", (request) => sizes.push(request.sizes()));
  await page.goto(url, { waitUntil: "networkidle" });
  const each = await Promise.all(sizes);
  await page.context().close();
  return each.reduce((sum, size) => sum + size.responseHeadersSize + size.responseBodySize, 0);
}
