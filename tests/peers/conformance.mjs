// The official conformance suite against servers of both eras, directly and through Portreeve, check by check.
//
//   node conformance.mjs --direct URL --through URL --legacy URL --modern URL --plain-direct URL --plain URL --out FOLDER
//
// `--direct` and `--through` lead to a server of both eras, which is compared with itself: nothing may be worse through
// Portreeve. `--legacy` and `--modern` lead, through Portreeve, to servers of one era, which are asked in the other one;
// what does not pass there stands in baselines.mjs with its reason, and nothing else does. `--plain-direct` and `--plain`
// lead to a server that forgets to say that its results are complete, which Portreeve mends. The last line sums up.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { bridged, plainOpen, tasksOpen } from "./baselines.mjs";

const SUITE = fileURLToPath(new URL("../node_modules/@modelcontextprotocol/conformance/", import.meta.url));
/** Each revision is a run of its own: the suite speaks only that one in it. */
const REVISIONS = ["2025-11-25", "2026-07-28"];
const RUN_LIMIT_MS = 180_000;

/** Scenarios that must pass through Portreeve whatever the server behind it does, with their number of checks. */
const OWN = [
  { label: "header validation", revision: "2026-07-28", scenario: "http-header-validation", checks: 14 },
  {
    label: "custom headers",
    revision: "2026-07-28",
    scenario: "http-custom-header-server-validation",
    // Ten of them where a tool has an annotated argument of its own, as the test server has.
    checks: 10,
  },
  { label: "DNS rebinding", revision: "2026-07-28", scenario: "dns-rebinding-protection", checks: 2 },
  { label: "DNS rebinding", revision: "2025-11-25", scenario: "dns-rebinding-protection", checks: 2 },
];

/** Checks that say something else through Portreeve on purpose, with what they say then. */
const ON_PURPOSE = {
  // Lists are filtered, so they are answered as one JSON document. The suite calls streams optional there.
  "server-sse-multiple-streams server-sse-streams-functional ServerSSEStreamsFunctional": "INFO",
};

/** Extensions are asked for by the suite, and required by no revision: how many scenarios there are of tasks. */
const TASKS = 10;
/** Scenarios of extensions, which no bridge carries to the other era. */
const EXTENSION = /^(tasks|sep-2640)-/;

/** What is better stands higher. `INFO` is no verdict. */
const RANK = { FAILURE: 0, WARNING: 1, SKIPPED: 2, INFO: 2, SUCCESS: 3 };

const { values: given } = parseArgs({
  options: Object.fromEntries(
    ["direct", "through", "legacy", "modern", "plain-direct", "plain", "out"].map((name) => [name, { type: "string" }]),
  ),
});

const SIDES = {
  direct: "directly",
  through: "through Portreeve",
  legacy: "through Portreeve to a legacy server",
  modern: "through Portreeve to a modern server",
  "plain-direct": "directly, without resultType",
  plain: "through Portreeve, without resultType",
};

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
  if (revision === "2026-07-28") tasks(through);
}
for (const wanted of bridged) bridge(wanted);
mend();
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
  // Those have a baseline of their own.
  if (scenario.startsWith("tasks-")) return;
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

/** The scenarios that a revision requires. */
function required(revision) {
  return parse(readFileSync(join(SUITE, "requirements", `${revision}.yaml`), "utf8")).server;
}

/** Counts the scenarios that the revision requires. */
function score(revision, direct, through) {
  for (const [side, scenarios] of Object.entries({ direct, through })) {
    const failed = required(revision).filter((scenario) => !passes(scenarios.get(scenario)));
    scored[side].push(`${required(revision).length - failed.length}/${required(revision).length}`);
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

/** The suite asks for tasks, and does not count them among what a revision requires. */
function tasks(through) {
  const open = reasons(tasksOpen);
  const all = [...through.keys()].filter((scenario) => scenario.startsWith("tasks-"));
  if (all.length !== TASKS) problems.push(`the suite has ${all.length} scenarios of tasks, not ${TASKS}`);
  own.set("tasks", `${held("tasks through Portreeve", all, through, open)}/${TASKS}`);
}

/** Scenarios of a baseline, each with its reason. */
function reasons(open) {
  return new Map(open.flatMap(({ reason, scenarios }) => scenarios.map((scenario) => [scenario, reason])));
}

/** Holds scenarios against a baseline: what fails must stand in it, and what stands in it must fail. Counts what passes. */
function held(label, all, scenarios, open) {
  let count = 0;
  for (const scenario of all) {
    const passed = passes(scenarios.get(scenario));
    const reason = open.get(scenario);
    count += passed ? 1 : 0;
    console.log(`${passed ? "passed" : reason ? "open  " : "FAILED"} ${scenario}${reason ? `: ${reason}` : ""}`);
    if (passed && reason) problems.push(`${scenario} passes (${label}) and stands in the baseline: strike it out`);
    if (passed || reason) continue;
    problems.push(`${scenario} does not pass (${label})`);
    for (const { status, name, errorMessage } of scenarios.get(scenario)?.values() ?? []) {
      if (status === "FAILURE") console.log(`       ${name}: ${errorMessage}`);
    }
  }
  for (const scenario of open.keys()) {
    if (!all.includes(scenario)) problems.push(`the baseline (${label}) names \`${scenario}\`, which the suite does not`);
  }
  return count;
}

/** A server of one era, asked in the other one. */
function bridge({ label, revision, server, open }) {
  const scenarios = run(given[server], revision, server);
  console.log(`\n== ${revision} ${SIDES[server]}, against its baseline`);
  const asked = [...scenarios.keys()].filter((scenario) => !EXTENSION.test(scenario));
  const all = [...new Set([...required(revision), ...asked])].sort();
  own.set(label, `${held(label, all, scenarios, reasons(open))}/${all.length}`);
}

/** A server that does not say `resultType` passes less directly, and everything through Portreeve. */
function mend() {
  const revision = "2026-07-28";
  const label = "without resultType";
  const direct = run(given["plain-direct"], revision, "plain-direct");
  const through = run(given.plain, revision, "plain");
  const before = required(revision).filter((name) => passes(direct.get(name))).length;
  const after = held(label, required(revision), through, reasons(plainOpen));
  if (before >= after && plainOpen.length === 0) problems.push(`nothing is mended: ${before} pass directly`);
  own.set(label, `${after}/${required(revision).length} instead of ${before}`);
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
