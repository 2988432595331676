// B5 in the browser: files of the Azure catalogue are taken in by the page, with what is wrong with them, go through their
// review, and come out again as they were.
//
//   node b5.mjs --binary PATH --chromium PATH --screenshots FOLDER
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { must } from "../../oauth/common.mjs";
import { House, folder, journey, until } from "./house.mjs";

/** A right file, one whose address has a variable, and one whose address is none. */
const FILES = {
  "acme-billing": partner("acme-billing", "https://mcp.acme-billing.systems/mcp"),
  "acme-tenant": partner("acme-tenant", "https://{tenant-name}.acme-tenant.systems/mcp"),
  "acme-later": partner("acme-later", "https://placeholder.example.com/mcp"),
};
const KEPT = "com.azure.mcp/partner";

function partner(name, remote) {
  const about = (page) => `https://${name}.systems/${page}`;
  return {
    name, title: `Acme ${name}`, summary: "Invoices of Acme", description: "Finds invoices.", kind: "mcp", vendor: "Partner", remote,
    icon: about("icon.svg"), license: { name: "Terms", url: about("terms") },
    externalDocumentation: { title: "Manual", url: about("docs") },
    supportContactInfo: { name: "Desk", email: `desk@${name}.systems` },
    useCases: [{ name: "Late invoices", description: "Who has not paid" }], categories: "Finance, Sales", tags: ["invoices"],
    versionName: "original", visibility: "true", audience: "api://acme", packages: [], customProperties: { "x-ms-preview": true },
    connectorName: "acme", authSchemas: ["OAuth2"],
    securitySchemes: {
      [`${name}Oauth`]: {
        type: "oauth2", flows: ["authorizationCode"], scopes: ["read"],
        authorizationUrl: about("authorize"), tokenUrl: about("token"),
      },
    },
  };
}

await journey("b5.mjs", async (eyes) => {
  const house = await House.start();
  const page = await house.signedIn(eyes);
  await page.goto(`${house.url}/admin/imports`);
  await eyes.all(page, "b5-imports");
  const place = folder();
  const files = Object.entries(FILES).map(([name, content]) => {
    const path = join(place, `${name}.json`);
    writeFileSync(path, JSON.stringify(content));
    return path;
  });
  const form = page.locator("form").filter({ has: page.getByRole("button", { name: "Take the files in" }) });
  await form.getByLabel("What they are").selectOption("Azure partner files");
  await form.getByLabel("Files", { exact: true }).setInputFiles(files);
  await form.getByRole("button", { name: "Take the files in" }).click();
  await page.waitForURL(/\/admin\/imports\/./);
  await page.getByText("Done").first().waitFor();
  for (const name of Object.keys(FILES)) await page.getByText(name).first().waitFor();
  await page.getByText("remote: it is a placeholder").waitFor();
  // A page that was there before the end is loaded once more, by itself.
  await until("the page is the last one", async () => (await page.locator("[data-poll]").count()) === 0);
  await eyes.all(page, "b5-report");

  await page.getByRole("link", { name: "Look through it" }).click();
  await page.getByRole("heading", { name: "Taken in by one import" }).waitFor();
  await eyes.all(page, "b5-bulk");
  await unchanged(house);
  return `${files.length} files taken in with their findings, and equal as they are kept`;
});

/** What is kept of each file is the file. */
async function unchanged(house) {
  const kept = await until("all are kept", async () => {
    const { items } = await (await house.api("/servers?limit=100")).json();
    const names = items.map((item) => item.name ?? item.server?.name);
    return names.length >= 3 && names;
  });
  let equal = 0;
  for (const name of kept) {
    const text = await (await house.api(`/servers/${encodeURIComponent(name)}`)).text();
    const found = inside(JSON.parse(text));
    if (found && isDeepStrictEqual(found, FILES[found.name])) equal += 1;
  }
  must(equal === Object.keys(FILES).length, `${equal} of ${kept} are kept as they were`);
}

/** The member of that name, wherever it stands. */
function inside(value) {
  if (!value || typeof value !== "object") return undefined;
  if (KEPT in value) return value[KEPT];
  for (const part of Object.values(value)) {
    const found = inside(part);
    if (found) return found;
  }
  return undefined;
}
