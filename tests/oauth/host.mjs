// A host that knows nothing but the URL of a server (J8), with the official TypeScript SDK: challenge, metadata,
// registration, consent, tokens, calls, a refresh, and the end of it.
//
//   PORTREEVE_KEY=... node host.mjs --url URL --sdk 1|2 --known register|document --document CLIENT-METADATA-URL
import * as two from "@modelcontextprotocol/client";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Agent } from "./agent.mjs";
import { asked, must, noted, options, run, sleep } from "./common.mjs";

const given = options({ url: undefined, sdk: "2", known: "register", document: "" });
const SDKS = {
  1: { Client, StreamableHTTPClientTransport, UnauthorizedError, more: {} },
  2: { ...two, more: { versionNegotiation: { mode: "auto" } } },
};
const sdk = SDKS[given.sdk];
const REDIRECT = "http://127.0.0.1:41871/callback";
const origin = new URL(given.url).origin;

/** What a host keeps, and its way to its user. */
class Host {
  redirectUrl = REDIRECT;
  clientMetadata = {
    client_name: "Editor of a test",
    redirect_uris: [REDIRECT],
    // Who leaves them out gets no refresh token (RFC 7591, section 2).
    grant_types: ["authorization_code", "refresh_token"],
    token_endpoint_auth_method: "none",
  };
  sent = [];
  agent = new Agent();
  clientInformation = () => this.client;
  tokens = () => this.kept;
  codeVerifier = () => this.verifier;
  state = () => (this.wanted = crypto.randomUUID());
  saveClientInformation(client) {
    this.client = client;
  }
  saveTokens(tokens) {
    this.kept = tokens;
  }
  saveDiscoveryState(discovered) {
    this.discovered = discovered;
  }
  discoveryState = () => this.discovered;
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  invalidateCredentials(what) {
    if (what === "all" || what === "tokens") this.kept = undefined;
    if (what === "all" || what === "client") this.client = undefined;
  }
  async redirectToAuthorization(url) {
    this.sent.push(url);
  }
  /** What the user does then. */
  async answered() {
    const url = this.sent.at(-1);
    const back = new URL(await this.agent.allow(url.href, "ada"));
    must(back.searchParams.get("state") === this.wanted, "another `state` came back");
    must(back.searchParams.get("iss") === origin, `no \`iss\`: ${back.search}`);
    return back.searchParams;
  }
}

await run(`host.mjs ${given.sdk} ${given.known}`, async () => {
  const host = new Host();
  if (given.known === "document") host.clientMetadataUrl = given.document;
  const transport = () => new sdk.StreamableHTTPClientTransport(new URL(given.url), { authProvider: host });
  const client = () => new sdk.Client({ name: "portreeve-oauth-peer", version: "1.0.0" }, sdk.more);

  const first = transport();
  must((await unauthorized(() => client().connect(first))) && host.sent.length === 1, "nobody was asked");
  const url = host.sent[0];
  must(url.searchParams.get("resource") === given.url, `\`resource\` is ${url.searchParams.get("resource")}`);
  const known = host.client?.client_id ?? url.searchParams.get("client_id");
  if (given.known === "document") must(known === given.document, `it is known as ${known}`);
  const parameters = await host.answered();
  await (given.sdk === "1" ? first.finishAuth(parameters.get("code")) : first.finishAuth(parameters));
  must(host.agent.headings.some((heading) => heading.startsWith("Connect ")), "no consent was asked for");

  const connected = client();
  await connected.connect(transport());
  const tools = (await connected.listTools()).tools.map(({ name }) => name);
  must(tools.includes("test_simple_text"), `the tools are ${tools}`);
  await call(connected);

  const old = { ...host.kept };
  must(old.expires_in <= 10, `tokens work for ${old.expires_in} s: the test wants short ones`);
  await sleep((old.expires_in + 1) * 1000);
  const refused = await asked(given.url, old.access_token);
  must(refused.status === 401 && refused.headers.get("www-authenticate").includes('error="invalid_token"'), "A-RS-2: it works on");
  await call(connected);
  must(host.kept.access_token !== old.access_token && host.kept.refresh_token !== old.refresh_token, "nothing was refreshed");
  must(host.sent.length === 1, "the user was asked again");

  // The SDKs revoke nothing themselves.
  const metadata = await (await fetch(`${origin}/.well-known/oauth-authorization-server`)).json();
  const form = new URLSearchParams({ token: host.kept.refresh_token, client_id: known });
  must((await fetch(metadata.revocation_endpoint, { method: "POST", body: form })).status === 200, "not revoked");
  must((await asked(given.url, host.kept.access_token)).status === 401, "a revoked token works on");
  must((await unauthorized(() => call(connected))) && host.sent.length === 2, "the user was not asked again after the end");
  await noted(origin, "oauth.end", known);
  return `${known} was asked for twice, refreshed once`;
});

async function call(client) {
  const result = await client.callTool({ name: "test_simple_text", arguments: {} });
  must(JSON.stringify(result.content).includes("simple text response"), `the call answered ${JSON.stringify(result)}`);
}

/** Whether it fails for want of a token. */
async function unauthorized(work) {
  try {
    await work();
  } catch (error) {
    if (error instanceof sdk.UnauthorizedError) return true;
    throw error;
  }
  return false;
}
