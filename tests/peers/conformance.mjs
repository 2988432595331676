// The official conformance suite against one server, directly and through Portreeve, check by check.
//
//   node conformance.mjs --direct URL --through URL --out FOLDER
//
// Fails when a required scenario does not pass directly, which is the test server's fault, and when anything is worse
// through Portreeve, which is Portreeve's. The last line sums up.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "yaml";

const SUITE = fileURLToPath(new URL("../node_modules/@modelcontextprotocol/conformance/", import.meta.url));
/** Each revision is a run of its own: the suite speaks only that one in it. */
const REVISIONS = ["2025-11-25", "2026-07-28"];
const RUN_LIMIT_MS = 180_000;

/** Scenarios that must pass through Portreeve whatever the server behind it does, with their number of checks. */
const OWN = [
  { label: "header validation", revision: "2026-07-28", scenario: "http-header-validation", checks: 14 },
  { label: "DNS rebinding", revision: "2026-07-28", scenario: "dns-rebinding-protection", checks: 2 },
  { label: "DNS rebinding", revision: "2025-11-25", scenario: "dns-rebinding-protection", checks: 2 },
];

/** Checks that say something else through Portreeve on purpose, with what they say then. */
const ON_PURPOSE = {
  // Lists are filtered, so they are answered as one JSON document. The suite calls streams optional there.
  "server-sse-multiple-streams server-sse-streams-functional ServerSSEStreamsFunctional": "INFO",
};

/** What is better stands higher. `INFO` is no verdict. */
const RANK = { FAILURE: 0, WARNING: 1, SKIPPED: 2, INFO: 2, SUCCESS: 3 };

const { values: given } = parseArgs({
  options: { direct: { type: "string" }, through: { type: "string" }, out: { type: "string" } },
});

const SIDES = { direct: "directly", through: "through Portreeve" };

const problems = [];
const scored = { direct: [], through: [] };
const own = new Map();
for (const revision of REVISIONS) {
  const direct = run(given.direct, revision, "direct");
  const through = run(given.through, revision, "through");
  console.log(`\n== ${revision}, compared`);
  for (const scenario of new Set([...direct.keys(), ...through.keys()])) compare(revision, scenario, direct, through);
  score(revision, direct, through);
  for (const wanted of OWN.filter((wanted) => wanted.revision === revision)) insist(wanted, through);
}
sumUp();

/** Runs the suite and reads what it wrote: scenario to checks, checks by their name. */
function run(url, revision, side) {
  const folder = join(given.out, `${side}-${revision}`);
  console.log(`\n== ${revision} ${SIDES[side]}`);
  const words = [join(SUITE, "dist/index.js"), "server", "--url", url, "--requirements", revision, "-o", folder];
  const outcome = spawnSync(process.execPath, words, { stdio: "inherit", timeout: RUN_LIMIT_MS });
  // 1 says that a scored scenario failed, which is judged below.
  if (outcome.status > 1 || outcome.status === null) {
    problems.push(`the suite broke off on ${revision} ${SIDES[side]}: ${outcome.error ?? `code ${outcome.status}`}`);
  }
  const scenarios = new Map();
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const scenario = name.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT[\dZ-]+$/, "");
    // A scenario that broke off leaves a folder without checks.
    const file = join(folder, name, "checks.json");
    scenarios.set(scenario, named(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : []));
  }
  return scenarios;
}

/** A check may come several times under one name; then it is numbered. */
function named(checks) {
  const byName = new Map();
  for (const check of checks) {
    const name = `${check.id} ${check.name}`;
    let unique = name;
    for (let count = 2; byName.has(unique); count += 1) unique = `${name} (${count})`;
    byName.set(unique, check);
  }
  return byName;
}

/** Shows every check of a scenario on both sides, and notes which is worse through Portreeve. */
function compare(revision, scenario, allDirect, allThrough) {
  const [direct, through] = [allDirect, allThrough].map((scenarios) => scenarios.get(scenario) ?? new Map());
  console.log(scenario);
  for (const name of new Set([...direct.keys(), ...through.keys()])) {
    const before = direct.get(name)?.status;
    const after = through.get(name)?.status;
    // Without a verdict on either side it is a line of the suite's own log.
    if ([before, after].every((status) => status === undefined || status === "INFO")) continue;
    const worse = isWorse(before, after) && ON_PURPOSE[`${scenario} ${name}`] !== after;
    console.log(`  ${worse ? "!" : " "} ${(before ?? "-").padEnd(8)} ${(after ?? "-").padEnd(8)} ${name}`);
    if (!worse) continue;
    const reason = through.get(name)?.errorMessage;
    problems.push(`${revision} ${scenario} ${name}: ${before ?? "absent"}, through Portreeve ${after ?? "absent"}`);
    if (reason) console.log(`      ${reason}`);
  }
}

function isWorse(before, after) {
  if (after === undefined) return before === "SUCCESS";
  return RANK[after] < RANK[before ?? "INFO"];
}

/** Counts the scenarios that the revision requires. */
function score(revision, direct, through) {
  const { server: required } = parse(readFileSync(join(SUITE, "requirements", `${revision}.yaml`), "utf8"));
  for (const [side, scenarios] of Object.entries({ direct, through })) {
    const failed = required.filter((scenario) => !passes(scenarios.get(scenario)));
    scored[side].push(`${required.length - failed.length}/${required.length}`);
    problems.push(...failed.map((scenario) => `${scenario} does not pass on ${revision} ${SIDES[side]}`));
  }
}

function passes(checks) {
  const verdicts = [...(checks?.values() ?? [])].filter(({ status }) => status !== "INFO");
  return verdicts.length > 0 && verdicts.every(({ status }) => status === "SUCCESS" || status === "SKIPPED");
}

function insist({ label, revision, scenario, checks }, through) {
  const all = [...(through.get(scenario)?.values() ?? [])];
  const passed = all.filter(({ status }) => status === "SUCCESS").length;
  own.set(label, `${passed}/${checks}`);
  if (passed !== checks) problems.push(`${scenario} passes ${passed} of ${checks} checks on ${revision}`);
}

function sumUp() {
  if (problems.length > 0) {
    console.log("\n== what is wrong");
    for (const problem of problems) console.log(problem);
  }
  const sums = [
    `direct ${scored.direct.join(" and ")}`,
    `through Portreeve ${scored.through.join(" and ")}`,
    ...[...own].map(([label, passed]) => `${label} ${passed}`),
  ];
  if (problems.length > 0) sums.push(`${problems.length} wrong, the first: ${problems[0]}`);
  console.log(`\n${sums.join(", ")}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
