"""The independent validator: openapi-core says whether a request is one that the description allows."""

import copy
import urllib.parse
import warnings

from jsonschema.exceptions import best_match
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

warnings.simplefilter("ignore")


class Unreadable(Exception):
    """The validator cannot read the document."""


class Judge:
    def __init__(self, document, base):
        if not document.format.startswith("3."):
            raise Unreadable(f"it knows no description of the form {document.format}")
        whole = copy.deepcopy(document.whole)
        whole["servers"] = [{"url": base}]
        # Who calls is the route's business, and no argument.
        whole.pop("security", None)
        for item in whole.get("paths", {}).values():
            more = item.get("additionalOperations", {}).values()
            for holder in [item, *more, *(one for one in item.values() if isinstance(one, dict))]:
                holder.pop("servers", None)
                holder.pop("security", None)
        config = Config(spec_validator_cls=None)
        try:
            self.api = OpenAPI.from_dict(whole, config=config, base_uri=document.path.resolve().as_uri())
            self.validator = self.api.request_validator
        except Exception as error:
            raise Unreadable(f"{type(error).__name__}: {error}") from error

    def problems(self, seen, host):
        """What is wrong with a request that the mock saw; nothing when it is valid."""
        try:
            errors = list(self.validator.iter_errors(Request(seen, host)))
        except Exception as error:
            return [f"gave up: {type(error).__name__}: {error}"]
        return [text for error in errors for text in told(error)]


def told(error):
    """The innermost reasons of an error; of a composition, the way that comes nearest."""
    while error.__cause__ is not None:
        error = error.__cause__
    inner = getattr(error, "schema_errors", None)
    if not inner:
        return [f"{type(error).__name__}: {error}"]
    best = [best_match([one]) for one in inner]
    return [f"{one.message[:300]} at {list(one.absolute_path)}" for one in best]


class Decoded(RequestParameters):
    """Values of the path come encoded, as they stand in it."""

    def __setattr__(self, name, value):
        if name == "path":
            value = {key: urllib.parse.unquote(text) for key, text in value.items()}
        super().__setattr__(name, value)


class Request:
    def __init__(self, seen, host):
        self.host_url, self.path, self.method = host, seen["path"], seen["method"].lower()
        headers = Headers(seen["headers"])
        cookies = [one.strip().split("=", 1) for one in headers.get("cookie", "").split(";") if "=" in one]
        query = urllib.parse.parse_qsl(seen["query"], keep_blank_values=True)
        self.parameters = Decoded(query=ImmutableMultiDict(query), header=headers, cookie=ImmutableMultiDict(cookies))
        self.body = seen["body"] or None
        self.content_type = headers.get("content-type", "")
