"""Values that meet a JSON Schema (2020-12), made by chance: from a seed, so that a run can be repeated.

What comes out was judged by another library (jsonschema), so a fault in here costs a value and proves nothing wrong.
"""

import base64
import datetime
import math
import random
import re
import sys
import uuid

import jsonschema
import rstr

# What argument texts are made of: what parts a URL or a field, quotes, blanks, letters beyond ASCII.
LETTERS = "abcxyzABCXYZ0189-_.~ /?#&=+%:;@!$'()*\"<>[]{}|\\^`éßЖ漢🚢"
# For texts that stand in a header or in a list whose elements are parted by something.
PLAIN = "abcxyzABCXYZ0189-_.~"
# What `*` and `+` of a pattern come to at most.
sys.modules["rstr.xeger"].STAR_PLUS_LIMIT = 12
TRIES = 40
DEEPEST = 7


class Cannot(Exception):
    """No value was found."""


class Maker:
    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.patterns = rstr.Rstr(self.chance)

    def arguments(self, schema, plain=()):
        """Arguments of a tool. Properties in `plain` get plain texts."""
        judge = jsonschema.Draft202012Validator(schema)
        for attempt in range(TRIES):
            self.likely = 0.6 if attempt < TRIES // 2 else 0.0
            try:
                value = self.object(schema, schema, 0, plain)
            except (Cannot, RecursionError):
                continue
            if judge.is_valid(value):
                return value
        raise Cannot("no valid arguments were found")

    def value(self, schema, root, depth, letters=LETTERS):
        if schema is True or schema == {}:
            return self.text({}, letters)
        if schema is False or depth > DEEPEST + 4:
            raise Cannot("too deep")
        schema = self.merged(schema, root)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = self.chance.choice([one for one in kind if one != "null"] or ["null"])
        if kind is None:
            kind = guessed(schema)
        make = {
            "object": lambda: self.object(schema, root, depth, letters=letters),
            "array": lambda: self.array(schema, root, depth),
            "string": lambda: self.text(schema, letters),
            "integer": lambda: self.number(schema, whole=True),
            "number": lambda: self.number(schema, whole=False),
            "boolean": lambda: self.chance.random() < 0.5,
            "null": lambda: None,
        }
        return make[kind]()

    def merged(self, schema, root):
        """A schema without references and compositions: one of their ways is chosen."""
        for _ in range(20):
            if "$ref" in schema:
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = joined(rest, pointed(root, schema["$ref"]))
            elif "allOf" in schema:
                rest = {key: value for key, value in schema.items() if key != "allOf"}
                for part in schema["allOf"]:
                    rest = joined(rest, self.merged(part, root) if isinstance(part, dict) else {})
                schema = rest
            elif "oneOf" in schema or "anyOf" in schema:
                key = "oneOf" if "oneOf" in schema else "anyOf"
                rest = {name: value for name, value in schema.items() if name != key}
                ways = [way for way in schema[key] if isinstance(way, dict) and way.get("type") != "null"]
                schema = joined(rest, self.chance.choice(ways)) if ways else rest
            else:
                return schema
        raise Cannot("a schema that refers to itself without end")

    def object(self, schema, root, depth, plain=(), letters=LETTERS):
        if "$ref" in schema or "allOf" in schema or "oneOf" in schema or "anyOf" in schema:
            schema = self.merged(schema, root)
        known = schema.get("properties", {})
        required = schema.get("required", [])
        made = {}
        for name, inner in known.items():
            wanted = name in required or (depth < DEEPEST and self.chance.random() < self.likely / (depth + 1))
            if not wanted:
                continue
            try:
                made[name] = self.value(inner, root, depth + 1, PLAIN if name in plain else letters)
            except Cannot:
                if name in required:
                    raise
        for name in required:
            if name not in made:
                inner = schema.get("additionalProperties", True)
                made[name] = self.value(inner, root, depth + 1)
        # An object without members has no form in most places, like an empty list.
        if not made and known and 0 < depth < DEEPEST:
            name = self.chance.choice(sorted(known))
            made[name] = self.value(known[name], root, depth + 1, letters)
        fewest = schema.get("minProperties", 0)
        more = schema.get("additionalProperties", True)
        while len(made) < fewest and more is not False:
            made["k" + self.text({}, PLAIN)] = self.value(more, root, depth + 1)
        return made

    def array(self, schema, root, depth):
        fewest = schema.get("minItems", 0)
        # An empty list has no form in most places, so it says nothing about encoding.
        count = max(fewest, min(schema.get("maxItems", 3), self.chance.randint(1, 3)))
        if depth > DEEPEST:
            count = fewest
        items = schema.get("items", True)
        first = schema.get("prefixItems", [])
        made = []
        for at in range(count * 4):
            if len(made) == count:
                break
            one = self.value(first[at] if at < len(first) else items, root, depth + 1, PLAIN)
            if not schema.get("uniqueItems") or one not in made:
                made.append(one)
        return made

    def text(self, schema, letters):
        if schema.get("contentEncoding") == "base64" or schema.get("format") in ("byte", "base64"):
            return base64.b64encode(self.chance.randbytes(self.chance.randint(1, 40))).decode()
        if "pattern" in schema:
            return self.patterned(schema)
        form = FORMS.get(schema.get("format"))
        if form:
            return form(self.chance)
        fewest = max(schema.get("minLength", 0), 1)
        count = min(schema.get("maxLength", 12), fewest + self.chance.randint(0, 11))
        text = "".join(self.chance.choice(letters) for _ in range(max(count, schema.get("minLength", 0))))
        # White space at the ends of a field is not part of it, and two texts are no segment of a path.
        return "x" * len(text) if text.strip() != text or text in (".", "..") else text

    def patterned(self, schema):
        for _ in range(TRIES):
            try:
                text = self.patterns.xeger(schema["pattern"])
            except Exception as error:
                raise Cannot(f"a pattern that is not understood: {error}") from error
            if schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 10_000) and text.isprintable():
                if text.strip() == text != "" and re.search(schema["pattern"], text):
                    return text
        raise Cannot("no text meets the pattern")

    def number(self, schema, whole):
        low, high = bound(schema, "minimum", "exclusiveMinimum", 1), bound(schema, "maximum", "exclusiveMaximum", -1)
        low = low if low is not None else (min(0, high) if high is not None else 0)
        high = high if high is not None else low + 1000
        high = min(high, low + 10**9)
        step = schema.get("multipleOf", 1 if whole else 0)
        if step:
            first, last = math.ceil(low / step), math.floor(high / step)
            if first > last:
                raise Cannot("no number between the bounds")
            value = self.chance.randint(first, last) * step
            return int(value) if whole or value == int(value) else value
        return round(self.chance.uniform(low, high), 2)


def bound(schema, open_, closed, step):
    if isinstance(schema.get(closed), (int, float)) and not isinstance(schema.get(closed), bool):
        return schema[closed] + step
    return schema.get(open_)


def guessed(schema):
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    if "items" in schema or "minItems" in schema:
        return "array"
    if "minimum" in schema or "maximum" in schema:
        return "number"
    return "string"


def pointed(root, reference):
    if not reference.startswith("#"):
        raise Cannot(f"a reference elsewhere: {reference}")
    place = root
    for token in reference[1:].split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        place = place[int(token)] if isinstance(place, list) else place[token]
    return place if isinstance(place, dict) else {}


def joined(one, other):
    """Both schemas in one, as far as values for both can be made of it."""
    both = {**one, **{key: value for key, value in other.items() if key not in one}}
    for key in ("allOf", "oneOf", "anyOf"):
        if key in one and key in other:
            both[key] = one[key]
            both.setdefault("allOf", [])
            both["allOf"] = [*both["allOf"], {key: other[key]}] if key != "allOf" else [*one[key], *other[key]]
    if "properties" in one and "properties" in other:
        both["properties"] = {**other["properties"], **one["properties"]}
    if "required" in one and "required" in other:
        both["required"] = [*one["required"], *(name for name in other["required"] if name not in one["required"])]
    return both


def _day(chance):
    return (datetime.date(2020, 1, 1) + datetime.timedelta(days=chance.randint(0, 2000))).isoformat()


FORMS = {
    "date": _day,
    "date-time": lambda chance: f"{_day(chance)}T{chance.randint(10, 23)}:{chance.randint(10, 59)}:00Z",
    "time": lambda chance: f"{chance.randint(10, 23)}:{chance.randint(10, 59)}:00Z",
    "uuid": lambda chance: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
    "email": lambda chance: f"ada{chance.randint(1, 99)}+b@acme.example",
    "uri": lambda chance: f"https://acme.example/a%20b?c={chance.randint(1, 99)}&d=e#f",
    "url": lambda chance: f"https://acme.example/{chance.randint(1, 99)}?a=b&c=d",
    "hostname": lambda chance: f"h{chance.randint(1, 99)}.acme.example",
    "ipv4": lambda chance: f"10.0.0.{chance.randint(1, 250)}",
    "ip": lambda chance: f"10.0.0.{chance.randint(1, 250)}",
    "ipv6": lambda chance: f"2001:db8::{chance.randint(1, 250):x}",
}
