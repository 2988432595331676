//! Requests as they are written, by place, style and type; and that no argument leaves its place.

use serde_json::{Map, Value, json};

use super::*;
use crate::policy::Form;

mod laws;
mod styles;

/// A binding from its stored form.
fn binding(value: Value) -> Binding {
    serde_json::from_value(value).unwrap()
}

/// One parameter that takes the argument of its name.
fn parameter(place: &str, name: &str, style: &str, explode: bool) -> Value {
    json!({
        "place": place, "name": name, "source": {"argument": name},
        "encoding": {"styled": {"style": style, "explode": explode}},
    })
}

fn with(parameters: &[Value]) -> Binding {
    binding(json!({
        "method": "GET", "path": [{"literal": "/pets"}], "parameters": parameters, "retry": "safe",
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other}"),
    }
}

fn fill(binding: &Binding, arguments: Value) -> Result<RestRequest, Problems> {
    let arguments = object(arguments);
    request(
        binding,
        Filling {
            arguments: &arguments,
            turned: None,
            boundary: "b0undary",
            own: &[],
        },
    )
}

fn shown(form: Form) -> Credential {
    Credential {
        secret: "key".parse().unwrap(),
        form,
    }
}

fn places(problems: Result<RestRequest, Problems>) -> Vec<String> {
    problems
        .expect_err("it is refused")
        .into_iter()
        .map(|problem| problem.pointer)
        .collect()
}

fn in_path() -> Binding {
    binding(json!({
        "method": "GET",
        "path": [{"literal": "/pets/"}, {"parameter": "id"}, {"literal": "/toys"}],
        "parameters": [parameter("path", "id", "simple", false)],
        "retry": "safe",
    }))
}

#[test]
fn a_gw_7_a_path_argument_stays_one_segment() {
    for (argument, path) in [
        (json!("a/b"), "/pets/a%2Fb/toys"),
        (json!("a?b=c"), "/pets/a%3Fb%3Dc/toys"),
        (json!("a#b"), "/pets/a%23b/toys"),
        (json!("a%2Fb"), "/pets/a%252Fb/toys"),
        (json!("a%2e%2e"), "/pets/a%252e%252e/toys"),
        (json!("a\r\nX: y"), "/pets/a%0D%0AX%3A%20y/toys"),
        (json!("a\u{0}b"), "/pets/a%00b/toys"),
        (json!("a\\b;c"), "/pets/a%5Cb%3Bc/toys"),
        (json!("é"), "/pets/%C3%A9/toys"),
        (
            json!("http://evil.example/"),
            "/pets/http%3A%2F%2Fevil.example%2F/toys",
        ),
        (json!("@evil.example"), "/pets/%40evil.example/toys"),
        (json!("..."), "/pets/.../toys"),
        (json!(7), "/pets/7/toys"),
        (json!(-1.5), "/pets/-1.5/toys"),
        (json!(true), "/pets/true/toys"),
    ] {
        let request = fill(&in_path(), json!({"id": argument})).unwrap();
        assert_eq!(
            (request.path.as_str(), request.query.as_str()),
            (path, ""),
            "{argument}"
        );
    }
    for argument in [
        json!("."),
        json!(".."),
        // Many a proxy decodes the slashes and takes the steps.
        json!("../admin"),
        json!("a/../../admin"),
        json!("a\\..\\admin"),
        json!("..;x"),
        json!("a/..;x/b"),
        json!("a/."),
        json!(""),
        json!([]),
        json!(null),
        json!({}),
    ] {
        let refused = places(fill(&in_path(), json!({"id": argument})));
        assert_eq!(refused, ["/id"], "{argument}");
    }
    assert_eq!(places(fill(&in_path(), json!({}))), [""], "it is missing");
}

#[test]
fn dots_that_two_arguments_make_together_are_dots_as_well() {
    let two = binding(json!({
        "method": "GET",
        "path": [{"literal": "/a/"}, {"parameter": "x"}, {"parameter": "y"}, {"literal": "/b"}],
        "parameters": [parameter("path", "x", "simple", false), parameter("path", "y", "simple", false)],
        "retry": "safe",
    }));
    assert_eq!(places(fill(&two, json!({"x": ".", "y": "."}))), ["/y"]);
    assert_eq!(fill(&two, json!({"x": ".", "y": "a"})).unwrap().path, "/a/.a/b");
    assert_eq!(places(fill(&two, json!({"x": "../", "y": "a"}))), ["/x"]);
    assert_eq!(places(fill(&two, json!({"x": "a", "y": "/.."}))), ["/y"]);
}

#[test]
fn url_parameters_and_a_json_body_go_together() {
    let binding = binding(json!({
        "method": "PUT",
        "path": [{"literal": "/pets/"}, {"parameter": "id"}],
        "parameters": [
            parameter("path", "id", "simple", false),
            parameter("query", "dryRun", "form", true),
            parameter("header", "X-Trace", "simple", false),
        ],
        "body": {
            "contentType": "application/json", "form": "json", "required": true,
            "content": {"members": {"members": [
                {"name": "name", "source": {"argument": "name"}},
                {"name": "id", "source": {"argument": "body_id"}},
                {"name": "kind", "source": {"fixed": "cat"}},
                {"name": "age", "source": {"argument": "age"}, "default": 1},
            ]}},
        },
        "retry": "never",
    }));
    let arguments = json!({
        "id": "p 1", "dryRun": true, "X-Trace": "t", "name": "Ada", "body_id": 9, "kind": "dog", "extra": 1,
    });
    let request = fill(&binding, arguments).unwrap();
    assert_eq!(request.path, "/pets/p%201");
    assert_eq!(request.query, "dryRun=true");
    assert_eq!(request.headers["x-trace"], "t");
    let body = request.body.unwrap();
    assert_eq!(body.content_type, "application/json");
    let sent: Value = serde_json::from_slice(&body.bytes).unwrap();
    assert_eq!(sent, json!({"name": "Ada", "id": 9, "kind": "cat", "age": 1}));
}

#[test]
fn host_authorization_and_their_like_are_no_arguments() {
    for name in [
        "Host",
        "Authorization",
        "Cookie",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "content-type",
        "ACCEPT",
        "Proxy-Authorization",
        "Proxy-Connection",
        "X-Forwarded-For",
        "Upgrade",
        "TE",
        "Trailer",
        "Expect",
        "Mcp-Session-Id",
        "Sec-Fetch-Site",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Rewrite-URL",
        "True-Client-IP",
    ] {
        let binding = with(&[parameter("header", name, "simple", false)]);
        assert_eq!(
            places(fill(&binding, json!({name: "evil.example"}))),
            [pointer(name)],
            "{name}"
        );
        assert!(fill(&binding, json!({})).unwrap().headers.is_empty());
        let mut fixed = parameter("header", name, "simple", false);
        fixed["source"] = json!({"fixed": "evil.example"});
        assert!(
            fill(&with(&[fixed]), json!({})).unwrap().headers.is_empty(),
            "{name}"
        );
    }
}

#[test]
fn header_values_that_would_end_their_line_are_refused() {
    let binding = with(&[parameter("header", "X-A", "simple", false)]);
    for bad in [
        json!("a\r\nHost: evil"),
        json!("a\nb"),
        json!("a\rb"),
        json!("a\u{0}"),
        json!("\u{7f}"),
        json!("é"),
        json!(" a"),
        json!("a\t"),
        json!(["a,b", "c"]),
        json!({"a=b": "c"}),
        json!({"a": "b,c"}),
    ] {
        assert_eq!(places(fill(&binding, json!({"X-A": bad}))), ["/X-A"], "{bad}");
    }
    for (good, value) in [
        (json!("a, b"), "a, b"),
        (json!(""), ""),
        (json!(1.5), "1.5"),
        (json!(["a", 1, null, true]), "a,1,true"),
        (json!({"R": 1, "G": 2}), "R,1,G,2"),
    ] {
        let request = fill(&binding, json!({"X-A": good})).unwrap();
        assert_eq!(request.headers["x-a"], value);
    }
}

#[test]
fn an_exploded_object_sets_no_other_parameter() {
    let binding = with(&[
        parameter("query", "filter", "form", true),
        parameter("query", "tenant", "form", true),
    ]);
    let refused = fill(&binding, json!({"filter": {"tenant": "other"}, "tenant": "mine"}));
    assert_eq!(places(refused), ["/filter"]);
    let request = fill(
        &binding,
        json!({"filter": {"a&tenant": "x=y&z"}, "tenant": "mine"}),
    )
    .unwrap();
    assert_eq!(request.query, "a%26tenant=x%3Dy%26z&tenant=mine");
}

#[test]
fn an_exploded_object_in_a_cookie_sets_no_other_cookie_and_not_the_credential() {
    let binding = with(&[
        parameter("cookie", "view", "form", true),
        parameter("cookie", "tenant", "cookie", true),
    ]);
    let fill = |arguments: Value| {
        let arguments = object(arguments);
        let filling = Filling {
            arguments: &arguments,
            turned: None,
            boundary: "b0undary",
            own: &[shown(Form::Cookie("session".to_owned()))],
        };
        request(&binding, filling)
    };
    assert_eq!(places(fill(json!({"view": {"tenant": "other"}}))), ["/view"]);
    assert_eq!(places(fill(json!({"view": {"Session": "mine"}}))), ["/view"]);
    assert_eq!(places(fill(json!({"tenant": {"session": "mine"}}))), ["/tenant"]);
    let request = fill(json!({"view": {"page": 2}})).unwrap();
    assert_eq!(request.headers["cookie"], "page=2");
}

#[test]
fn a_query_as_a_whole_does_not_hold_the_credential() {
    let mut whole = parameter("querystring", "q", "form", true);
    whole["encoding"] = json!({"content": {"mediaType": "application/x-www-form-urlencoded"}});
    let binding = with(&[whole, parameter("query", "page", "form", true)]);
    let fill = |query: Value| {
        let arguments = object(json!({"q": query}));
        let filling = Filling {
            arguments: &arguments,
            turned: None,
            boundary: "b0undary",
            own: &[shown(Form::Query("api_key".to_owned()))],
        };
        request(&binding, filling)
    };
    assert_eq!(places(fill(json!({"API_KEY": "mine"}))), ["/q"]);
    assert_eq!(places(fill(json!({"page": 3}))), ["/q"]);
    assert_eq!(places(fill(json!("api_key"))), ["/q"]);
    assert_eq!(
        fill(json!({"a": "b&api_key=c"})).unwrap().query,
        "a=b%26api_key%3Dc"
    );
}

#[test]
fn an_exploded_member_of_a_form_sets_no_other_member() {
    let binding = binding(json!({
        "method": "POST", "path": [{"literal": "/pets"}], "retry": "never",
        "body": {
            "contentType": "application/x-www-form-urlencoded", "required": true,
            "form": {"urlencoded": {"members": {
                "filter": {"styled": {"style": "form", "explode": true, "allowReserved": true}},
            }}},
            "content": {"members": {"members": [
                {"name": "filter", "source": {"argument": "filter"}},
                {"name": "tenant", "source": {"fixed": "mine"}},
                {"name": "kind", "source": {"argument": "kind"}},
            ], "withheld": ["owner"]}},
        },
    }));
    for name in ["tenant", "owner", "kind"] {
        let refused = fill(&binding, json!({"filter": {name: "other"}}));
        assert_eq!(places(refused), ["/filter"], "{name}");
    }
    let request = fill(&binding, json!({"filter": {"a": "b/c"}})).unwrap();
    assert_eq!(request.body.unwrap().bytes, "a=b/c&tenant=mine");
}

#[test]
fn what_is_withheld_is_taken_from_no_argument() {
    let binding = binding(json!({
        "method": "POST", "path": [{"literal": "/pets"}], "retry": "never",
        "body": {
            "contentType": "application/json", "form": "json", "required": true,
            "content": {"members": {"members": [{"name": "name", "source": {"argument": "name"}}],
                "extra": "sent", "withheld": ["owner"]}},
        },
    }));
    let refused = fill(&binding, json!({"name": "Ada", "owner": "eve"}));
    assert_eq!(places(refused), ["/owner"]);
    let request = fill(&binding, json!({"name": "Ada", "age": 3})).unwrap();
    let sent: Value = serde_json::from_slice(&request.body.unwrap().bytes).unwrap();
    assert_eq!(sent, json!({"name": "Ada", "age": 3}));
}

#[test]
fn a_body_as_a_whole_may_have_a_default() {
    let binding = binding(json!({
        "method": "POST", "path": [{"literal": "/pets"}], "retry": "never",
        "body": {"contentType": "application/json", "form": "json", "required": false,
            "content": {"whole": {"argument": "body"}}, "default": [1]},
    }));
    let sent = |arguments: Value| fill(&binding, arguments).unwrap().body.unwrap().bytes;
    assert_eq!(sent(json!({})), "[1]");
    assert_eq!(sent(json!({"body": [2]})), "[2]");
}

#[test]
fn all_problems_are_told_at_once() {
    let binding = binding(json!({
        "method": "POST",
        "path": [{"literal": "/"}, {"parameter": "id"}],
        "parameters": [
            parameter("path", "id", "simple", false),
            parameter("header", "Host", "simple", false),
            parameter("header", "X-A", "simple", false),
        ],
        "body": {"contentType": "image/png", "form": "base64", "required": true, "content": {"whole": {"argument": "image"}}},
        "retry": "never",
    }));
    let refused = fill(
        &binding,
        json!({"id": "..", "Host": "h", "X-A": "\n", "image": "!"}),
    );
    assert_eq!(places(refused), ["/id", "/Host", "/X-A", "/image"]);
}
