// A Portreeve of a journey's own: the binary under test on an empty folder, its command line, its API, and the browser in
// front of it. Everything ends with the script.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must, options, run, until } from "../../oauth/common.mjs";
import { Eyes, PATIENCE, launched } from "../eyes.mjs";

export { until };
/** A journey takes half a minute, and longer where much else runs. */
const LIMIT = 300;
export const given = options({ binary: undefined, chromium: undefined, screenshots: undefined });

const running = new Set();
const folders = [];
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders) {
    try {
      // Who is being killed may write a last file while others are removed.
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    } catch (error) {
      console.error(`what is left of \`${folder}\` stays: ${error.message}`);
    }
  }
});
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(1));

/** A folder that goes with the script. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "portreeve-journey-"));
  folders.push(path);
  return path;
}

/** A port that nobody uses at this moment. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts a program that goes on in the background; what it prints is kept. */
export function started(program, words, more = {}) {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"], ...more });
  running.add(child);
  const service = { child, stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (service[name] += text));
  child.on("exit", () => running.delete(child));
  return service;
}

/** Runs the binary with nothing of the machine's own; `expected` is its exit code. What it asks may be this script. */
export async function portreeve(words, { expected = 0, env = {} } = {}) {
  const program = started(given.binary, words, { env });
  const status = await new Promise((done) => program.child.once("close", done));
  must(status === expected, `\`portreeve ${words.join(" ")}\` ended with ${status}: ${program.stdout}${program.stderr}`);
  return program.stdout;
}

/** The same, and what it prints as JSON. */
export async function told(words, more) {
  return JSON.parse(await portreeve([...words, "--json"], more));
}

/** A journey: a browser, the steps, and the findings at its end. */
export async function journey(name, steps) {
  await run(name, async () => {
    const begun = performance.now();
    const browser = await launched(given.chromium);
    const eyes = new Eyes(browser, given.screenshots);
    try {
      const said = await steps(eyes);
      const { findings } = eyes;
      must(findings.length === 0, `${findings.length} findings:\n${findings.join("\n")}`);
      return `${said} (${((performance.now() - begun) / 1000).toFixed(1)} s)`;
    } catch (error) {
      // What was open then says more than the step that did not come off.
      const pages = browser.contexts().flatMap((context) => context.pages());
      for (const [place, page] of pages.entries()) await eyes.shot(page, `${name}-failed-${place}`).catch(() => {});
      error.stack += ["", ...pages.map((page) => `open: ${page.url()}`), ...eyes.findings].join("\n");
      throw error;
    } finally {
      await browser.close();
    }
  }, LIMIT);
}

export class House {
  /** Starts `portreeve serve` on an empty folder, and waits until it says that it is ready. */
  static async start({ config = "", port = 0 } = {}) {
    const house = new House();
    house.data = folder();
    const words = ["serve", "--listen", `127.0.0.1:${port}`, "--metrics-listen", "off", "--data", house.data];
    if (config) {
      const file = join(folder(), "portreeve.toml");
      writeFileSync(file, config);
      words.push("--config", file);
    }
    house.service = started(given.binary, words, { env: {} });
    // What is printed may come in pieces: a link is whole once something stands behind it.
    const link = /(http\S+\/admin\/welcome\?\S+)\s/;
    try {
      await until("portreeve serve is ready", () => {
        must(house.service.child.exitCode === null, "it ended");
        return link.test(house.service.stdout);
      });
    } catch (error) {
      throw new Error(`${error.message}: ${house.service.stderr}`);
    }
    house.link = link.exec(house.service.stdout)[1];
    const read = (name) => readFileSync(join(house.data, name), "utf8").trim();
    house.url = read("listen.url").replace(/\/$/, "");
    house.key = read("admin.key");
    return house;
  }

  /** A command of the binary against this house, as its administrator. */
  async cli(...words) {
    return await told(words, { env: { PORTREEVE_URL: this.url, PORTREEVE_KEY: this.key } });
  }

  /** The management API. */
  async api(path, { method = "GET", body, key = this.key } = {}) {
    const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
    return await fetch(`${this.url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  }

  /** What the audit log says of an action. */
  async audit(action) {
    return (await (await this.api(`/audit?action=${action}&limit=200`)).json()).items;
  }

  /** Registers a server that runs at this URL, approves it, and returns its route's endpoint. */
  async served(name, url, ...more) {
    const made = await this.cli("server", "add", name, "--url", url, "--approve", "--internal", ...more);
    return this.endpoint(made.route.slug);
  }

  endpoint(slug) {
    return `${this.url}/s/${slug}/mcp`;
  }

  /** A page of somebody who used the printed link. */
  async signedIn(eyes) {
    const page = await person(eyes);
    await page.goto(this.link);
    await page.getByRole("main").getByRole("button", { name: /sign in/i }).click();
    await page.getByRole("button", { name: /sign out/i }).waitFor();
    return page;
  }
}

/** Somebody of whom nobody knows anything; errors of their pages are findings. */
export async function person(eyes, more = {}) {
  const context = await eyes.browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...more });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.on("pageerror", (error) => eyes.findings.push(`script error on ${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    // A page that says what is wrong is told by its status, too.
    const isAnswer = /status of 4\d\d/.test(message.text());
    if (message.type() === "error" && !isAnswer) eyes.findings.push(`console on ${page.url()}: ${message.text()}`);
  });
  return page;
}

/** The file that a click downloads. */
export async function downloaded(page, link) {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
}

/** Opens a main section by its link; it is there as a whole then. */
export async function section(page, name) {
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name, exact: true }).click();
  await page.waitForLoadState();
}

/** Makes a local user, who sets a password by the link; a page of theirs. */
export async function member(eyes, house, name) {
  const { passwordLink } = await house.cli("user", "create", name);
  const page = await person(eyes);
  await page.goto(passwordLink);
  await eyes.all(page, "new-password", { isAnswer: true });
  for (const field of await page.locator("input[type=password]").all()) await field.fill("seven seas and a harbour");
  await page.getByRole("main").getByRole("button").click();
  await page.getByRole("button", { name: /sign out/i }).waitFor();
  return page;
}
