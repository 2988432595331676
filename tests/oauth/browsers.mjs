// Two browsers, each a process of its own, and a real identity provider: a stolen way through a sign-in (A-CD-4), and the
// portal as somebody sees it who came in over the company's provider (J3, step 1). Pages must pass axe at WCAG 2.2 AA.
//
//   PORTREEVE_KEY=... node browsers.mjs --url ORIGIN --idp ISSUER --endpoint URL --chromium PATH --screenshots FOLDER
import { createHash, randomBytes } from "node:crypto";
import { Eyes, PATIENCE, heading, launched } from "../browser/eyes.mjs";
import { api, must, noted, options, run, until } from "./common.mjs";

const given = options({ url: undefined, idp: undefined, endpoint: undefined, chromium: undefined, screenshots: undefined });
/** Where the attacker's program wants its code. Nobody listens there: who comes is seen anyway. */
const CALLBACK = "http://127.0.0.1:41873/callback";

const browsers = [];
const eyes = new Eyes(undefined, given.screenshots);

await run("browsers.mjs", async () => {
  try {
    // His browser finds no way to the provider: he stops where it would be asked.
    const [attacker, victim] = [await started(`--host-resolver-rules=MAP ${new URL(given.idp).hostname} ~NOTFOUND`), await started()];
    await stolen(attacker, victim, { loaded: false });
    await stolen(attacker, victim, { loaded: true });
    const session = await visible(await fresh(browsers[1]));
    for (const scheme of ["light", "dark"]) await pages(scheme, session);
  } finally {
    for (const browser of browsers) await browser.close();
  }
  const { findings } = eyes;
  must(findings.length === 0, `${findings.length} findings:\n${findings.join("\n")}`);
  return "a stolen sign-in is worth nothing, loaded page or not; nobody sees more than their groups";
}, 150);

/** A browser that nobody else shares anything with. */
async function started(...flags) {
  const browser = await launched(given.chromium, ...flags);
  browsers.push(browser);
  return await fresh(browser);
}

/** A visitor of whom nobody knows anything. */
async function fresh(browser, more = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...more });
  context.setDefaultTimeout(PATIENCE);
  return context;
}

/**
 * The attacker's program asks, and he stops where the identity provider would be asked. The victim, whom the provider knows,
 * opens that address. `loaded`: the victim has looked at the attacker's consent page, and decided nothing.
 */
async function stolen(attacker, victim, { loaded }) {
  const client = await registered();
  const before = await refusals();
  const [his, theirs] = [await attacker.newPage(), await victim.newPage()];
  const came = [];
  for (const page of [his, theirs]) page.on("request", (request) => request.url().startsWith(CALLBACK) && came.push(request.url()));

  // The provider knows the victim already; Portreeve does not, or has forgotten.
  await signInAtProvider(theirs, "ada");
  await victim.clearCookies({ domain: new URL(given.url).hostname });

  await his.goto(asking(client));
  await his.getByRole("heading", { level: 1, name: /sign in/i }).waitFor();
  const [request] = await Promise.all([
    his.waitForRequest((request) => request.url().startsWith(given.idp)),
    his.getByRole("link", { name: /sign in with acme/i }).click(),
  ]);
  const address = request.url();

  if (loaded) {
    // Signed in, and in front of the page that asks about the attacker's program; then signed in no more.
    await theirs.goto(asking(client));
    await theirs.getByRole("link", { name: /sign in with acme/i }).click();
    await theirs.getByRole("button", { name: "Allow" }).waitFor();
  }
  const known = await sessions(victim);
  const answer = await theirs.goto(address);
  must(answer.url().startsWith(`${given.url}/sign-in/acme/callback`), `the provider asked the victim something: ${answer.url()}`);
  must(answer.status() === 400, `the way of the attacker ended with ${answer.status()}`);
  await theirs.getByText(/not signed in/i).first().waitFor();
  must((await sessions(victim)) === known, "the victim got a session out of the attacker's sign-in");
  must((await sessions(attacker)) === "", "the attacker is signed in");
  must(came.length === 0, `a code was sent: ${came}`);
  await until("the audit log says so", async () => (await refusals()) > before);
  await noted(given.url, "sign-in", "refused", "not-begun-here");
  await shot(theirs, `stolen-${loaded ? "loaded" : "unseen"}`);

  // What the attacker began is over with it, too: he goes on, and gets nothing of the victim.
  await his.goto(`${given.url}/account`);
  must(!(await his.content()).includes("user:ada"), "the attacker is the victim");
  must(came.length === 0, `a code was sent: ${came}`);
  await his.close();
  await theirs.close();
  await victim.clearCookies();
  await attacker.clearCookies();
}

/** What the cookie of a session says, so that a new one is noticed. */
async function sessions(context) {
  const cookies = await context.cookies(given.url);
  return cookies.filter(({ name }) => name.includes("session")).map(({ value }) => value).join();
}

async function refusals() {
  return (await api(given.url, "/audit?action=sign-in&outcome=refused&limit=200")).items.length;
}

/** Signs in at the provider by way of Portreeve, as people do. */
async function signInAtProvider(page, name) {
  await page.goto(`${given.url}/sign-in`);
  await page.getByRole("link", { name: /sign in with acme/i }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${given.url}/**`);
}

/** J3, step 1: who is in a group sees what that group may, and finds it. */
async function visible(context) {
  const page = await context.newPage();
  const closed = await page.goto(`${given.url}/?q=tickets`);
  must(closed.status() === 403 && (await found(page)).length === 0, `a visitor is answered ${closed.status()}`);
  await signInAtProvider(page, "ada");
  await page.goto(given.url);
  await search(page, "tickets");
  must((await found(page)).join() === "com.example/tickets", `ada finds ${await found(page)}`);
  await shot(page, "search-light");
  await page.goto(`${given.url}/?q=tickets&kind=remote&stage=production`);
  must((await found(page)).join() === "com.example/tickets", `filtered, ada finds ${await found(page)}`);
  await page.goto(`${given.url}/?q=tickets&kind=local`);
  must((await found(page)).length === 0, `among local servers, ada finds ${await found(page)}`);
  const session = await context.storageState();

  const other = await fresh(browsers[1]);
  const eve = await other.newPage();
  await signInAtProvider(eve, "eve");
  await eve.goto(given.url);
  await search(eve, "tickets");
  must((await found(eve)).length === 0, `eve is in another group, and finds ${await found(eve)}`);
  const hidden = await eve.goto(`${given.url}/servers/com.example/tickets`);
  must(hidden.status() === 404, `eve is answered ${hidden.status()}`);
  return session;
}

async function search(page, words) {
  await page.getByRole("searchbox").fill(words);
  await page.getByRole("searchbox").press("Enter");
  await page.waitForLoadState();
}

/** The names of the servers on a page of results. */
async function found(page) {
  const links = page.getByRole("main").getByRole("heading", { level: 3 }).getByRole("link");
  const hrefs = await links.evaluateAll((all) => all.map((link) => new URL(link.href).pathname));
  return hrefs.map((path) => path.replace("/servers/", ""));
}

/** The pages that a person meets on this way, in one colour scheme. */
async function pages(scheme, storageState) {
  const visitor = await fresh(browsers[1], { colorScheme: scheme });
  const page = await visitor.newPage();
  await page.goto(`${given.url}/sign-in`);
  await accessible(page, `sign-in-${scheme}`);
  await visitor.close();

  const context = await fresh(browsers[1], { colorScheme: scheme, storageState });
  const mine = await context.newPage();
  await mine.goto(asking(await registered()));
  await mine.getByRole("button", { name: "Allow" }).waitFor();
  await accessible(mine, `consent-${scheme}`);
  // Nobody listens there: an error page would come in the way of the next one.
  const back = (url) => url.href.startsWith(CALLBACK);
  await mine.route(back, (route) => route.fulfill({ contentType: "text/plain", body: "done" }));
  await mine.getByRole("button", { name: "Allow" }).click();
  await mine.waitForURL(back);
  must(new URL(mine.url()).searchParams.has("code"), "no code was sent");
  for (const name of ["account", "account/clients", "account/sessions", "approvals"]) {
    const answer = await mine.goto(`${given.url}/${name}`);
    must(answer.status() === 200, `/${name} answers ${answer.status()}`);
    await accessible(mine, `${name.replace("/", "-")}-${scheme}`);
  }
  await context.close();
}

async function accessible(page, name) {
  await heading(page);
  await eyes.axe(page, name);
  await shot(page, name);
}

async function shot(page, name) {
  await eyes.shot(page, `oauth-${name}`);
}

async function registered() {
  const metadata = { client_name: "A tempting program", redirect_uris: [CALLBACK], token_endpoint_auth_method: "none" };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${given.url}/register`, { method: "POST", headers, body: JSON.stringify(metadata) });
  return (await answer.json()).client_id;
}

/** The address with which a program asks. */
function asking(client) {
  const query = {
    response_type: "code",
    client_id: client,
    redirect_uri: CALLBACK,
    state: "one",
    code_challenge: createHash("sha256").update(randomBytes(32).toString("base64url")).digest("base64url"),
    code_challenge_method: "S256",
    resource: given.endpoint,
  };
  return `${given.url}/authorize?${new URLSearchParams(query)}`;
}
