"""Our own assertions: each argument of a call is in the request, where the description puts it, and means the same.

Decoded by the rules of OpenAPI with the standard library alone. Where a validator cannot read a document, this is all that
is said about it.
"""

import json
import re
import urllib.parse

PARTED = {"csv": ",", "ssv": " ", "tsv": "\t", "pipes": "|", "form": ",", "simple": ",", "spaceDelimited": " ",
          "pipeDelimited": "|"}


def written(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def same(one, other):
    """Numbers may be written in several ways."""
    if one == other:
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def argument(name, arguments):
    """The argument of a parameter: its name, in the letters that hosts allow."""
    if name in arguments:
        return name
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_")


def problems(operation, arguments, seen):
    found, left = [], dict(arguments)
    query = urllib.parse.parse_qsl(seen["query"], keep_blank_values=True)
    headers = {name.lower(): value for name, value in seen["headers"]}
    names = [parameter["name"] for parameter in operation.parameters]
    for parameter in operation.parameters:
        name, place = parameter["name"], parameter["in"]
        if place not in ("path", "query", "header") or names.count(name) > 1 or argument(name, left) not in left:
            continue
        value = left.pop(argument(name, left))
        got = placed(parameter, place, (seen, query, headers), value)
        if got is None or value in (None, [], {}):
            continue
        wanted = [written(one) for one in value if one is not None] if isinstance(value, list) else [written(value)]
        if len(got) != len(wanted) or not all(same(one, other) for one, other in zip(got, wanted)):
            found.append(f"{place} parameter {name}: {wanted} came as {got}")
    return found + body(operation, left, seen)


def placed(parameter, place, parts, value):
    """The texts that came for a parameter; nothing where the style is none of the plain ones."""
    seen, query, headers = parts
    name = parameter["name"]
    style = parameter.get("style") or parameter.get("collectionFormat") or ("form" if place == "query" else "simple")
    if isinstance(value, dict) or "content" in parameter or style not in {*PARTED, "multi"}:
        return None
    if isinstance(value, list) and any(isinstance(one, (dict, list)) for one in value):
        return None
    part = PARTED.get(style, ",")
    if place == "path":
        text = seen["values"].get(name, "")
        texts = text.split(",") if isinstance(value, list) else [text]
        return [urllib.parse.unquote(one) for one in texts]
    if place == "header":
        text = headers.get(name.lower(), "")
        return text.split(part) if isinstance(value, list) else [text]
    is_swagger = "collectionFormat" in parameter or "type" in parameter
    explode = parameter.get("collectionFormat") == "multi" if is_swagger else parameter.get("explode", style == "form")
    texts = [text for key, text in query if key == name]
    if isinstance(value, list) and not explode:
        return [one for text in texts for one in text.split(part)]
    return texts


def body(operation, left, seen):
    """What no parameter took is in the body, if it is JSON and its members stand for themselves."""
    kind = next((value for name, value in seen["headers"] if name.lower() == "content-type"), "")
    if not seen["body"]:
        return []
    if "json" not in kind:
        return []
    came = json.loads(seen["body"])
    if left.keys() == {"body"} and came == left["body"]:
        return []
    if not isinstance(came, dict):
        return [f"the body is {json.dumps(came)[:200]}, not {json.dumps(left)[:200]}"]
    # A member with the name of a parameter has its place in front.
    bare = {name.removeprefix("body_"): value for name, value in left.items()}
    if came == bare or came == left:
        return []
    # Names that no argument can have are written otherwise; which name came is the validator's to judge.
    if came.keys() != left.keys() and list(came.values()) == list(left.values()):
        return []
    return [f"the body is {json.dumps(came)[:300]}, not {json.dumps(left)[:300]}"]
