//! Whatever the arguments are: what is sent parses, with a parser that is not ours, into them again, and path, number of
//! segments and number of fields are what the binding says.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::Url;

use super::{binding, fill, law, parameter};

fn everywhere() -> super::Binding {
    binding(json!({
        "method": "POST",
        "path": [{"literal": "/v1/a/"}, {"parameter": "p"}, {"literal": "/b"}],
        "parameters": [
            parameter("path", "p", "simple", false),
            parameter("query", "q", "form", true),
            parameter("query", "list", "form", true),
            parameter("query", "deep", "deepObject", true),
            parameter("header", "X-H", "simple", false),
            parameter("cookie", "c", "form", false),
        ],
        "body": {
            "contentType": "application/x-www-form-urlencoded", "form": {"urlencoded": {}}, "required": true,
            "content": {"members": {"members": [{"name": "f", "source": {"argument": "f"}}], "extra": "sent"}},
        },
        "retry": "never",
    }))
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let url = Url::parse(&format!("http://api.example/?{text}")).unwrap();
    url.query_pairs().into_owned().collect()
}

proptest! {
    #[test]
    fn arguments_come_out_as_they_went_in(
        p in any::<String>(), q in any::<String>(), list in prop::collection::vec(any::<String>(), 1..4),
        key in any::<String>(), header in any::<String>(), cookie in any::<String>(), form in any::<String>(),
        more in any::<String>(),
    ) {
        let claimed = ["p", "q", "list", "deep", "X-H", "c", "f"];
        prop_assume!(!claimed.contains(&more.as_str()));
        let mut arguments = json!({
            "p": p, "q": q, "list": list, "deep": {key.clone(): q}, "X-H": header, "c": cookie, "f": form,
        });
        arguments[more.as_str()] = json!(q);
        let request = match fill(&everywhere(), arguments) {
            Ok(request) => request,
            Err(problems) => {
                // Only what has no safe form is refused, and it is told where that is.
                for problem in problems {
                    let reason = match problem.pointer.as_str() {
                        "/p" => {
                            let component = |one: &str| one.split(';').next().map(str::to_owned);
                            let is_step = |one: &str| matches!(component(one).as_deref(), Some("." | ".."));
                            p.is_empty() || p.split(['/', '\\']).any(is_step)
                        }
                        "/deep" => key.contains(['[', ']']),
                        "/X-H" => {
                            header.trim_matches([' ', '\t']) != header
                                || !header.bytes().all(|byte| byte == b'\t' || (0x20..=0x7e).contains(&byte))
                        }
                        _ => false,
                    };
                    prop_assert!(reason, "{problem:?}");
                }
                return Ok(());
            }
        };
        // A parser of URLs that normalizes what it can normalize.
        let whole = format!("https://api.example:8443/base{}?{}", request.path, request.query);
        let url = Url::parse(&whole).unwrap();
        prop_assert_eq!(url.origin().ascii_serialization(), "https://api.example:8443");
        prop_assert_eq!(url.fragment(), None);
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 5, "{:?}", segments);
        prop_assert_eq!((segments[0], segments[1], segments[2], segments[4]), ("base", "v1", "a", "b"));
        let decoded = percent_encoding::percent_decode_str(segments[3]).decode_utf8().unwrap();
        prop_assert_eq!(&*decoded, p.as_str());

        let mut wanted = vec![("q".to_owned(), q.clone())];
        wanted.extend(list.iter().map(|one| ("list".to_owned(), one.clone())));
        wanted.push((format!("deep[{key}]"), q.clone()));
        prop_assert_eq!(url.query_pairs().into_owned().collect::<Vec<_>>(), wanted);

        prop_assert_eq!(request.headers.len(), 2);
        prop_assert_eq!(request.headers["x-h"].to_str().unwrap(), header.as_str());
        let cookies = request.headers["cookie"].to_str().unwrap();
        let (name, value) = cookies.split_once('=').unwrap();
        let value = percent_encoding::percent_decode_str(value).decode_utf8().unwrap();
        prop_assert_eq!((name, &*value), ("c", cookie.as_str()));
        prop_assert!(!cookies.contains([';', ' ', '\r', '\n']));

        let body = request.body.unwrap();
        let text = std::str::from_utf8(&body.bytes).unwrap();
        prop_assert_eq!(pairs(text), vec![("f".to_owned(), form), (more, q)]);
    }

    #[test]
    fn nothing_leaves_its_place_whatever_its_type(arguments in anything(4)) {
        law::law(arguments.to_string().as_bytes());
    }
}

/// Arguments of every name that means something here, with values of every type.
fn anything(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof![
            "[ -~]{0,8}",
            ".{0,6}",
            Just("..".to_owned()),
            Just("a\r\nb".to_owned())
        ]
        .prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names(), inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    });
    prop::collection::vec((names(), value), 0..12).prop_map(|members| {
        // Without these three there is no request.
        let mut all = Map::new();
        for name in ["simple", "matrix", "label"] {
            all.insert(name.to_owned(), json!("x"));
        }
        all.extend(members);
        Value::Object(all)
    })
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "simple", "matrix", "label", "form", "kept", "pipes", "deep", "json", "fixed", "header", "host",
            "cookie", "raw", "mine",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ]
}
