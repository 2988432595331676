"""Generated valid arguments for every tool of every description in a folder, through the gateway, to a server made of the
same description, judged by an independent validator of OpenAPI.

    PORTREEVE_URL=... PORTREEVE_KEY=... python run.py --portreeve BINARY --folder DIR [--file FILE...] [--sets 20] [--seed 1]

Prints a line for each document, those first that the validator cannot read, and counts. Fails when a request is not what
its arguments and its description say, whoever notices it.
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time
import urllib.parse

import jsonschema

import known
from arguments import Cannot, Maker, pointed
from document import Document
from echo import argument
from echo import problems as echoed
from judge import Judge, Unreadable
from mock import BASE, Mock

PROTOCOL = "2026-07-28"
META = "io.modelcontextprotocol/"


# What the gateway says of values that the style of their parameter cannot carry.
NO_FORM = re.compile(
    "would be read as another (parameter|one of the form)|holds what separates elements|cannot stand alone in a path"
)


class Gateway:
    def __init__(self, url, key):
        place = urllib.parse.urlsplit(url)
        self.key = key
        self.connection = http.client.HTTPConnection(place.hostname, place.port, timeout=120)

    def ask(self, path, method, params):
        params = {**params, "_meta": {META + "protocolVersion": PROTOCOL, META + "clientCapabilities": {},
                                      META + "clientInfo": {"name": "rest", "version": "1"}}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json", "mcp-method": method,
                   "accept": "application/json, text/event-stream", "mcp-protocol-version": PROTOCOL}
        if "name" in params:
            headers["mcp-name"] = params["name"]
        self.connection.request("POST", path, body.encode(), headers)
        return message(self.connection.getresponse())

    def get(self, path):
        self.connection.request("GET", path, headers={"authorization": f"Bearer {self.key}"})
        return json.loads(self.connection.getresponse().read())

    def tools(self, path):
        # The import before it may have taken longer than a connection may rest.
        self.connection.close()
        found, cursor = [], {}
        while True:
            result = self.ask(path, "tools/list", cursor)["result"]
            found += result["tools"]
            if not result.get("nextCursor"):
                return found
            cursor = {"cursor": result["nextCursor"]}


def message(response):
    text = response.read().decode()
    if "event-stream" in (response.getheader("content-type") or ""):
        lines = [line[5:] for line in text.splitlines() if line.startswith("data:")]
        return json.loads(lines[-1])
    return json.loads(text)


class Count(collections.Counter):
    def line(self):
        words = ("operations", "tools", "requests", "valid", "listed", "echoed")
        return ", ".join(f"{self[word]} {word}" for word in words)


class Run:
    def __init__(self, given):
        self.given = given
        self.gateway = Gateway(os.environ["PORTREEVE_URL"], os.environ["PORTREEVE_KEY"])
        self.failures = []

    def document(self, number, path):
        """Everything about one document. Answers its counts and, if it is listed, why."""
        document = Document(path)
        mock = Mock(document)
        try:
            try:
                judge, why = Judge(document, mock.url), None
            except Unreadable as error:
                judge, why = None, str(error)
            name = f"com.corpus/api-{number}"
            words = ["--json", "server", "add", name, "--openapi", str(path), "--base-url", mock.url, "--internal", "--approve"]
            added = subprocess.run([self.given.portreeve, *words], capture_output=True, text=True)
            if added.returncode:
                why = "no import: " + ((added.stdout + added.stderr).strip().splitlines() or ["it says nothing"])[0][:200]
                self.must(path.name in known.NOT_IMPORTED, path, why)
                return Count(), why
            report = json.loads(added.stdout)["preview"]["report"]
            counts = Count(operations=len(report["operations"]), tools=report["tools"])
            operations = {one["tool"]: one for one in report["operations"] if one["outcome"] == "tool"}
            tools = self.gateway.tools(f"/s/api-{number}/mcp")
            self.calls(f"/s/api-{number}/mcp", tools, operations, (document, mock, judge), counts)
            # A description of nothing but webhooks has no tools.
            is_called = counts["requests"] or not counts["operations"] or path.name in known.WITHOUT_CALLS
            self.must(is_called, path, "no tool of it was called")
            right = counts["valid"] if judge else counts["echoed"]
            self.must(right or not counts["requests"] or path.name in known.NEVER_VALID, path, "no request of it was valid")
            return counts, why
        finally:
            mock.close()

    def must(self, holds, path, why):
        if not holds:
            self.failures.append(f"{path.name}: {why}; if that is as it must be, say so in known.py")

    def calls(self, path, tools, operations, around, counts):
        maker = Maker(f"{self.given.seed} {around[0].path.name}")
        order = random.Random(self.given.seed)
        rounds = 0
        while tools and counts["requests"] < max(self.given.sets, min(len(tools), self.given.most)) and rounds < 40:
            rounds += 1
            for tool in order.sample(tools, len(tools)):
                if counts["requests"] >= max(self.given.sets, min(len(tools), self.given.most)):
                    break
                self.call(path, tool, operations[tool["name"]], maker, around, counts)

    def call(self, path, tool, operation, maker, around, counts):
        document, mock, judge = around
        described = document.operation(operation["method"], operation["path"])
        plain = {one["name"] for one in described.parameters if one["in"] in ("header", "cookie")}
        try:
            arguments = maker.arguments(with_patterns(tool["inputSchema"], described), plain)
        except Cannot as error:
            counts["without arguments"] += 1
            if self.given.verbose:
                print(f"  {tool['name']}: {error}")
            return
        mock.answer, is_described = self.answer(described, maker)
        mock.seen.clear()
        answer = self.gateway.ask(path, "tools/call", {"name": tool["name"], "arguments": arguments})
        here = f"{document.path.name}: {tool['name']} {json.dumps(arguments, ensure_ascii=False)[:600]}"
        if "result" not in answer and NO_FORM.search(answer["error"]["message"]):
            counts["(refused, since the value has no form that is read as it is meant)"] += 1
            return None
        if "result" not in answer:
            return self.failures.append(f"{here}\n    refused: {json.dumps(answer)[:600]}")
        if len(mock.seen) != 1:
            came = [f"{seen['method']} {seen['path']}" for seen in mock.seen]
            return self.failures.append(f"{here}\n    {len(came)} requests: {came}, {json.dumps(answer)[:400]}")
        seen = mock.seen[0]
        counts["requests"] += 1
        wrong = []
        wrong += addressed(operation, seen)
        wrong += echoed(described, arguments, seen)
        counts["echoed"] += not wrong
        wrong += self.judged(judge, (document, mock, described, operation), seen, counts)
        output = tool.get("outputSchema")
        content = answer["result"].get("structuredContent")
        if is_described and output and (content is None or not jsonschema.Draft202012Validator(output).is_valid(content)):
            wrong.append(f"the answer is not what `outputSchema` says: {json.dumps(answer['result'])[:300]}")
        if wrong:
            target = f"{seen['method']} {seen['path']}?{seen['query']} {seen['body'][:300]}"
            self.failures.append("\n    ".join([here, target, *wrong]))

    def judged(self, judge, around, seen, counts):
        """What the validator says, without what it is known to misread."""
        document, mock, described, operation = around
        if not judge:
            counts["listed"] += 1
            return []
        problems = judge.problems(seen, mock.url.removesuffix(BASE))
        left_open = any("pattern" in note["message"] for note in operation.get("notes", []))
        known_as = [known.reason(problem, document, described, seen) for problem in problems]
        if set("#?") & set(operation["path"]):
            known_as = ["paths that differ in a query or a mark alone"] * len(problems)
        if left_open:
            known_as = [reason or "a pattern that is left to the API" for reason in known_as]
        if not problems:
            counts["valid"] += 1
        elif all(known_as):
            counts["listed"] += 1
            for reason in set(known_as):
                counts[f"({reason})"] += 1
        return [f"validator: {problem[:900]}" for problem, reason in zip(problems, known_as) if not reason]

    def answer(self, described, maker):
        """What the server answers, and whether it is what its description says."""
        status, media, schema, where = described.success()
        if media is None:
            return (status, None, b""), False
        root = described.document.files[where]
        for likely in (0.5, 0.0):
            maker.likely = likely
            try:
                answer = json.dumps(maker.value(schema or {}, root, 0)).encode()
                # References out of other files are followed by the importer, not by the maker.
                return (status, media, answer), len(described.document.files) == 1
            except (Cannot, RecursionError, KeyError, TypeError):
                continue
        return (status, media, b"{}"), False


def with_patterns(schema, described):
    """Patterns that the gateway leaves to the API are no part of what a tool shows, and of what is valid all the same."""
    properties = dict(schema.get("properties", {}))
    for name, inner in [*((one["name"], one["schema"]) for one in described.parameters), *described.members().items()]:
        name, pattern = argument(name, properties), inner.get("pattern")
        shown = properties.get(name)
        if isinstance(shown, dict) and "$ref" in shown:
            shown = {**pointed(schema, shown["$ref"]), **{key: value for key, value in shown.items() if key != "$ref"}}
        if pattern and isinstance(shown, dict) and shown.get("type") == "string" and "pattern" not in shown:
            properties[name] = {**shown, "pattern": pattern}
    return {**schema, "properties": properties}


def addressed(operation, seen):
    """Whether a request is that of the operation. Paths of descriptions may have a query, or a mark that tells them apart."""
    path, _, query = operation["path"].partition("#")[0].partition("?")
    template = (seen["template"] or "").partition("#")[0].partition("?")[0]
    wrong = []
    if (seen["method"], template) != (operation["method"], path):
        wrong.append(f"it is {seen['method']} {seen['template']}")
    if query and not set(query.split("&")) <= set(seen["query"].split("&")):
        wrong.append(f"the query of the path, {query}, is missing")
    return wrong


def documents(folder):
    """The descriptions below a folder; of one that is spread over files, the first."""
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in (".json", ".yml", ".yaml")]
    return [path for path in found if "multifile" not in str(path) or path.name == "lob-api-public.yml"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--portreeve", required=True)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--file", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--sets", type=int, default=20, help="fewest argument sets of a document")
    parser.add_argument("--most", type=int, default=1000, help="most argument sets of a document, if it has so many tools")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=60, help="most failures that are printed")
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    run, whole, listed = Run(given), Count(), []
    paths = [*given.file, *(documents(given.folder) if given.folder else [])]
    for number, path in enumerate(paths):
        begun = time.monotonic()
        counts, why = run.document(number, path)
        whole.update(counts)
        extra = [f"{value} {key}" for key, value in sorted(counts.items()) if "(" in key or key == "without arguments"]
        print(f"{path.name}: {counts.line()} in {time.monotonic() - begun:.1f} s", *extra, sep="; ", flush=True)
        if why:
            listed.append(f"{path.name}: {why}")
    print("\nNot read by the validator, checked by our own assertions:", *listed, sep="\n  ")
    for failure in run.failures[:given.show]:
        print("\nFAILED", failure)
    print(f"\n{len(paths)} documents, {whole.line()}, {len(listed)} documents listed, {len(run.failures)} failures")
    return 1 if run.failures or not whole["valid"] else 0


if __name__ == "__main__":
    sys.exit(main())
