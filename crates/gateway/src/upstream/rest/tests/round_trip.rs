//! Each place, style and type, over the wire: an echo of what was sent is read by the rules of OpenAPI, by a reader that
//! shares nothing with the writer, and is the argument again.

use percent_encoding::percent_decode_str;
use portreeve_core::limits::Limits;
use serde_json::{Map, Value, json};

use super::{Double, Front, Seen, any, ok_json};

/// Characters that mean something in one place or another.
const NASTY: &str = "a/b c&d=e?f#g%20h+é\"';:@$!*()[]{}|\\^~_-";

/// How a parameter is written.
#[derive(Debug, Clone, Copy)]
struct Way {
    place: &'static str,
    style: &'static str,
    explode: bool,
}

fn ways() -> Vec<Way> {
    let styles: [(&str, &[&str]); 4] = [
        ("path", &["simple", "label", "matrix"]),
        (
            "query",
            &[
                "form",
                "spaceDelimited",
                "pipeDelimited",
                "tabDelimited",
                "deepObject",
            ],
        ),
        ("header", &["simple"]),
        ("cookie", &["form"]),
    ];
    let mut ways = Vec::new();
    for (place, styles) in styles {
        for style in styles {
            for explode in [false, true] {
                // The others are not defined.
                let is_defined = match *style {
                    "deepObject" => explode,
                    "spaceDelimited" | "pipeDelimited" | "tabDelimited" => !explode,
                    _ => true,
                };
                if is_defined {
                    ways.push(Way {
                        place,
                        style,
                        explode,
                    });
                }
            }
        }
    }
    ways
}

/// Values of each type that a way can carry.
fn values(way: Way) -> Vec<Value> {
    let nasty: String = NASTY
        .chars()
        .filter(|one| match way.style {
            "spaceDelimited" => *one != ' ',
            "pipeDelimited" => *one != '|',
            _ => way.place != "header" || one.is_ascii() && *one != '=',
        })
        .collect();
    let flat = [
        json!(nasty),
        json!("true"),
        json!(""),
        json!(-1.5),
        json!(12_345_678_901_u64),
        json!(true),
    ];
    let lists = [json!(["blue"]), json!([nasty, "7", "x"])];
    let members = [json!({"R": 100}), json!({"R": nasty, "key": "false"})];
    let is_empty_path = |value: &Value| way.place == "path" && *value == json!("");
    let flat = flat.into_iter().filter(|value| !is_empty_path(value));
    match way.style {
        // Nothing else has this form.
        "deepObject" => members.to_vec(),
        "spaceDelimited" | "pipeDelimited" | "tabDelimited" => [lists, members].concat(),
        _ => flat.chain(lists).chain(members).collect(),
    }
}

/// What is sent is text, so a value is compared as that.
fn text(value: &Value) -> Value {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Array(list) => list.iter().map(|one| json!(plain(one))).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, one)| (name.clone(), json!(plain(one))))
            .collect(),
        other => json!(plain(other)),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

/// What stands between separators, as the type that is expected.
fn parted(raw: &str, separator: &str, explode: bool, like: &Value) -> Value {
    let parts: Vec<&str> = raw.split(separator).collect();
    match like {
        Value::Array(_) => parts.iter().map(|part| json!(decoded(part))).collect(),
        Value::Object(_) if explode => named(parts.iter().map(|part| part.split_once('=').unwrap())),
        Value::Object(_) => named(parts.chunks(2).map(|pair| (pair[0], pair[1]))),
        _ => json!(decoded(raw)),
    }
}

fn named<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let members: Map<String, Value> = pairs
        .map(|(name, value)| (decoded(name), json!(decoded(value))))
        .collect();
    Value::Object(members)
}

/// Pairs of names and values, as queries and cookies hold them.
fn of_pairs(raw: &str, between: &str, way: Way, like: &Value) -> Value {
    let pairs: Vec<(&str, &str)> = raw
        .split(between)
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    match (way.style, way.explode, like) {
        ("deepObject", _, _) => {
            let inner = |name: &str| {
                decoded(name)
                    .strip_prefix("p[")
                    .unwrap()
                    .trim_end_matches(']')
                    .to_owned()
            };
            let members = pairs
                .iter()
                .map(|(name, value)| (inner(name), json!(decoded(value))));
            Value::Object(members.collect())
        }
        (_, true, Value::Array(_)) => pairs.iter().map(|(_, value)| json!(decoded(value))).collect(),
        (_, true, Value::Object(_)) => named(pairs.into_iter()),
        (style, _, _) => {
            assert_eq!((pairs.len(), pairs[0].0), (1, "p"), "{raw}");
            let separator = match style {
                "spaceDelimited" => "%20",
                "pipeDelimited" => "%7C",
                "tabDelimited" => "%09",
                _ => ",",
            };
            parted(pairs[0].1, separator, false, like)
        }
    }
}

fn of_path(raw: &str, way: Way, like: &Value) -> Value {
    match (way.style, way.explode) {
        ("label", true) => parted(raw.strip_prefix('.').unwrap(), ".", true, like),
        ("label", false) => parted(raw.strip_prefix('.').unwrap(), ",", false, like),
        ("matrix", true) if like.is_object() => parted(raw.strip_prefix(';').unwrap(), ";", true, like),
        ("matrix", true) if like.is_array() => {
            let each = raw.strip_prefix(";p=").unwrap();
            each.split(";p=").map(|one| json!(decoded(one))).collect()
        }
        ("matrix", _) => parted(raw.strip_prefix(";p=").unwrap(), ",", false, like),
        (_, explode) => parted(raw, ",", explode, like),
    }
}

/// The argument as the API reads it.
fn read(seen: &Seen, way: Way, like: &Value) -> Value {
    let target = seen.line.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match way.place {
        "path" => {
            let raw = path
                .strip_prefix("/base/v2/a/")
                .unwrap()
                .strip_suffix("/b")
                .unwrap();
            of_path(raw, way, like)
        }
        "query" => of_pairs(query, "&", way, like),
        "cookie" => of_pairs(seen.field("cookie").unwrap(), "; ", way, like),
        _ => {
            // Nothing is encoded in a header.
            let raw = seen.field("p").unwrap().replace('%', "%25");
            parted(&raw, ",", way.explode, like)
        }
    }
}

#[tokio::test]
async fn an_argument_is_read_as_it_was_given_in_every_place_style_and_type() {
    let double = Double::start(|_: &Seen, _| ok_json(&json!({}))).await;
    let mut count = 0;
    for way in ways() {
        let path = match way.place {
            "path" => json!([{"literal": "/a/"}, {"parameter": "p"}, {"literal": "/b"}]),
            _ => json!([{"literal": "/a"}]),
        };
        let parameter = json!({"place": way.place, "name": "p", "source": {"argument": "p"},
            "encoding": {"styled": {"style": way.style, "explode": way.explode}}});
        let binding = json!({"method": "GET", "retry": "safe", "path": path, "parameters": [parameter]});
        let front = Front::with_limits(&double.url, binding, any(), Limits::for_tests());
        for value in values(way) {
            double.forget();
            let result = front.result(json!({"p": value})).await;
            assert_eq!(result.get("isError"), None, "{way:?} {value}: {result}");
            let seen = double.seen().pop().unwrap();
            assert_eq!(read(&seen, way, &value), text(&value), "{way:?} {}", seen.line);
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[tokio::test]
async fn a_body_is_read_as_it_was_given_in_every_form() {
    let double = Double::start(|_: &Seen, _| ok_json(&json!({}))).await;
    let members = json!({"members": {"members": [], "extra": "sent"}});
    for (kind, form) in [
        ("application/json", json!("json")),
        ("application/x-www-form-urlencoded", json!({"urlencoded": {}})),
        ("multipart/form-data", json!({"multipart": {}})),
    ] {
        let body = json!({"contentType": kind, "form": form, "required": true, "content": members});
        let binding = json!({"method": "POST", "retry": "never", "path": [{"literal": "/a"}], "body": body});
        let front = Front::new(&double.url, binding, any());
        let given = json!({"text": NASTY, "list": [NASTY, "b"], "number": -1.5, "flag": true, "object": {"a": [1, NASTY]}});
        assert_eq!(front.result(given.clone()).await.get("isError"), None);
        let seen = double.seen().pop().unwrap();
        let sent = String::from_utf8(seen.body.clone()).unwrap();
        let pairs: Vec<(String, String)> = match kind {
            "application/json" => {
                assert_eq!(serde_json::from_str::<Value>(&sent).unwrap(), given);
                continue;
            }
            "multipart/form-data" => {
                let boundary = seen
                    .field("content-type")
                    .unwrap()
                    .split_once("boundary=")
                    .unwrap()
                    .1;
                let separator = format!("--{boundary}");
                let parts = sent.split(&separator).filter(|part| part.contains("\r\n\r\n"));
                let read = |part: &str| {
                    let (head, value) = part.trim_start().split_once("\r\n\r\n").unwrap();
                    let name = head.split_once("name=\"").unwrap().1.split_once('"').unwrap().0;
                    (name.to_owned(), value.strip_suffix("\r\n").unwrap().to_owned())
                };
                parts.map(read).collect()
            }
            _ => url::form_urlencoded::parse(sent.as_bytes())
                .into_owned()
                .collect(),
        };
        let of = |name: &str| -> Vec<&str> {
            let own = pairs.iter().filter(|(known, _)| known == name);
            own.map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(of("text"), [NASTY], "{kind}");
        assert_eq!(of("list"), [NASTY, "b"], "{kind}");
        assert_eq!((of("number"), of("flag")), (vec!["-1.5"], vec!["true"]), "{kind}");
        let object: Value = serde_json::from_str(of("object")[0]).unwrap();
        assert_eq!(object, given["object"], "{kind}");
    }
}
