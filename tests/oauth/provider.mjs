// A real identity provider in front of the portal: who comes in, what follows from its claims, and how it all ends.
//
//   PORTREEVE_KEY=... node provider.mjs --url ORIGIN --idp ISSUER
import { Agent } from "./agent.mjs";
import { api, must, noted, options, run, sleep } from "./common.mjs";

const given = options({ url: undefined, idp: undefined });

await run("provider.mjs", async () => {
  const agent = await entered("eve");
  must((await signedIn(agent)) === "user:eve", "eve is not signed in");
  const user = await api(given.url, "/users/eve");
  must(user.origin === "provider" && user.external.subject === "eve" && user.email === "eve@acme.example", `eve is ${JSON.stringify(user)}`);
  must(user.providerGroups.join() === "staff", `her groups are ${user.providerGroups}`);
  const known = await entered("eve", agent);
  must(known.headings.filter((heading) => heading === "Acme").length === 1, "who is known was asked again");

  // The key that signs is one that Portreeve has not seen.
  await fetch(`${given.idp}/test/rotate`, { method: "POST" });
  must((await signedIn(await afterwards("eve"))) === "user:eve", "nobody comes in after a rotation of keys");

  await fetch(`${given.idp}/test/deny`, { method: "POST" });
  const denied = new Agent();
  const refused = await denied.signInOver(await denied.visit(`${given.url}/sign-in`), "eve");
  must(refused.status === 400 && refused.html.includes("access_denied"), `who is denied sees ${refused.status} ${refused.heading}`);
  must((await signedIn(denied)) === undefined, "who is denied is signed in");
  await noted(given.url, "sign-in", "refused", "provider-refused");

  // She signs out at the provider: it tells us, and what hangs on that session ends. Another session of hers does not.
  const elsewhere = await entered("eve");
  const leaving = await agent.visit(`${given.idp}/session/end`);
  await agent.submit(leaving, `${given.idp}/session/end/confirm`, { logout: "yes" });
  must((await signedIn(agent)) === undefined, "the session outlived the back-channel logout");
  must((await signedIn(elsewhere)) === "user:eve", "another session ended, too");
  await noted(given.url, "session.end", "provider:acme");
  return "made, mapped, rotated, denied, signed out";
});

/** Somebody who came in over the provider. */
async function entered(name, agent = new Agent()) {
  const page = await agent.signInOver(await agent.visit(`${given.url}/sign-in`), name);
  must(page.status === 200, `${name} sees ${page.status} ${page.heading}`);
  return agent;
}

/** The same after a rotation. Keys are fetched again at most once in 30 seconds, which counts from the first sign-in. */
async function afterwards(name) {
  for (let round = 0; ; round += 1) {
    try {
      return await entered(name);
    } catch (error) {
      if (round === 16) throw error;
      await sleep(2_000);
    }
  }
}

async function signedIn(agent) {
  const { html } = await agent.visit(`${given.url}/account`);
  return /Signed in as <\/span>([^<]*)</.exec(html)?.[1];
}
