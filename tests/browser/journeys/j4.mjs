// J4, a partner's server in two clicks: found in Discover, registered with its variable, approved by somebody else, served;
// the same in another registry without a step; and updated only when somebody says so. B5: badges and the signed feed.
//
//   node j4.mjs --binary PATH --chromium PATH --screenshots FOLDER
import { must } from "../../oauth/common.mjs";
import { host, said } from "./host.mjs";
import { House, journey, member, person, told, until } from "./house.mjs";
import { HOST, NAME, Vendor } from "./vendor.mjs";

const OWN = { name: "tenant-name", value: "red-dock", page: "/discover/harbour/harbour" };

await journey("j4.mjs", async (eyes) => {
  const vendor = await Vendor.start();
  const path = write(vendor, "Finds berths");
  await vendor.sign(path);
  await vendor.publish("one.json");
  const house = await House.start({ config: vendor.config(0) });
  const admin = await house.signedIn(eyes);
  const dana = await member(eyes, house, "dana");
  await house.cli("grant", "add", "--user", "dana", "--publish", "--namespace", "systems.harbour-double");

  await registers(eyes, house, dana);
  const gone = await said(house.endpoint("harbour"), "tools/list", { key: house.key });
  must(gone.status === 404 && (await listed(house)).length === 0, `what waits is served: ${gone.status}`);
  await approves(eyes, house, admin);
  await served(eyes, house, { vendor, admin });
  await elsewhere(eyes, house, { vendor, admin });
  await updated(eyes, house, { vendor, admin, path });
  return "registered, approved, served, elsewhere, updated";
});

/** A partner whose address has a part that is the visitor's own. */
function write(vendor, description) {
  const variables = { [OWN.name]: { description: "The name of your tenant", isRequired: true, default: "example" } };
  const remotes = [{ type: "streamable-http", url: `https://${HOST}/{${OWN.name}}/mcp`, variables }];
  return vendor.write("harbour", vendor.manifest("harbour"), vendor.document("harbour", { remotes, description }));
}

/** What the registry shows to everybody. */
async function listed(house) {
  return (await (await fetch(`${house.url}/v0.1/servers?version=latest`)).json()).servers;
}

/** Two clicks, and one word. */
async function registers(eyes, house, page) {
  await page.getByRole("link", { name: "Discover", exact: true }).first().click();
  await page.getByRole("searchbox").fill("berths");
  await page.getByRole("searchbox").press("Enter");
  await page.waitForURL(/q=berths/);
  const card = page.getByRole("listitem").filter({ hasText: NAME });
  await until("the partner is listed", async () => (await page.reload()) && (await card.count()) > 0);
  await card.getByText("Official partner").waitFor();
  await eyes.all(page, "j4-found");
  await card.getByRole("link", { name: "Harbour" }).click();
  await page.waitForURL(`**${OWN.page}`);
  await eyes.all(page, "j4-partner");

  await page.getByLabel(OWN.name).fill("../elsewhere");
  await page.getByRole("button", { name: "Register", exact: true }).click();
  await page.getByText("Nothing was registered.").waitFor();
  await eyes.all(page, "j4-wrong", { isAnswer: true });
  await page.getByLabel(OWN.name).fill(OWN.value);
  await page.getByRole("button", { name: "Register", exact: true }).click();
  await page.waitForURL(`**/servers/${NAME}?done=*`);
  await page.getByText("Waits for approval").first().waitFor();
  await eyes.all(page, "j4-waits");
}

async function approves(eyes, house, page) {
  await page.goto(house.url);
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: /^Waiting/ }).click();
  await eyes.all(page, "j4-waiting");
  await page.getByRole("row").filter({ hasText: NAME }).getByRole("link", { name: /version/i }).click();
  await page.getByText(`/${OWN.value}/mcp`).first().waitFor();
  await eyes.all(page, "j4-review");
  await page.getByRole("button", { name: "Approve exactly this" }).click();
  await page.waitForURL(/\/servers\/.*done=/);
  await eyes.all(page, "j4-approved");
}

/** Entry, environment, remote and route, with where they come from. */
async function served(eyes, house, { vendor, admin: page }) {
  await page.goto(`${house.url}/servers/${NAME}`);
  const notice = page.locator(".notice").filter({ hasText: "A server of the partner" });
  await notice.getByText("Official partner").waitFor();
  const address = await page.getByRole("group", { name: "Gateway URL" }).innerText();
  const [entry] = await listed(house);
  must(entry.server.name === NAME && entry.server.remotes[0].url === address, `the registry shows ${JSON.stringify(entry.server.remotes)}`);
  must(!JSON.stringify(entry).includes(OWN.value), "strangers see where it runs");
  const tools = await (await host(address, house.key)).ask("tools/list", {});
  must(tools.message.result.tools[0].name === "find_berth", tools.text);

  await page.getByRole("link", { name: "Where it runs" }).click();
  await page.getByText("production").first().waitFor();
  await page.goto(house.url + OWN.page);
  await page.getByText("Registered here").first().waitFor();
  await eyes.all(page, "j4-here");
  const fact = async (label) => await page.locator("dt", { hasText: label }).locator("xpath=following-sibling::dd[1]").innerText();
  must((await fact("Catalogue")).startsWith("1"), `the catalogue is said to be ${await fact("Catalogue")}`);
  must((await fact("Standing")).startsWith("Official partner"), `its standing is ${await fact("Standing")}`);
  const made = await fact("Registered from");
  must(made === `Catalogue 1, signed by ${vendor.keeper}`, `it is registered from: ${made}`);
  const { registered } = (await (await house.api("/partners/harbour")).json()).items[0];
  must(registered.catalogueVersion === 1 && registered.signedBy === vendor.keeper, `kept with it: ${JSON.stringify(registered)}`);
}

/** Another registry of this installation has the server, and another installation the partner: nobody did anything. */
async function elsewhere(eyes, house, { vendor, admin: page }) {
  await page.goto(`${house.url}/registries`);
  await eyes.all(page, "j4-registries");
  await page.getByLabel("Name", { exact: true }).fill("second");
  await page.getByRole("button", { name: "Make a registry" }).click();
  await page.waitForURL("**/registries/second**");
  await page.getByRole("link", { name: NAME }).waitFor();
  await eyes.all(page, "j4-second");
  const other = await House.start({ config: vendor.config(0) });
  const stranger = await person(eyes);
  await stranger.goto(`${other.url}/discover?q=berths`);
  await until("another one lists it", async () => (await stranger.reload()) && (await stranger.getByText(NAME).count()) > 0);
  await stranger.getByText("Official partner").first().waitFor();
  other.service.child.kill("SIGKILL");
}

/** The catalogue moves; the entry waits for somebody. */
async function updated(eyes, house, { vendor, admin: page, path }) {
  write(vendor, "Finds berths and pilots");
  await vendor.sign(path);
  await vendor.publish("two.json", "one.json");
  await page.goto(house.url + OWN.page);
  await until("an update is available", async () => (await page.reload()) && (await page.getByText("Update available").count()) > 0);
  await eyes.all(page, "j4-update");
  const [before] = await listed(house);
  must(before.server.version === "1.0.0" && before.server.description === "Finds berths", "the entry moved by itself");
  const command = await page.getByRole("group", { name: "Command that takes in the new version" }).innerText();
  const words = command.trim().split(" ").slice(1);
  must(words.join(" ") === "partner update harbour", `the page says: ${command}`);
  await told([...words, "--approve"], { env: { PORTREEVE_URL: house.url, PORTREEVE_KEY: house.key } });
  await page.reload();
  must((await page.getByText("Update available").count()) === 0, "what was taken in is still offered");
  const [after] = await listed(house);
  must(after.server.description === "Finds berths and pilots", `the entry says ${after.server.description}`);
  await page.goto(`${house.url}/servers/${NAME}`);
  await page.getByText(after.server.version).first().waitFor();
  await eyes.all(page, "j4-updated");
}
