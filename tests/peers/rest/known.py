"""What openapi-core says of requests that are right, with the rule that it does not follow. A request about which it says
nothing else is listed, and what is known of it is what our own assertions say."""

import re

# Descriptions that cannot be imported, with the reason; every other one must be.
NOT_IMPORTED = {}
# Descriptions of which no tool can be called, with the reason.
WITHOUT_CALLS = {}
# Descriptions that the validator reads, and of which it finds no request right that is: what it says is listed below.
NEVER_VALID = {}


def reason(problem, document, operation, seen):
    """Why a problem is none; nothing when it may be one."""
    kind = dict((name.lower(), value) for name, value in seen["headers"]).get("content-type", "")
    styles = {parameter.get("style") for parameter in operation.parameters}
    missing = re.search(r"'([^']*)' is a required property", problem)
    if missing and missing[1] in read_only(document):
        return "a property that is read-only and required is not for requests (3.1 leaves it to the reader)"
    if missing and "urlencoded" in kind and re.search(rf"(^|&){re.escape(missing[1])}=".encode(), seen["body"]):
        return "members of a form that `required` names and `properties` does not"
    if re.match(r"b[\'\"].* is not (of type|valid under any)", problem):
        return "files and media types like json-patch+json are bytes to it"
    places = {parameter["in"] for parameter in operation.parameters}
    if "gave up: Unresolvable" in problem and "$self" in document.whole:
        return "references to the address that a description says is its own (3.2)"
    if "querystring" in places and "gave up" in problem:
        return "the query as one parameter (3.2)"
    if "OperationNotFound" in problem and "additionalOperations" in str(document.whole.get("paths", {}).values()):
        return "methods without a place of their own (3.2)"
    if "multipart" in kind:
        if missing and missing[1].encode() in seen["body"]:
            return "parts that only a composition describes"
        if re.search(r"'.*' is not of type '(integer|number|boolean|object|array)'", problem):
            return "it takes a part for a text, whatever its schema"
        if "DeserializeError" in problem or "TypeError" in problem or "ValueError" in problem:
            return "a style of a part"
    if {"label", "matrix"} & styles and "MissingRequiredParameter" in problem:
        return "the styles label and matrix"
    if "Cookie" in problem or "dictionary update sequence" in problem:
        return "objects in cookies and exploded objects"
    if "reference" in problem and "could not be resolved" in problem or "discriminating property" in problem:
        return "a discriminator without a mapping, or one that is not required"
    if problem.startswith("None is not one of"):
        return "a nullable enumeration that does not name null: forbidden since 3.0.3, and meant by people"
    if problem.startswith("None is not of type") and document.format.startswith("3.1"):
        return "`nullable`, which 3.1 does not know any more, and descriptions still have"
    if "write read-only property" in problem:
        return "a parameter whose schema is read-only"
    if "not an object format" in problem:
        return "objects in a list of a query"
    return None


def read_only(document):
    """The names of properties that are read-only somewhere."""
    if not hasattr(document, "read_only"):
        document.read_only = set()
        open_ = [document.whole]
        while open_:
            one = open_.pop()
            if isinstance(one, list):
                open_ += one
            elif isinstance(one, dict):
                open_ += one.values()
                for name, value in (one.get("properties") or {}).items() if isinstance(one.get("properties"), dict) else ():
                    if isinstance(value, dict) and value.get("readOnly") is True:
                        document.read_only.add(name)
    return document.read_only
