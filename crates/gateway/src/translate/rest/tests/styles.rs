//! Each style with each type, against the tables of OpenAPI ("Style Examples") and RFC 6570; and each form of body.

use serde_json::{Value, json};

use super::{binding, fill, parameter, places, with};

fn color() -> [(&'static str, Value); 4] {
    [
        ("empty", json!("")),
        ("string", json!("blue")),
        ("array", json!(["blue", "black", "brown"])),
        ("object", json!({"R": 100, "G": 200, "B": 150})),
    ]
}

#[test]
fn queries_are_written_as_the_tables_say() {
    let rows = [
        (
            "form",
            true,
            [
                "color=",
                "color=blue",
                "color=blue&color=black&color=brown",
                "R=100&G=200&B=150",
            ],
        ),
        (
            "form",
            false,
            [
                "color=",
                "color=blue",
                "color=blue,black,brown",
                "color=R,100,G,200,B,150",
            ],
        ),
        (
            "spaceDelimited",
            false,
            [
                "color=",
                "color=blue",
                "color=blue%20black%20brown",
                "color=R%20100%20G%20200%20B%20150",
            ],
        ),
        (
            "pipeDelimited",
            false,
            [
                "color=",
                "color=blue",
                "color=blue%7Cblack%7Cbrown",
                "color=R%7C100%7CG%7C200%7CB%7C150",
            ],
        ),
        (
            "tabDelimited",
            false,
            [
                "color=",
                "color=blue",
                "color=blue%09black%09brown",
                "color=R%09100%09G%09200%09B%09150",
            ],
        ),
        (
            "deepObject",
            true,
            [
                "color=",
                "color=blue",
                "color%5B0%5D=blue&color%5B1%5D=black&color%5B2%5D=brown",
                "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
            ],
        ),
    ];
    for (style, explode, wanted) in rows {
        for ((kind, value), wanted) in color().into_iter().zip(wanted) {
            let request = fill(
                &with(&[parameter("query", "color", style, explode)]),
                json!({"color": value}),
            );
            assert_eq!(request.unwrap().query, wanted, "{style} {explode} {kind}");
        }
    }
}

#[test]
fn paths_are_written_as_the_tables_say() {
    let rows = [
        ("simple", false, ["blue", "blue,black,brown", "R,100,G,200,B,150"]),
        ("simple", true, ["blue", "blue,black,brown", "R=100,G=200,B=150"]),
        (
            "label",
            false,
            [".blue", ".blue,black,brown", ".R,100,G,200,B,150"],
        ),
        (
            "label",
            true,
            [".blue", ".blue.black.brown", ".R=100.G=200.B=150"],
        ),
        (
            "matrix",
            false,
            [
                ";color=blue",
                ";color=blue,black,brown",
                ";color=R,100,G,200,B,150",
            ],
        ),
        (
            "matrix",
            true,
            [
                ";color=blue",
                ";color=blue;color=black;color=brown",
                ";R=100;G=200;B=150",
            ],
        ),
    ];
    for (style, explode, wanted) in rows {
        let binding = binding(json!({
            "method": "GET", "path": [{"literal": "/x/"}, {"parameter": "color"}], "retry": "safe",
            "parameters": [parameter("path", "color", style, explode)],
        }));
        for ((kind, value), wanted) in color().into_iter().skip(1).zip(wanted) {
            let request = fill(&binding, json!({"color": value})).unwrap();
            assert_eq!(request.path, format!("/x/{wanted}"), "{style} {explode} {kind}");
        }
    }
}

#[test]
fn cookies_are_written_as_the_tables_say() {
    let rows = [
        (
            "form",
            false,
            ["color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"],
        ),
        (
            "form",
            true,
            [
                "color=blue",
                "color=blue; color=black; color=brown",
                "R=100; G=200; B=150",
            ],
        ),
        (
            "cookie",
            true,
            [
                "color=blue",
                "color=blue; color=black; color=brown",
                "R=100; G=200; B=150",
            ],
        ),
    ];
    for (style, explode, wanted) in rows {
        for ((kind, value), wanted) in color().into_iter().skip(1).zip(wanted) {
            let request = fill(
                &with(&[parameter("cookie", "color", style, explode)]),
                json!({"color": value}),
            );
            assert_eq!(
                request.unwrap().headers["cookie"],
                wanted,
                "{style} {explode} {kind}"
            );
        }
    }
    let two = with(&[
        parameter("cookie", "a", "form", false),
        parameter("cookie", "b", "form", false),
    ]);
    let request = fill(&two, json!({"a": "x; b=evil\r\n", "b": 1})).unwrap();
    assert_eq!(request.headers["cookie"], "a=x%3B%20b%3Devil%0D%0A; b=1");
    let raw = with(&[parameter("cookie", "a", "cookie", true)]);
    for bad in ["x; b=evil", "a b", "a\r\n", "\"", "é", "a,b", "\\"] {
        assert_eq!(places(fill(&raw, json!({"a": bad}))), ["/a"], "{bad:?}");
    }
}

#[test]
fn what_separates_elements_stays_outside_of_them() {
    for (style, element) in [
        ("spaceDelimited", "a b"),
        ("pipeDelimited", "a|b"),
        ("tabDelimited", "a\tb"),
    ] {
        let binding = with(&[parameter("query", "x", style, false)]);
        assert_eq!(
            places(fill(&binding, json!({"x": [element, "c"]}))),
            ["/x"],
            "{style}"
        );
    }
    let binding = with(&[parameter("query", "x", "form", false)]);
    assert_eq!(
        fill(&binding, json!({"x": ["a,b", "c"]})).unwrap().query,
        "x=a%2Cb,c"
    );
    let deep = with(&[parameter("query", "x", "deepObject", true)]);
    let nested = json!({"x": {"a": {"b": [1, {"c": "d&e"}]}, "n": null}});
    assert_eq!(
        fill(&deep, nested).unwrap().query,
        "x%5Ba%5D%5Bb%5D%5B0%5D=1&x%5Ba%5D%5Bb%5D%5B1%5D%5Bc%5D=d%26e"
    );
    assert_eq!(places(fill(&deep, json!({"x": {"a][b": 1}}))), ["/x"]);
}

#[test]
fn reserved_characters_stay_where_the_description_wants_them() {
    let mut parameter = parameter("query", "x", "form", true);
    parameter["encoding"]["styled"]["allowReserved"] = json!(true);
    let request = fill(&with(&[parameter]), json!({"x": ":/?#[]@!$&'()*+,;= %\r\n"})).unwrap();
    assert_eq!(request.query, "x=:/?%23[]@!$%26'()*%2B,;=%20%25%0D%0A");
}

#[test]
fn content_is_one_value() {
    for place in ["query", "header", "cookie"] {
        let mut parameter = parameter(place, "x", "simple", false);
        parameter["encoding"] = json!({"content": {"mediaType": "application/json"}});
        let request = fill(&with(&[parameter]), json!({"x": {"a": [1, "b&c"]}})).unwrap();
        let encoded = "%7B%22a%22%3A%5B1%2C%22b%26c%22%5D%7D";
        match place {
            "query" => assert_eq!(request.query, format!("x={encoded}")),
            "header" => assert_eq!(request.headers["x"], r#"{"a":[1,"b&c"]}"#),
            _ => assert_eq!(request.headers["cookie"], format!("x={encoded}")),
        }
    }
}

fn body(form: &Value, content: &Value, kind: &str) -> super::Binding {
    binding(json!({
        "method": "POST", "path": [{"literal": "/x"}], "retry": "never",
        "body": {"contentType": kind, "form": form, "content": content, "required": false},
    }))
}

fn sent(binding: &super::Binding, arguments: Value) -> Option<(String, String)> {
    fill(binding, arguments).unwrap().body.map(|body| {
        (
            body.content_type.to_str().unwrap().to_owned(),
            String::from_utf8(body.bytes.to_vec()).unwrap(),
        )
    })
}

#[test]
fn bodies_are_sent_whole_or_in_members_or_not_at_all() {
    let whole = json!({"whole": {"argument": "body"}});
    let json_body = body(&json!("json"), &whole, "application/json");
    assert_eq!(sent(&json_body, json!({})), None);
    let (kind, text) = sent(&json_body, json!({"body": [1, {"a": null}]})).unwrap();
    assert_eq!(
        (kind.as_str(), text.as_str()),
        ("application/json", r#"[1,{"a":null}]"#)
    );
    let text = body(&json!("text"), &whole, "text/plain; charset=utf-8");
    assert_eq!(sent(&text, json!({"body": "a\r\nb"})).unwrap().1, "a\r\nb");
    let bytes = body(&json!("base64"), &whole, "image/png");
    assert_eq!(sent(&bytes, json!({"body": "aGVsbG8"})).unwrap().1, "hello");
    assert_eq!(sent(&bytes, json!({"body": "aGVs\nbG8="})).unwrap().1, "hello");
    assert_eq!(places(fill(&bytes, json!({"body": "%%"}))), ["/body"]);
    let members =
        json!({"members": {"members": [{"name": "a", "source": {"argument": "a"}}], "extra": "sent"}});
    let open = body(&json!("json"), &members, "application/json");
    assert_eq!(sent(&open, json!({})), None);
    assert_eq!(
        sent(&open, json!({"a": 1, "b": 2})).unwrap().1,
        r#"{"a":1,"b":2}"#
    );
}

#[test]
fn forms_hold_whatever_is_put_into_them() {
    let members = json!({"whole": {"argument": "body"}});
    let form = json!({"urlencoded": {"members": {
        "tags": {"styled": {"style": "form", "explode": false}},
        "deep": {"styled": {"style": "deepObject", "explode": true}},
    }}});
    let form = body(&form, &members, "application/x-www-form-urlencoded");
    let value = json!({"a&b": "c=d e+f\r\n", "tags": ["x", "y,z"], "deep": {"k": {"l": 1}}, "more": [1, 2], "o": {"p": 1}});
    let (_, text) = sent(&form, json!({"body": value})).unwrap();
    assert_eq!(
        text,
        "a%26b=c%3Dd%20e%2Bf%0D%0A&tags=x,y%2Cz&deep%5Bk%5D%5Bl%5D=1&more=1&more=2&o=%7B%22p%22%3A1%7D"
    );
}

#[test]
fn parts_end_neither_their_names_nor_their_heads() {
    let whole = json!({"whole": {"argument": "body"}});
    let form = json!({"multipart": {"parts": {"file": {"contentType": "image/png", "base64": true}}}});
    let form = body(&form, &whole, "multipart/form-data");
    let value =
        json!({"file": "aGk=", "a\"\r\nX: y": "v\r\n--b0undary", "o": {"p": 1}, "list": [1, "z"], "n": null});
    let (kind, text) = sent(&form, json!({"body": value})).unwrap();
    assert_eq!(kind, "multipart/form-data; boundary=b0undary");
    let wanted = "--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\nContent-Type: image/png\r\n\r\nhi\r\n\
        --b0undary\r\nContent-Disposition: form-data; name=\"a%22%0D%0AX: y\"\r\n\r\nv\r\n--b0undary\r\n\
        --b0undary\r\nContent-Disposition: form-data; name=\"o\"\r\nContent-Type: application/json\r\n\r\n{\"p\":1}\r\n\
        --b0undary\r\nContent-Disposition: form-data; name=\"list\"\r\n\r\n1\r\n\
        --b0undary\r\nContent-Disposition: form-data; name=\"list\"\r\n\r\nz\r\n\
        --b0undary--\r\n";
    assert_eq!(text, wanted);
}
