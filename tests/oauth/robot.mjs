// Programs that act for themselves, with the providers of both TypeScript SDKs: a secret, and a signed assertion.
//
//   PORTREEVE_KEY=... node robot.mjs --url URL --server SERVER-NAME
import { generateKeyPairSync } from "node:crypto";
import * as two from "@modelcontextprotocol/client";
import * as one from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { api, must, noted, options, run } from "./common.mjs";

const given = options({ url: undefined, server: undefined });
const origin = new URL(given.url).origin;
const SDKS = { 1: { ...one, Client, StreamableHTTPClientTransport }, 2: two };

await run("robot.mjs", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "one" }] };
  const pem = privateKey.export({ format: "pem", type: "pkcs8" });
  let count = 0;
  for (const [version, sdk] of Object.entries(SDKS)) {
    const secret = await entered({ name: `Robot ${version}` });
    const signed = await entered({ name: `Signing robot ${version}`, auth: "private_key_jwt", jwks });
    const expectedIssuer = origin;
    for (const [id, authProvider] of [
      [secret.clientId, new sdk.ClientCredentialsProvider({ clientId: secret.clientId, clientSecret: secret.clientSecret, expectedIssuer })],
      [signed.clientId, new sdk.PrivateKeyJwtProvider({ clientId: signed.clientId, privateKey: pem, algorithm: "ES256", expectedIssuer })],
    ]) {
      const client = new sdk.Client({ name: "portreeve-robot", version: "1.0.0" });
      await client.connect(new sdk.StreamableHTTPClientTransport(new URL(given.url), { authProvider }));
      const result = await client.callTool({ name: "test_simple_text", arguments: {} });
      must(JSON.stringify(result.content).includes("simple text response"), `the call answered ${JSON.stringify(result)}`);
      await noted(origin, "oauth.token", "client_credentials", id);
      await client.close();
      count += 1;
    }
  }
  return `${count} programs acted for themselves`;
});

/** A client that may use the server. */
async function entered(client) {
  const made = await api(origin, "/clients", { method: "POST", body: client });
  await api(origin, "/grants", { method: "POST", body: { subject: { client: made.clientId }, rights: "use", servers: { server: given.server } } });
  return made;
}
