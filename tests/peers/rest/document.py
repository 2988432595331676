"""A description of a REST API as the checks need it: read, with its operations and their parameters resolved."""

import json
import pathlib
import re
import urllib.parse

import yaml

class Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):
    """Dates stay texts, as in JSON."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path):
    text = pathlib.Path(path).read_text()
    return json.loads(text) if str(path).endswith(".json") else yaml.load(text, Loader)


class Document:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.whole = read(path)
        self.files = {self.path: self.whole}

    @property
    def format(self):
        return str(self.whole.get("openapi") or self.whole.get("swagger"))

    def resolved(self, value, here=None):
        """Follows references, into other files too; says in which file the value stands."""
        here = here or self.path
        for _ in range(30):
            if not (isinstance(value, dict) and isinstance(value.get("$ref"), str)):
                return value, here
            file, _, pointer = value["$ref"].partition("#")
            if file == self.whole.get("$self"):
                here, file = self.path, ""
            elif "://" in file:
                return {}, here
            here = (here.parent / urllib.parse.unquote(file)).resolve() if file else here
            if here not in self.files:
                self.files[here] = read(here)
            value = self.files[here]
            for token in pointer.split("/")[1:]:
                token = urllib.parse.unquote(token).replace("~1", "/").replace("~0", "~")
                value = value[int(token)] if isinstance(value, list) else value[token]
        return {}, here

    def operation(self, method, path):
        """An operation with all of its parameters, those of its path included."""
        item, file = self.resolved(self.whole["paths"][path])
        # 3.2 has a place for methods that have none of their own.
        value = item.get(method.lower()) or (item.get("additionalOperations") or {})[method]
        operation, inner = self.resolved(value, file)
        parameters = {}
        for holder, place in ((item, file), (operation, inner)):
            for one in holder.get("parameters", []):
                one, where = self.resolved(one, place)
                schema, _ = self.resolved(one.get("schema", one if "type" in one else {}), where)
                parameters[one["in"], one["name"]] = {**one, "schema": schema}
        return Operation(self, inner, operation, list(parameters.values()))

    def methods(self, path):
        """The methods of a path, in capitals."""
        item, _ = self.resolved(self.whole["paths"][path])
        return {key.upper() for key in item} | set(item.get("additionalOperations") or {})

    def templates(self):
        """The paths as expressions, the more concrete ones first."""
        found = []
        for path, item in self.whole.get("paths", {}).items():
            item, _ = self.resolved(item)
            if not path.startswith("/") or not isinstance(item, dict):
                continue
            parts = re.split(r"\{[^}]*\}", path.split("?")[0].split("#")[0])
            expression = "([^/?#]*)".join(re.escape(urllib.parse.quote(part, safe="/:@!$&'()*+,;=~")) for part in parts)
            names = re.findall(r"\{([^}]*)\}", path)
            found.append((len(names), -len("".join(parts)), path, re.compile(expression), names))
        return sorted(found, key=lambda one: one[:3])


class Operation:
    def __init__(self, document, file, value, parameters):
        self.document, self.file, self.value, self.parameters = document, file, value, parameters

    def members(self):
        """The schemas of the members of a JSON body, by their names."""
        body, where = self.document.resolved(self.value.get("requestBody", {}), self.file)
        content = (body.get("content") or {}).get("application/json") or {}
        schema, where = self.document.resolved(content.get("schema", {}), where)
        properties = schema.get("properties") or {}
        return {name: self.document.resolved(inner, where)[0] for name, inner in properties.items()}

    def success(self):
        """Status, media type and schema of an answer of success."""
        for status, answer in sorted(self.value.get("responses", {}).items(), key=lambda one: str(one[0])):
            if not str(status).startswith("2"):
                continue
            answer, where = self.document.resolved(answer, self.file)
            status = int(status) if str(status).isdigit() else 200
            if "schema" in answer:
                return status, "application/json", answer["schema"], where
            for media, content in (answer.get("content") or {}).items():
                if re.search(r"[/+]json *(;|$)", media):
                    return status, media.split(";")[0], (content or {}).get("schema", {}), where
            return status, None, None, where
        return 200, None, None, self.file
