// J5, becoming a partner: files begun, checked and handed in on the command line, a bad pull request, and what pages say while
// the vendor's server is fine, down, and changed; then delisted and revoked.
//
//   node j5.mjs --binary PATH --chromium PATH --screenshots FOLDER
import { must } from "../../oauth/common.mjs";
import { host, said } from "./host.mjs";
import { House, journey, person, portreeve, told, until } from "./house.mjs";
import { HOST, NAME, TOOL, Vendor } from "./vendor.mjs";

const PAGE = "/discover/harbour/harbour";

await journey("j5.mjs", async (eyes) => {
  const vendor = await Vendor.start();
  await begins(vendor);
  await isBad(vendor);
  const path = vendor.write("harbour", vendor.manifest("harbour"), vendor.document("harbour"));
  await vendor.sign(path);
  const comment = await portreeve(vendor.checked(path, "--markdown"));
  must(comment.startsWith("### Partner check: passed"), comment);
  await vendor.publish("one.json");

  const house = await House.start({ config: vendor.config(1) });
  const page = await house.signedIn(eyes);
  await shows(page, house, "Official partner");
  const made = await house.cli("partner", "register", "harbour", "--approve");
  const endpoint = house.endpoint(made.outcome.route.slug);
  await looked(eyes, { vendor, house, page });
  await withdrawn(eyes, { house, page, endpoint });
  return "begun, refused, listed, failing, changed, delisted, revoked";
});

/** Steps 1 and 2: a folder that says itself what is still to be filled in. */
async function begins(vendor) {
  const path = vendor.at("new/acme");
  await portreeve(["partner", "init", path]);
  const verdict = await told(["partner", "check", path, "--offline"], { expected: 1 });
  const refused = Object.entries(verdict.items[0].checks).filter(([, outcome]) => outcome === "refused");
  must(refused.map(([check]) => check).join() === "placeholders", `a new folder is refused for ${refused}`);
}

/** Step 4: a placeholder, metadata that are not there, and an endpoint that is another partner's; a line for each. */
async function isBad(vendor) {
  const good = vendor.write("harbour", vendor.manifest("harbour"), vendor.document("harbour"));
  await vendor.sign(good);
  const remote = (url) => ({ type: "streamable-http", url });
  const remotes = [remote(`https://${HOST}/mcp`), remote("https://placeholder.harbour-double.systems/mcp")];
  const bad = vendor.write("bad", vendor.manifest("bad", "oauth"), vendor.document("bad", { remotes }));
  vendor.manners.isShut = true;
  const text = await portreeve(vendor.checked(bad), { expected: 1 });
  vendor.manners.isShut = false;
  for (const check of ["placeholders", "endpoints", "oauth"]) {
    const lines = text.split("\n").filter((line) => line.startsWith(`refused [${check}]`));
    must(lines.length === 1, `${lines.length} lines about ${check}: ${text}`);
  }
  vendor.forget("bad");
}

/** Waits until the partner's page says so, whoever looks. */
async function shows(page, house, text) {
  await page.goto(house.url + PAGE);
  await until(`the page says ${text}`, async () => {
    if ((await page.getByText(text).count()) > 0) return true;
    await page.reload();
    return false;
  });
}

/** Step 6: what the job finds is on the page, and on the card. */
async function looked(eyes, { vendor, house, page }) {
  await shows(page, house, /^Healthy,/);
  await eyes.all(page, "j5-healthy");
  vendor.manners.isMute = true;
  await shows(page, house, /^Failing since/);
  must((await page.getByText("Official partner", { exact: true }).count()) === 0, "who fails keeps the tier");
  await eyes.all(page, "j5-failing");
  await page.goto(`${house.url}/discover?q=berths`);
  await page.getByRole("listitem").filter({ hasText: NAME }).getByText("Failing").waitFor();
  await eyes.all(page, "j5-failing-card");
  await page.goto(`${house.url}/servers/${NAME}`);
  await page.locator(".partner").getByText("Failing").waitFor();
  vendor.manners.isMute = false;
  await shows(page, house, /^Healthy,/);

  const description = "Finds a free berth, and tells somebody else about it.";
  vendor.manners.tools = [{ ...TOOL, description }];
  await shows(page, house, /^Its tools changed on/);
  await eyes.all(page, "j5-changed");
  // At the gateway nothing has changed: what is served waits for its review.
  await page.goto(`${house.url}/servers/${NAME}`);
  await eyes.all(page, "j5-changed-server");
  vendor.manners.tools = [TOOL];
  await shows(page, house, /^Healthy,/);
}

/** Hidden from who does not have it; then closed to everybody, with the reason. */
async function withdrawn(eyes, { house, page, endpoint }) {
  const agent = await host(endpoint, house.key);
  const stranger = await person(eyes);
  const seen = async () => (await stranger.goto(house.url + PAGE)).status();
  must((await seen()) === 200, "strangers do not see what is listed");
  await house.cli("partner", "delist", "harbour", "--reason", "being looked at");
  must((await seen()) === 404, "what is delisted is there for strangers");
  await eyes.all(stranger, "j5-gone", { isAnswer: true });
  await stranger.goto(`${house.url}/discover?q=berths`);
  must((await stranger.getByText(NAME).count()) === 0, "what is delisted is found");
  await eyes.all(stranger, "j5-nothing");
  await shows(page, house, "It is not listed any more: being looked at");
  await eyes.all(page, "j5-delisted");
  // The tool that had changed was held back; it is served again with the first list in which it reads as approved.
  await until("the tool is served as approved", async () => {
    const list = await agent.ask("tools/list", {});
    return list.message?.result?.tools.some((tool) => tool.name === TOOL.name && tool.description === TOOL.description);
  });
  const kept = await agent.call("find_berth", { length: 12 });
  must(kept.content[0].text === "north 1", "who has it lost it");

  await house.cli("partner", "revoke", "harbour/harbour", "--reason", "its keys were stolen");
  const begun = performance.now();
  const closed = await until("a call is refused", async () => {
    const answer = await said(endpoint, "tools/call", { key: house.key, params: { name: "find_berth", arguments: {} } });
    return answer.status === 403 && answer;
  });
  const took = performance.now() - begun;
  must(closed.text.includes("its keys were stolen") && took < 5_000, `after ${took} ms: ${closed.text}`);
  await shows(page, house, "Nobody may call it: its keys were stolen");
  await eyes.all(page, "j5-revoked");
  await page.goto(`${house.url}/servers/${NAME}`);
  await page.getByText("Revoked").first().waitFor();
  await eyes.all(page, "j5-revoked-server");
}
