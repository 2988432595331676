// A person with a browser, as far as a program sees one: keeps cookies, follows redirects, fills the forms of our pages in.
//
//   node agent.mjs --url AUTHORIZATION-URL --name ada            prints where the browser was sent in the end
//   node agent.mjs --url AUTHORIZATION-URL --link SIGN-IN-LINK   with a printed link instead of an identity provider
//
// `--deliver yes` also goes there, as a browser does.
import { pathToFileURL } from "node:url";
import { must, options } from "./common.mjs";

const HOPS = 20;

export class Agent {
  /** By host and port: what a browser would share between ports is no matter of these tests. */
  #cookies = new Map();
  /** Pages that were shown, by their first heading. */
  headings = [];

  /** One request, with the cookies of its place; whatever it sets is kept. */
  async ask(url, { method = "GET", form, headers = {} } = {}) {
    const place = new URL(url).host;
    const jar = this.#cookies.get(place) ?? new Map();
    this.#cookies.set(place, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, {
      method,
      redirect: "manual",
      body: form && new URLSearchParams(form),
      headers: { ...(cookie && { cookie }), "sec-fetch-site": "same-origin", "user-agent": "Agent/1", ...headers },
    });
    for (const set of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = set.split(";");
      const at = pair.indexOf("=");
      const gone = attributes.some((attribute) => /^\s*(max-age=0|expires=Thu, 01 Jan 1970)/i.test(attribute));
      if (gone || at === pair.length - 1) jar.delete(pair.slice(0, at).trim());
      else jar.set(pair.slice(0, at).trim(), pair.slice(at + 1));
    }
    return answer;
  }

  cookie(url, name, value) {
    const jar = this.#cookies.get(new URL(url).host) ?? new Map();
    this.#cookies.set(new URL(url).host, jar.set(name, value));
  }

  /** Goes to an address and on, until a page is shown, or it leads to an address that begins with `until`. */
  async visit(url, { until, ...first } = {}) {
    let request = first;
    for (let hop = 0; hop < HOPS; hop += 1) {
      if (until && url.startsWith(until)) return { url };
      const answer = await this.ask(url, request);
      const to = answer.headers.get("location");
      if (!to) {
        const html = await answer.text();
        const heading = /<h1[^>]*>([^<]*)/.exec(html)?.[1] ?? "";
        this.headings.push(heading);
        return { url, html, heading, status: answer.status };
      }
      url = new URL(to, url).href;
      request = {};
    }
    throw new Error(`more than ${HOPS} redirects, to ${url}`);
  }

  /** Sends the form of a page that goes to `action`. */
  async submit(page, action, fields = {}, { until } = {}) {
    const form = page.html.split("<form").find((part) => part.includes(`action="${action}`));
    must(form, `no form to ${action} on ${page.url} (${page.status}): ${page.heading}`);
    const all = {};
    for (const [, name, value] of form.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)) all[name] = unescaped(value);
    const url = new URL(unescaped(/action="([^"]*)"/.exec(form)[1]), page.url).href;
    return await this.visit(url, { method: "POST", form: { ...all, ...fields }, until });
  }

  /** From our sign-in page through the identity provider. Ends where the provider leads to. */
  async signInOver(page, name, { until } = {}) {
    const href = /href="(\/sign-in\/acme[^"]*)"/.exec(page.html)?.[1];
    must(href, `no way to the provider on ${page.url}: ${page.heading}`);
    let next = await this.visit(new URL(unescaped(href), page.url).href, { until });
    if (next.heading === "Acme") next = await this.submit(next, "/interaction/", { name }, { until });
    return next;
  }

  /** With a link that `serve` printed. */
  async signInWith(link) {
    const page = await this.visit(link);
    return await this.submit(page, "/admin/welcome");
  }

  /** The whole of a person's part: signs in where that is asked, reads the page, allows. Where the code was sent. */
  async allow(url, name, { write = true } = {}) {
    const until = new URL(url).searchParams.get("redirect_uri");
    let page = await this.visit(url, { until });
    if (page.heading === "Sign in") page = await this.signInOver(page, name, { until });
    if (page.heading?.startsWith("Connect ")) {
      const fields = { decision: "allow", ...(write && { write: "yes" }) };
      page = await this.submit(page, "/authorize", fields, { until });
    }
    must(page.url.startsWith(until), `the way ended at ${page.url}: ${page.status} ${page.heading}`);
    return page.url;
  }
}

function unescaped(text) {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code)).replaceAll("&amp;", "&").replaceAll("&quot;", '"');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const given = options({ url: undefined, name: "", link: "", deliver: "no" });
  const agent = new Agent();
  if (given.link) await agent.signInWith(given.link);
  const at = await agent.allow(given.url, given.name);
  if (given.deliver === "yes") await fetch(at);
  console.log(at);
}
