// What nobody gets through with (J8, step 4): each is refused, and stands in the audit log.
//
//   PORTREEVE_KEY=... node refused.mjs --url URL --other URL
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { Agent } from "./agent.mjs";
import { asked, must, noted, options, run } from "./common.mjs";

const given = options({ url: undefined, other: undefined });
const origin = new URL(given.url).origin;
const REDIRECT = "https://desk.acme.example/callback";
/** The proof key of what was asked for last. */
let verifier;

await run("refused.mjs", async () => {
  const client = await registered("A program");
  const user = new Agent();
  let count = 0;
  const step = async (name, work) => {
    await work().catch((error) => {
      throw new Error(`${name}: ${error.message}`);
    });
    count += 1;
  };
  await step("a wrong proof key", async () => {
    const asking = begun(client);
    const code = codeOf(await user.allow(asking.url, "ada"));
    const answer = await redeemed(client, code, randomBytes(32).toString("base64url"));
    must(answer.status === 400 && answer.body.error === "invalid_grant", `answered ${JSON.stringify(answer)}`);
    await noted(origin, "oauth.token", "refused", client, "invalid_grant");
  });
  await step("a redirect that differs by one character", async () => {
    const wrong = `${REDIRECT}/`;
    const page = await user.visit(begun(client, { redirect_uri: wrong }).url);
    must(page.status === 400 && page.url.startsWith(origin), `answered ${page.status} at ${page.url}`);
    await noted(origin, "oauth.authorize", "refused", client, "redirect");
    const code = codeOf(await user.allow(begun(client).url, "ada"));
    const answer = await redeemed(client, code, verifier, { redirect_uri: wrong });
    must(answer.status === 400 && answer.body.error === "invalid_grant", `answered ${JSON.stringify(answer)}`);
  });
  await step("a token of another server", async () => {
    const code = codeOf(await user.allow(begun(client, { resource: given.other }).url, "ada"));
    const { body } = await redeemed(client, code, verifier);
    must((await asked(given.other, body.access_token)).status === 200, "it does not even work where it should");
    await refused(await asked(given.url, body.access_token));
  });
  await step("a token of a foreign issuer", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: "https://evil.example", aud: given.url, sub: "ada", iat: now, exp: now + 600, jti: "1", scope: "fixture:write" };
    const signed = `${part({ alg: "ES256", typ: "at+jwt", kid: "one" })}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
    await refused(await asked(given.url, `${signed}.${signature.toString("base64url")}`));
  });
  await step("a consent that somebody made up", async () => {
    // The cookies of the sample that the attack is known from, for a program that this user never allowed anything.
    const evil = await registered("An attacker");
    const forged = Buffer.from(JSON.stringify([`${evil}:${REDIRECT}`])).toString("base64");
    for (const name of ["__Host-MCP_APPROVED_CLIENTS", "MCP_APPROVED_CLIENTS", "portreeve_consent"]) user.cookie(origin, name, forged);
    const page = await user.visit(begun(evil).url);
    must(page.heading === "Connect An attacker?", `the page is ${page.url} ${page.heading}`);
    // Nor does a page of one's own open that of somebody else.
    const other = new Agent();
    const foreign = await other.signInOver(await other.visit(begun(evil).url), "ada");
    const stolen = /name="request" value="([^"]*)"/.exec(foreign.html)[1];
    const answer = await user.submit(page, "/authorize", { request: stolen, decision: "allow", write: "yes" });
    must(answer.status === 403, `it was decided: ${answer.status} ${answer.url}`);
    await noted(origin, "oauth.authorize", "refused", "foreign-request");
  });
  return `${count} attempts were refused and noted`;
});

async function refused(answer) {
  const challenge = answer.headers.get("www-authenticate") ?? "";
  must(answer.status === 401 && challenge.includes('error="invalid_token"'), `answered ${answer.status} ${challenge}`);
  await noted(origin, "request", "unauthenticated", new URL(given.url).pathname.split("/")[2]);
}

async function registered(name) {
  const metadata = { client_name: name, redirect_uris: [REDIRECT], token_endpoint_auth_method: "none" };
  const answer = await fetch(`${origin}/register`, { method: "POST", body: JSON.stringify(metadata), headers: { "content-type": "application/json" } });
  must(answer.status === 201, `registering answered ${answer.status}`);
  return (await answer.json()).client_id;
}

function begun(client, changes = {}) {
  verifier = randomBytes(32).toString("base64url");
  const query = {
    response_type: "code",
    client_id: client,
    redirect_uri: REDIRECT,
    state: "one",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    resource: given.url,
    ...changes,
  };
  return { url: `${origin}/authorize?${new URLSearchParams(query)}` };
}

function codeOf(address) {
  const code = new URL(address).searchParams.get("code");
  must(code, `no code came back: ${address}`);
  return code;
}

async function redeemed(client, code, proof, changes = {}) {
  const form = { grant_type: "authorization_code", client_id: client, code, redirect_uri: REDIRECT, code_verifier: proof, ...changes };
  const answer = await fetch(`${origin}/token`, { method: "POST", body: new URLSearchParams(form) });
  return { status: answer.status, body: await answer.json() };
}
