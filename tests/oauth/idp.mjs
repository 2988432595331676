// A real OpenID provider (`oidc-provider`), with people who sign in by their name alone.
//
//   node idp.mjs --port PORT --portreeve ORIGIN --secret SECRET
//
// Beside what the package serves, `POST /test/rotate` puts a new signing key before the old one, and `POST /test/deny`
// refuses whoever comes next.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";
import { options } from "./common.mjs";

const given = options({ port: undefined, portreeve: undefined, secret: undefined });
const issuer = `http://localhost:${given.port}`;
/** Who is there, and the groups that their tokens tell. */
const PEOPLE = {
  ada: { name: "Ada Lovelace", email: "ada@acme.example", groups: ["harbour", "staff"] },
  eve: { name: "Eve Newcomer", email: "eve@acme.example", groups: ["staff"] },
};
const COOKIES = [randomUUID()];
const records = new Map();

let keys = [key()];
let denying = false;
let provider = made();

createServer(async (request, response) => {
  try {
    const { pathname } = new URL(request.url, issuer);
    if (pathname.startsWith("/interaction/")) return await interact(request, response);
    if (request.method === "POST" && pathname === "/test/rotate") {
      keys = [key(), ...keys];
      provider = made();
      return response.end();
    }
    if (request.method === "POST" && pathname === "/test/deny") {
      denying = true;
      return response.end();
    }
    provider.callback()(request, response);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end(String(error));
  }
}).listen(Number(given.port), "127.0.0.1", () => console.log(`identity provider: ${issuer}`));

function key() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "ES256", use: "sig" };
}

/** What the package wants to be kept, for all providers that follow each other. Nothing is removed: a test is short. */
function kept(model) {
  const find = (name, value) => [...records].find(([key, record]) => key.startsWith(`${model}:`) && record[name] === value)?.[1];
  return {
    upsert: async (id, record) => void records.set(`${model}:${id}`, record),
    find: async (id) => records.get(`${model}:${id}`),
    findByUid: async (uid) => find("uid", uid),
    findByUserCode: async (code) => find("userCode", code),
    consume: async (id) => void (records.get(`${model}:${id}`).consumed = Math.floor(Date.now() / 1000)),
    destroy: async (id) => void records.delete(`${model}:${id}`),
    revokeByGrantId: async (id) => records.forEach((record, key) => record.grantId === id && records.delete(key)),
  };
}

/** Another provider with other keys goes on with the sessions of the one before. */
function made() {
  const next = new Provider(issuer, {
    adapter: kept,
    jwks: { keys },
    cookies: { keys: COOKIES },
    clients: [
      {
        client_id: "portreeve",
        client_secret: given.secret,
        redirect_uris: [`${given.portreeve}/sign-in/acme/callback`],
        id_token_signed_response_alg: "ES256",
        backchannel_logout_uri: `${given.portreeve}/sign-in/acme/logout`,
        backchannel_logout_session_required: true,
      },
    ],
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"], email: ["email"] },
    // Portreeve reads ID tokens, and asks for nothing else.
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    // The package refuses addresses of this machine, where the test is, and waits for 2.5 s only.
    fetch: (url, { dispatcher: _, signal: __, ...rest }) => fetch(url, rest),
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id, ...PEOPLE[id] }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid profile email");
      await grant.save();
      return grant;
    },
  });
  next.on("server_error", (_, error) => console.error(error));
  next.on("backchannel.error", (_, error) => console.error(error));
  next.on("backchannel.success", () => console.log("back-channel logout was delivered"));
  return next;
}

async function interact(request, response) {
  if (denying) {
    denying = false;
    const result = { error: "access_denied", error_description: "the provider said no" };
    return await provider.interactionFinished(request, response, result);
  }
  if (request.method === "POST") {
    const body = new URLSearchParams(await text(request));
    const accountId = body.get("name");
    if (accountId in PEOPLE) return await provider.interactionFinished(request, response, { login: { accountId } });
  }
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(`<!doctype html><html lang="en"><title>Acme</title><h1>Acme</h1><form method="post" action="${request.url}">
<label>Name <input name="name"></label><button>Sign in</button></form></html>`);
}

async function text(request) {
  let all = "";
  for await (const chunk of request) all += chunk;
  return all;
}
