//! What answers come to: structured content, text, media, bytes; shaped, and joined from pages.

use serde_json::{Value, json};

use super::{Double, Front, Seen, answered, any, get, ok_json, text};

async fn said(answer: String, binding: Value) -> Value {
    let double = Double::start(move |_: &Seen, _| answer.clone()).await;
    Front::new(&double.url, binding, any()).result(json!({})).await
}

#[tokio::test]
async fn json_is_structured_content_and_text_as_the_binding_says() {
    let body = r#"{"a": [1.50, "é\u2028"], "big": 12345678901234567890}"#;
    let answer = answered(
        "200 OK",
        "content-type: application/vnd.acme+json; charset=utf-8\r\n",
        body,
    );
    let plain = said(answer.clone(), get(json!({}))).await;
    assert_eq!((text(&plain), plain.get("structuredContent")), (body, None));
    let whole = said(answer.clone(), get(json!({"answers": {"structured": "object"}}))).await;
    assert_eq!(text(&whole), body, "as the API wrote it");
    assert_eq!(whole["structuredContent"]["a"][0], json!(1.5));
    let wrapped = said(
        answer,
        get(json!({"answers": {"structured": {"wrapped": "result"}}})),
    )
    .await;
    assert_eq!(wrapped["structuredContent"]["result"]["a"][1], "é\u{2028}");
    assert_eq!(text(&wrapped), format!("{{\"result\":{body}}}"));
    // An array where an object was promised: hosts that check would throw the result away.
    let other = said(
        ok_json(&json!([1, 2])),
        get(json!({"answers": {"structured": "object"}})),
    )
    .await;
    assert_eq!(other["isError"], true);
    assert_eq!(other["content"][1]["text"], "[1,2]");
}

#[tokio::test]
async fn nothing_is_said_so() {
    let empty = "HTTP/1.1 204 No Content\r\n\r\n".to_owned();
    let result = said(empty.clone(), get(json!({}))).await;
    assert_eq!(text(&result), "Done: the API answered 204 without content.");
    assert_eq!(result.get("isError"), None);
    let wrapped = said(empty, get(json!({"answers": {"structured": {"wrapped": "pet"}}}))).await;
    assert_eq!(wrapped["structuredContent"], json!({"pet": null}));
}

#[tokio::test]
async fn texts_images_sounds_and_bytes_are_what_they_are() {
    let of = |kind: &str, body: &str| answered("200 OK", &format!("content-type: {kind}\r\n"), body);
    let xml = said(of("application/xml", "<a/>"), get(json!({}))).await;
    assert_eq!(text(&xml), "<a/>");
    let latin = said(of("text/plain; charset=ISO-8859-1", "abc"), get(json!({}))).await;
    assert_eq!(text(&latin), "abc");
    let image = said(of("image/png", "hi"), get(json!({}))).await;
    assert_eq!(
        image["content"],
        json!([{"type": "image", "data": "aGk=", "mimeType": "image/png"}])
    );
    let sound = said(of("audio/wav", "hi"), get(json!({}))).await;
    assert_eq!(
        sound["content"],
        json!([{"type": "audio", "data": "aGk=", "mimeType": "audio/wav"}])
    );
    let bytes = said(of("application/pdf", "hi"), get(json!({}))).await;
    assert_eq!(
        bytes["content"],
        json!([{"type": "resource", "resource": {"uri": "rest:///petstore/do", "mimeType": "application/pdf", "blob": "aGk="}}])
    );
    let broken = said(of("application/json", "{"), get(json!({}))).await;
    assert_eq!(text(&broken), "{");
}

#[tokio::test]
async fn answers_are_shaped_and_say_what_was_left_out() {
    let items: Vec<_> = (0..10)
        .map(|number| json!({"id": number, "name": format!("n{number}"), "secret": {"k": "x"}}))
        .collect();
    let answer = ok_json(&json!({"data": items, "total": 10, "more": {"deep": 1}}));
    let shape = json!({"pick": ["/data/*/id", "/total"], "mostItems": 3, "items": "/data"});
    let binding = get(json!({
        "shape": shape,
        "parameters": [{"place": "query", "name": "page", "source": {"argument": "page"}, "encoding": {"styled": {"style": "form", "explode": true}}}],
        "answers": {"structured": "object"},
    }));
    let result = said(answer.clone(), binding).await;
    assert_eq!(
        result["structuredContent"],
        json!({"data": [{"id": 0}, {"id": 1}, {"id": 2}], "total": 10})
    );
    assert_eq!(
        result["content"][1]["text"],
        "3 of 10 elements are shown; ask for the rest with `page`."
    );
    let small = get(json!({"shape": {"mostBytes": 200, "items": "/data"}}));
    let result = said(answer, small).await;
    assert!(text(&result).len() <= 200, "{}", text(&result));
    let shown: Value = serde_json::from_str(text(&result)).unwrap();
    let count = shown["data"].as_array().unwrap().len();
    assert!((1..10).contains(&count));
    assert!(
        result["content"][1]["text"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{count} of 10"))
    );
    let long = answered("200 OK", "content-type: text/plain\r\n", &"é".repeat(1_000));
    let cut = said(long, get(json!({"shape": {"mostBytes": 101}}))).await;
    assert_eq!(text(&cut), format!("{}…", "é".repeat(50)));
    assert!(
        cut["content"][1]["text"]
            .as_str()
            .unwrap()
            .contains("of 2000 bytes")
    );
}

fn query(seen: &Seen, name: &str) -> Option<u64> {
    let query = seen.line.split(['?', ' ']).nth(2)?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}="))?.parse().ok())
}

#[tokio::test]
async fn pages_are_followed_and_joined_within_their_bound() {
    let page = |number: u64| json!([number * 2, number * 2 + 1]);
    let counted =
        get(json!({"paging": {"kind": {"page": {"parameter": "page", "first": 1}}, "mostPages": 10}}));
    let double = Double::start(move |seen: &Seen, _| {
        let number = query(seen, "page").unwrap_or(1);
        ok_json(&if number <= 3 { page(number) } else { json!([]) })
    })
    .await;
    let result = Front::new(&double.url, counted, any()).result(json!({})).await;
    assert_eq!(text(&result), "[2,3,4,5,6,7]");
    assert_eq!(double.seen().len(), 4);

    let tokens = get(
        json!({"paging": {"kind": {"cursor": {"next": "/next", "parameter": "after"}}, "items": "/data", "mostPages": 2}}),
    );
    let double = Double::start(move |seen: &Seen, _| {
        let number = query(seen, "after").unwrap_or(0);
        ok_json(&json!({"data": page(number), "next": (number + 1).to_string()}))
    })
    .await;
    let result = Front::new(&double.url, tokens, any()).result(json!({})).await;
    let joined: Value = serde_json::from_str(text(&result)).unwrap();
    assert_eq!(joined["data"], json!([0, 1, 2, 3]));
    assert_eq!(double.seen().len(), 2);

    let offset = get(json!({"paging": {"kind": {"offset": {"parameter": "skip"}}, "mostPages": 9}}));
    let double = Double::start(move |seen: &Seen, _| {
        let skip = query(seen, "skip").unwrap_or(0);
        ok_json(&if skip < 4 { page(skip) } else { json!([]) })
    })
    .await;
    let result = Front::new(&double.url, offset, any()).result(json!({})).await;
    assert_eq!(text(&result), "[0,1,4,5]");
}

#[tokio::test]
async fn a_link_is_followed_on_its_own_origin_below_the_base_path_alone() {
    let links = |target: &'static str, most: usize| {
        move |seen: &Seen, number: usize| {
            let host = seen.field("host").unwrap();
            let link = target.replace("HOST", host);
            let field = if number < most {
                format!("link: <{link}>; rel=\"prev next\"\r\n")
            } else {
                String::new()
            };
            answered(
                "200 OK",
                &format!("content-type: application/json\r\n{field}"),
                &json!([number]).to_string(),
            )
        }
    };
    let binding = || get(json!({"paging": {"kind": "link", "mostPages": 5}}));
    for (target, line) in [
        (
            "http://HOST/base/v2/items?page=2",
            "GET /base/v2/items?page=2 HTTP/1.1",
        ),
        ("?page=2", "GET /base/v2/items?page=2 HTTP/1.1"),
        ("/base/v2/other", "GET /base/v2/other HTTP/1.1"),
        (
            "?ids=1,2;x>; rel=\"up\", <?ids=3,4",
            "GET /base/v2/items?ids=3,4 HTTP/1.1",
        ),
        (
            "?ids=1>; title=\"a, <b>; rel=next\"; Rel=\"up\", <?ids=5",
            "GET /base/v2/items?ids=5 HTTP/1.1",
        ),
    ] {
        let double = Double::start(links(target, 2)).await;
        let result = Front::new(&double.url, binding(), any()).result(json!({})).await;
        assert_eq!(text(&result), "[1,2]", "{target}");
        assert_eq!(double.seen()[1].line, line);
    }
    for target in [
        "http://127.0.0.1:1/base/v2/items",
        "https://HOST/base/v2/items",
        "/base/v2evil",
        "/base/v2/../../admin",
        "//evil.example/base/v2",
        "/admin",
    ] {
        let double = Double::start(links(target, 2)).await;
        let result = Front::new(&double.url, binding(), any()).result(json!({})).await;
        assert_eq!((text(&result), double.seen().len()), ("[1]", 1), "{target}");
    }
}
