// A vendor: its MCP server and site with TLS, the name server that shows its key, its files, and the shelf from which
// registries take the signed catalogue. What the machines of the vendor do, `manners` says. They stand behind a proxy that
// knows nobody else, so that they have a name of the public internet.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createPlain } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { folder, portreeve, told } from "./house.mjs";

export const DOMAIN = "harbour-double.systems";
export const HOST = `mcp.${DOMAIN}`;
export const NAME = "systems.harbour-double/harbour";
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path fill="#1f7a8c" d="M0 0h8v8z"/></svg>';
/** One good tool. */
export const TOOL = {
  name: "find_berth",
  description: "Finds a free berth for a ship of a given length.",
  annotations: { readOnlyHint: true },
  inputSchema: { type: "object", properties: { length: { type: "number", description: "Metres" } } },
};
const CERTIFICATE = `[req]
distinguished_name = name
x509_extensions = more
[name]
[more]
subjectAltName = DNS:${HOST}
basicConstraints = critical, CA:FALSE
`;

export class Vendor {
  /** What is wrong with its server: it says nothing of MCP, or wants a login of which nothing is told. */
  manners = { isMute: false, isShut: false, tools: [TOOL] };
  #laid = Buffer.alloc(0);

  static async start() {
    const vendor = new Vendor();
    vendor.folder = folder();
    writeFileSync(vendor.at("openssl.cnf"), CERTIFICATE);
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", vendor.at("key.pem")];
    const words = ["req", "-x509", ...key, "-subj", "/CN=vendor", "-days", "2", "-out", vendor.at("cert.pem")];
    execFileSync("openssl", [...words, "-config", vendor.at("openssl.cnf")], { stdio: "ignore" });
    const tls = { key: readFileSync(vendor.at("key.pem")), cert: readFileSync(vendor.at("cert.pem")) };
    const [, port] = (await listening(createServer(tls, (request, response) => finish(response, vendor.#answer(request, response))))).split(":");
    vendor.proxy = await listening(createPlain().on("connect", (request, client) => passed(request, client, Number(port))));
    vendor.shelf = await listening(createPlain((request, response) => vendor.#hand(request, response)));
    const { record } = await told(["partner", "key", vendor.at("domain.key")]);
    vendor.names = await nameServer(["v=spf1 -all", record]);
    for (const name of ["keeper", "reviewer"]) {
      vendor[name] = (await told(["partner", "key", vendor.at(`${name}.key`)])).publicKey;
    }
    writeFileSync(vendor.at("check.toml"), vendor.#network());
    mkdirSync(vendor.at("partners"));
    return vendor;
  }

  at(name) {
    return join(this.folder, name);
  }

  /** The configuration of a registry that pulls from here, and looks at servers again as often; 0: never. */
  config(seconds) {
    return `${this.#network()}[partners]
url = "http://${this.shelf}/catalogue.json"
keys = ["${this.keeper}"]
reviewers = ["${this.reviewer}"]
pull_seconds = 1
verify_seconds = ${seconds}
verify_listed = 0
`;
  }

  #network() {
    const egress = `[egress]\nca_file = "${this.at("cert.pem")}"\nproxy = "http://${this.proxy}"\nno_proxy = ["127.0.0.1"]\n`;
    return `${egress}[registry.auth]\nname_server = "${this.names}"\n`;
  }

  /** A right `partner.toml` of one server with this login. */
  manifest(name, login = "none") {
    const site = (path) => JSON.stringify(`https://${HOST}/${path}`);
    return `name = "${name}"
title = "Harbour"
summary = "Finds berths for ships"
description = "Berths, tides and pilots."
domain = "${DOMAIN}"
namespace = "systems.harbour-double"
categories = ["Operations & Supply Chain"]
icon = ${site("icon.svg")}
terms = ${site("terms")}
privacy = ${site("terms#privacy")}
license = { name = "Terms", url = ${site("terms#license")} }
documentation = { title = "Manual", url = ${site("docs")} }
support = { name = "Desk", email = "desk@${DOMAIN}" }
security = { name = "Desk", email = "security@${DOMAIN}" }
use_cases = [{ name = "A berth for tonight", description = "An assistant finds it, and asks before it is taken." }]
servers = { ${name} = { login = "${login}", eras = ["legacy"] } }
`;
  }

  /** A right `server.json`; `more` stands over it. */
  document(name, more = {}) {
    return {
      $schema: "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
      name: `systems.harbour-double/${name}`,
      title: "Harbour",
      description: "Finds berths",
      version: "1.0.0",
      websiteUrl: `https://${HOST}/docs`,
      remotes: [{ type: "streamable-http", url: `https://${HOST}/mcp` }],
      ...more,
    };
  }

  /** Writes the files of a partner; returns their folder. */
  write(name, manifest, document) {
    const path = this.at(`partners/${name}`);
    mkdirSync(join(path, "servers"), { recursive: true });
    writeFileSync(join(path, "partner.toml"), manifest);
    writeFileSync(join(path, `servers/${name}.json`), JSON.stringify(document));
    return path;
  }

  /** Takes the files of a partner away. */
  forget(name) {
    rmSync(this.at(`partners/${name}`), { recursive: true });
  }

  /** The vendor signs with its domain's key, and the reviewer approves. */
  async sign(path) {
    await portreeve(["partner", "sign", path, "--key", this.at("domain.key")]);
    await portreeve(["partner", "approve", path, "--key", this.at("reviewer.key"), "--reviewer", "Ada"]);
  }

  /** The words of a check that sees the vendor's machines. */
  checked(path, ...more) {
    return ["partner", "check", path, "--config", this.at("check.toml"), ...more];
  }

  /** Checks and bundles all partners, and lays the catalogue onto the shelf. */
  async publish(out, after) {
    const evidence = this.at("evidence.json");
    await portreeve(this.checked(this.at("partners"), "--evidence", evidence));
    const bundle = ["partner", "bundle", this.at("partners"), "--key", this.at("keeper.key"), "--out", this.at(out)];
    await portreeve([...bundle, "--evidence", evidence, ...(after ? ["--after", this.at(after)] : [])]);
    this.#laid = readFileSync(this.at(out));
  }

  #hand(request, response) {
    const etag = `"${createHash("sha256").update(this.#laid).digest("hex")}"`;
    if (request.headers["if-none-match"] === etag) return response.writeHead(304).end();
    response.writeHead(this.#laid.length ? 200 : 503, { etag }).end(this.#laid);
  }

  async #answer(request, response) {
    const { pathname } = new URL(request.url, "https://vendor");
    if (pathname === "/icon.svg") return response.end(ICON);
    if (request.method === "GET") return response.writeHead(/^\/(docs|terms)$/.test(pathname) ? 200 : 404).end("The manual");
    if (this.manners.isShut) {
      const metadata = `https://${HOST}/.well-known/oauth-protected-resource/mcp`;
      return response.writeHead(401, { "www-authenticate": `Bearer resource_metadata="${metadata}"` }).end();
    }
    if (this.manners.isMute) return response.end("Welcome");
    await legacy(request, response, this.manners.tools);
  }
}

/** A plain MCP server of the legacy era on this machine, with these tools; its endpoint. */
export async function answering(tools) {
  const place = await listening(createPlain((request, response) => finish(response, legacy(request, response, tools()))));
  return `http://${place}/mcp`;
}

/** Answers one message. */
async function legacy(request, response, tools) {
  let text = "";
  for await (const chunk of request) text += chunk;
  const { id, method } = JSON.parse(text || "{}");
  if (id === undefined) return response.writeHead(202).end();
  const serverInfo = { name: "harbour", version: "1" };
  const results = {
    initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo },
    ping: {},
    "tools/list": { tools },
    "tools/call": { content: [{ type: "text", text: "north 1" }] },
  };
  const answer = method in results ? { result: results[method] } : { error: { code: -32601, message: "Method not found" } };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
}

/** Who goes away in the middle of a request gets no answer, and that is all. */
function finish(response, work) {
  work.catch(() => response.destroy());
}

/** Listens somewhere on this machine; where. */
async function listening(server) {
  server.listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  server.unref();
  return `127.0.0.1:${server.address().port}`;
}

/** What a proxy does for who asks for the vendor. */
function passed(request, client, port) {
  client.on("error", () => {});
  if (request.url !== `${HOST}:443`) return client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  const vendor = connect(port, "127.0.0.1", () => client.write("HTTP/1.1 200 Connection established\r\n\r\n"));
  vendor.on("error", () => client.destroy());
  client.on("close", () => vendor.destroy());
  vendor.pipe(client).pipe(vendor);
}

/** Shows these texts for the domain, and knows no other name (RFC 1035, section 4). */
async function nameServer(texts) {
  const socket = createSocket("udp4");
  socket.on("message", (question, from) => {
    const labels = [];
    let end = 12;
    for (; question[end]; end += question[end] + 1) labels.push(question.toString("latin1", end + 1, end + 1 + question[end]));
    const isKnown = labels.join(".").toLowerCase() === DOMAIN;
    const answers = (isKnown ? texts : []).map((text) => {
      const head = Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, text.length + 1, text.length]);
      return Buffer.concat([head, Buffer.from(text)]);
    });
    const head = Buffer.from([question[0], question[1], 0x81, isKnown ? 0x80 : 0x83, 0, 1, 0, answers.length, 0, 0, 0, 0]);
    socket.send(Buffer.concat([head, question.subarray(12, end + 5), ...answers]), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await new Promise((done) => socket.once("listening", done));
  socket.unref();
  return `127.0.0.1:${socket.address().port}`;
}
