//! What must hold whatever arguments are, asked by the property tests on every run and by the fuzz target
//! `rest_request` for as long as somebody lets it; not part of a build for users.

use std::collections::BTreeSet;

use portreeve_core::rest::Binding;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::{Filling, request};

/// A parameter of each place and style, and a form.
const BINDING: &str = r#"{
    "method": "POST", "retry": "never",
    "path": [
        {"literal": "/a/"}, {"parameter": "simple"}, {"literal": "/b"}, {"parameter": "matrix"},
        {"literal": "/c"}, {"parameter": "label"}, {"literal": "/d"}
    ],
    "parameters": [
        {"place": "path", "name": "simple", "source": {"argument": "simple"}, "encoding": {"styled": {"style": "simple", "explode": false}}},
        {"place": "path", "name": "matrix", "source": {"argument": "matrix"}, "encoding": {"styled": {"style": "matrix", "explode": true}}},
        {"place": "path", "name": "label", "source": {"argument": "label"}, "encoding": {"styled": {"style": "label", "explode": true}}},
        {"place": "query", "name": "form", "source": {"argument": "form"}, "encoding": {"styled": {"style": "form", "explode": true}}},
        {"place": "query", "name": "kept", "source": {"argument": "kept"}, "encoding": {"styled": {"style": "form", "explode": false, "allowReserved": true}}},
        {"place": "query", "name": "pipes", "source": {"argument": "pipes"}, "encoding": {"styled": {"style": "pipeDelimited", "explode": false}}},
        {"place": "query", "name": "deep", "source": {"argument": "deep"}, "encoding": {"styled": {"style": "deepObject", "explode": true}}},
        {"place": "query", "name": "json", "source": {"argument": "json"}, "encoding": {"content": {"mediaType": "application/json"}}},
        {"place": "query", "name": "fixed", "source": {"fixed": "mine"}, "encoding": {"styled": {"style": "form", "explode": true}}},
        {"place": "header", "name": "X-One", "source": {"argument": "header"}, "encoding": {"styled": {"style": "simple", "explode": false}}},
        {"place": "header", "name": "Host", "source": {"argument": "host"}, "encoding": {"styled": {"style": "simple", "explode": false}}},
        {"place": "cookie", "name": "one", "source": {"argument": "cookie"}, "encoding": {"styled": {"style": "form", "explode": false}}},
        {"place": "cookie", "name": "raw", "source": {"argument": "raw"}, "encoding": {"styled": {"style": "cookie", "explode": false}}}
    ],
    "body": {
        "contentType": "application/x-www-form-urlencoded", "form": {"urlencoded": {}}, "required": true,
        "content": {"members": {"members": [{"name": "mine", "source": {"fixed": "mine"}}], "extra": "sent"}}
    }
}"#;

/// Arguments neither leave their places nor set anything that is not theirs.
pub fn law(arguments: &[u8]) {
    let binding: Binding = match serde_json::from_str(BINDING) {
        Ok(binding) => binding,
        Err(error) => panic!("{error}"),
    };
    let Ok(Value::Object(arguments)) = serde_json::from_slice::<Value>(arguments) else {
        return;
    };
    stays(&binding, &arguments);
}

fn stays(binding: &Binding, arguments: &Map<String, Value>) {
    let filling = Filling {
        arguments,
        turned: None,
        own: &[],
        boundary: "b",
    };
    let Ok(request) = request(binding, filling) else {
        return;
    };
    let whole = format!("https://api.example:8443/base{}?{}", request.path, request.query);
    assert!(whole.bytes().all(|byte| byte.is_ascii_graphic()), "{whole}");
    let Ok(url) = Url::parse(&whole) else {
        panic!("it is no URL: {whole}");
    };
    // A reader of URLs that takes every step up that it finds.
    assert_eq!(url.origin().ascii_serialization(), "https://api.example:8443");
    assert_eq!(url.fragment(), None);
    let segments: Vec<&str> = url.path().split('/').collect();
    assert!(
        matches!(segments.as_slice(), ["", "base", "a", _, b, c, "d"] if b.starts_with('b') && c.starts_with('c')),
        "{segments:?}"
    );
    let fixed: Vec<_> = url.query_pairs().filter(|(name, _)| name == "fixed").collect();
    assert!(
        matches!(fixed.as_slice(), [(_, value)] if value == "mine"),
        "{whole}"
    );
    let own = ["form", "kept", "pipes", "json", "fixed"];
    let spread: BTreeSet<&str> = arguments
        .get("form")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect();
    for (name, _) in url.query_pairs() {
        let known =
            own.contains(&&*name) || name == "deep" || name.starts_with("deep[") || spread.contains(&*name);
        assert!(known, "{name}: {whole}");
    }
    let fields: Vec<&str> = request.headers.keys().map(http::HeaderName::as_str).collect();
    assert!(
        fields.iter().all(|name| matches!(*name, "x-one" | "cookie")) && request.headers.len() <= 2,
        "{fields:?}"
    );
    if let Some(cookies) = request.headers.get("cookie") {
        let text = String::from_utf8_lossy(cookies.as_bytes());
        let names: Vec<_> = text
            .split("; ")
            .filter_map(|cookie| cookie.split('=').next())
            .collect();
        assert!(
            names.iter().all(|name| matches!(*name, "one" | "raw")) && names.len() <= 2,
            "{text}"
        );
    }
    let Some(body) = request.body else {
        panic!("there is always a body");
    };
    let mine: Vec<_> = form_urlencoded::parse(&body.bytes)
        .filter(|(name, _)| name == "mine")
        .collect();
    assert!(matches!(mine.as_slice(), [(_, value)] if value == "mine"));
}
