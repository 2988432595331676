// How the scripts of this folder look at pages: a browser, axe at WCAG 2.2 AA, screenshots, and what is left of a page
// without scripts. What is wrong is noted, and the next part goes on: one run shows all there is to mend.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { must } from "../oauth/common.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
/** What another colour scheme can make wrong. */
const COLOURS = ["cat.color"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync", "--no-first-run"];
const DESK = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
/** How long a page may take, in milliseconds, where much else runs. */
export const PATIENCE = 30_000;
/** How often two ways to load a page are compared before a difference counts. */
const ROUNDS = 5;

/** A browser that nobody else shares anything with. */
export async function launched(executablePath, ...flags) {
  return await chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
}

/** What axe has to say about a page, a line for each. */
export async function violations(page, values = RULES) {
  // Evaluated, not inserted as a script: the pages forbid foreign scripts, and should.
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  const found = await page.evaluate((values) => globalThis.axe.run(document, { runOnly: { type: "tag", values } }), values);
  return found.violations.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ");
    return `${page.url()}: ${id}: ${help} (${places})`;
  });
}

/** Every page has exactly one first heading. Once it is there and counted, the page is there as a whole. */
export async function heading(page, name) {
  await page.getByRole("heading", { level: 1, ...(name && { name }) }).first().waitFor();
  await page.waitForLoadState();
  const count = await page.getByRole("heading", { level: 1 }).count();
  must(count === 1, `${page.url()} has ${count} first headings`);
}

/** A page is as wide as its window. */
export async function fits(page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  must(wide <= 0, `${page.url()} is ${wide} pixels wider than its window`);
}

/** Looks at pages and notes what it finds. */
export class Eyes {
  findings = [];

  constructor(browser, screenshots) {
    this.browser = browser;
    this.screenshots = screenshots;
  }

  /**
   * Runs some steps in a browser of their own. A step that fails is noted with the page that was open; with `isVital`, what
   * follows has no sense without this part.
   */
  async inPage(part, { expectErrors = false, isVital = false, ...options }, steps) {
    const context = await this.browser.newContext({ viewport: DESK, ...options });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    page.on("pageerror", (error) => this.findings.push(`${part}: script error on ${page.url()}: ${error.message}`));
    page.on("console", (message) => {
      const lost = message.text().includes("404");
      if (message.type() === "error" && !lost && !expectErrors) this.findings.push(`${part}: console on ${page.url()}: ${message.text()}`);
    });
    const look = async (name, { axe = true } = {}) => {
      if (axe) await this.axe(page, part);
      await this.shot(page, `${part}-${name}`);
    };
    try {
      await steps(page, look);
      console.log(`${part}: done`);
    } catch (error) {
      this.findings.push(`${part}: ${error.message} (on ${page.url()})`);
      await this.shot(page, `${part}-failed`, false).catch(() => {});
      if (isVital) throw error;
    } finally {
      await context.close();
    }
  }

  async axe(page, part, rules) {
    for (const violation of await violations(page, rules)) this.findings.push(`${part}: ${violation}`);
  }

  async shot(page, name, fullPage = true) {
    await page.screenshot({ path: join(this.screenshots, `${name}.png`.replaceAll(" ", "-")), fullPage });
  }

  /**
   * What every page of a journey must be: clean in both colour schemes, and the same to read without scripts on a phone.
   * `isAnswer`: it is the answer to a form, which cannot be asked for by its address.
   */
  async all(page, name, { isAnswer = false } = {}) {
    await heading(page);
    // The other one is in a window of its own: they do not wait for each other.
    await Promise.all([this.coloured(page, name), isAnswer || this.plain(page, name)]);
    await fits(page);
  }

  async coloured(page, name) {
    for (const [colorScheme, rules] of [["light", RULES], ["dark", COLOURS]]) {
      await page.emulateMedia({ colorScheme });
      await this.axe(page, `${name} ${colorScheme}`, rules);
      await this.shot(page, `${name}-${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
  }

  async plain(page, name) {
    const storageState = await page.context().storageState();
    const context = await this.browser.newContext({ viewport: PHONE, javaScriptEnabled: false, storageState });
    try {
      context.setDefaultTimeout(PATIENCE);
      const [url, other] = [page.url(), await context.newPage()];
      const answer = await other.goto(url);
      must(answer.ok(), `${url} answers ${answer.status()} without scripts`);
      await fits(other);
      await this.shot(other, `${name}-plain`);
      let lost = missing(await lines(page), await lines(other));
      // What jobs do meanwhile changes a page from one load to the next: both are loaded anew.
      const again = lost.length ? await page.context().newPage() : undefined;
      for (let round = 1; lost.length && round < ROUNDS; round += 1) {
        await Promise.all([again.goto(url), other.goto(url)]);
        lost = missing(await lines(again), await lines(other));
      }
      await again?.close();
      if (lost.length) this.findings.push(`${name}: without scripts, ${url} does not say: ${lost.slice(0, 5).join(" | ")}`);
    } finally {
      await context.close();
    }
  }
}

/** What of the first is not in the second. */
function missing(lines, others) {
  const known = new Set(others);
  return lines.filter((line) => !known.has(line));
}

/** What a page says, folded parts included, without what only scripts bring: buttons that copy, and what was probed. */
async function lines(page) {
  return await page.evaluate(() => {
    const main = document.getElementById("main").cloneNode(true);
    for (const part of main.querySelectorAll("[data-copy], [data-probe], #live")) part.remove();
    const texts = [...main.querySelectorAll("h1, h2, h3, h4, p, li, dt, dd, td, th, a, button, label, code")];
    return [...new Set(texts.map((part) => part.textContent.replace(/\s+/g, " ").trim()).filter(Boolean))];
  });
}
