//! The route as an OAuth resource server: A-RS-1 to A-RS-12, as far as API keys go. A-RS-10 and A-RS-11 have their main
//! tests in `gateway`.

use serde_json::{Value, json};

use crate::served::{Served, error_of, with};
use crate::upstream::Speaks;
use crate::web::Answer;
use crate::wire::Wire;

const UNKNOWN: &str = "prv_00000000000000000000000000000000_x";

fn challenge(served: &Served) -> String {
    let metadata = format!(
        "{}/.well-known/oauth-protected-resource/s/{}/mcp",
        served.node.url, served.slug
    );
    let slug = &served.slug;
    format!("Bearer resource_metadata=\"{metadata}\", scope=\"{slug}:read {slug}:write\"")
}

fn bearer(key: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {key}"))
}

/// Nothing of the server may stand in the refusal.
fn tells_nothing(answer: &Answer) {
    let text = answer.text();
    for word in ["echo", "wipe", "slow", "com.acme", "scripted"] {
        assert!(!text.contains(word), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_1_a_rs_7_no_credential_is_challenged_on_every_verb() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    let reached = served.reached();
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let session = with(&host.headers, "authorization", None);
    for (verb, headers, body) in [
        ("POST", with(&headers, "authorization", None), body.as_str()),
        (
            "POST",
            session.clone(),
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        ),
        ("POST", session.clone(), "nonsense"),
        ("GET", session.clone(), ""),
        ("DELETE", session, ""),
        ("GET", Vec::new(), ""),
    ] {
        let answer = served.ask(verb, &headers, body).await;
        assert_eq!(
            error_of(&answer),
            (401, json!(-32600), Value::Null, Value::Null),
            "{verb} {body}"
        );
        assert_eq!(
            answer.header("www-authenticate"),
            challenge(&served),
            "{verb}: and no `error`"
        );
        tells_nothing(&answer);
    }
    assert_eq!(served.reached(), reached);
    let answer = host.request(json!(1), "ping", json!({})).await;
    assert_eq!(answer.status, 200, "the session was not ended by a stranger");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_2_a_bad_credential_is_told_apart_from_none() {
    let served = Served::start(Speaks::Both).await;
    let host = served.legacy().await;
    let good = served.node.new_key("revoked");
    served
        .node
        .cli_json(&["grant", "add", "--key", "revoked", "--all-servers"]);
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let with_key = |key: &str| with(&headers, "authorization", Some(&format!("Bearer {key}")));
    assert_eq!(served.ask("POST", &with_key(&good), &body).await.status, 200);
    served.node.cli_json(&["key", "revoke", "revoked"]);
    let begun = std::time::Instant::now();
    while served.ask("POST", &with_key(&good), &body).await.status == 200 {
        assert!(begun.elapsed().as_secs() < 5, "a revoked key works on");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let (front, _) = served.node.key.split_at(served.node.key.len() - 1);
    let long = "x".repeat(10_000);
    let reached = served.reached();
    for (name, value) in [
        ("unknown", format!("Bearer {UNKNOWN}")),
        ("revoked", format!("Bearer {good}")),
        ("cut short", format!("Bearer {front}")),
        ("one more letter", format!("Bearer {}x", served.node.key)),
        ("no key", "Bearer ".to_owned()),
        ("no scheme", served.node.key.clone()),
        (
            "a JWT that nobody signed",
            "Bearer eyJhbGciOiJub25lIn0.e30.".to_owned(),
        ),
        ("long", format!("Bearer {long}")),
        ("A-RS-6: Basic", "Basic YWRtaW46YWRtaW4=".to_owned()),
        ("A-RS-6: Basic with the key", format!("Basic {}", served.node.key)),
    ] {
        for (verb, headers, body) in [
            ("POST", &headers, body.as_str()),
            ("GET", &host.headers, ""),
            ("DELETE", &host.headers, ""),
        ] {
            let answer = served
                .ask(verb, &with(headers, "authorization", Some(&value)), body)
                .await;
            assert_eq!(answer.status, 401, "{verb}, {name}: {}", answer.text());
            let expected = format!("{}, error=\"invalid_token\"", challenge(&served));
            assert_eq!(answer.header("www-authenticate"), expected, "{verb}, {name}");
            tells_nothing(&answer);
        }
    }
    assert_eq!(served.reached(), reached);
    let spelled = with(
        &headers,
        "authorization",
        Some(&format!("bEARER {}", served.node.key)),
    );
    assert_eq!(
        served.ask("POST", &spelled, &body).await.status,
        200,
        "schemes have no case"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_5_a_credential_in_the_query_counts_for_nothing_and_is_written_nowhere() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let served = Served::start_with(&["--metrics-listen", &port.to_string()], Speaks::Both).await;
    let host = served.legacy().await;
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let keyless = with(&headers, "authorization", None);
    let session = with(&host.headers, "authorization", None);
    let key = &served.node.key;
    let web = &served.node.web;
    for secret in ["leaked-4711", key.as_str()] {
        for query in [
            format!("access_token={secret}"),
            format!("api_key={secret}&x={secret}"),
        ] {
            let url = format!("{}?{query}", served.url);
            for (verb, headers, body) in [
                ("POST", &keyless, body.as_str()),
                ("GET", &session, ""),
                ("DELETE", &session, ""),
            ] {
                let answer = web.ask(verb, &url, headers, body.to_owned()).await.unwrap();
                assert_eq!(answer.status, 401, "{verb} {query}");
                let all = format!("{:?} {}", answer.headers, answer.text());
                assert!(!all.contains(secret), "{all}");
            }
            let nowhere = format!("{}/s/nowhere/mcp?{query}", served.node.url);
            assert_eq!(
                web.ask("POST", &nowhere, &keyless, body.clone())
                    .await
                    .unwrap()
                    .status,
                404
            );
        }
    }
    let cookie = with(&keyless, "cookie", Some(&format!("access_token={key}")));
    assert_eq!(
        served.ask("POST", &cookie, &body).await.status,
        401,
        "nor in a cookie"
    );

    let audit = served.node.api("GET", "/audit?limit=200", None).await.text();
    assert!(audit.contains("unauthenticated"), "{audit}");
    let metrics = web.get(&format!("http://{port}/metrics")).await.unwrap().text();
    assert!(metrics.contains("portreeve_"), "{metrics}");
    for (place, text) in [
        ("log", served.node.log_text()),
        ("audit log", audit),
        ("metrics", metrics),
    ] {
        for secret in ["leaked-4711", key.as_str()] {
            assert!(!text.contains(secret), "the {place} holds {secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_6_two_credentials_are_one_too_many() {
    let served = Served::start(Speaks::Both).await;
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let keyless = with(&headers, "authorization", None);
    let key = served.node.key.clone();
    let reached = served.reached();
    for (name, more) in [
        ("the same twice", vec![bearer(&key), bearer(&key)]),
        ("good, then bad", vec![bearer(&key), bearer(UNKNOWN)]),
        ("bad, then good", vec![bearer(UNKNOWN), bearer(&key)]),
        (
            "Basic, then good",
            vec![("authorization", "Basic eDp5".to_owned()), bearer(&key)],
        ),
        (
            "two of the other kind",
            vec![("x-api-key", key.clone()), ("x-api-key", key.clone())],
        ),
    ] {
        let all: Vec<_> = keyless.iter().cloned().chain(more).collect();
        for verb in ["POST", "GET", "DELETE"] {
            let answer = served
                .ask(verb, &all, if verb == "POST" { &body } else { "" })
                .await;
            if verb != "POST" {
                assert_eq!(answer.status, 405, "T13: {name}");
                continue;
            }
            assert_eq!(
                error_of(&answer),
                (400, json!(-32600), Value::Null, Value::Null),
                "{verb}, {name}: {}",
                answer.text()
            );
        }
    }
    assert_eq!(served.reached(), reached);
    let one_each = [keyless.clone(), vec![bearer(UNKNOWN), ("x-api-key", key.clone())]].concat();
    assert_eq!(
        served.ask("POST", &one_each, &body).await.status,
        401,
        "`Authorization` counts"
    );
    let other = with(&keyless, "x-api-key", Some(&key));
    assert_eq!(served.ask("POST", &other, &body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_route_takes_no_bad_credential() {
    let served = Served::start(Speaks::Both).await;
    served
        .node
        .cli_json(&["route", "set", &served.slug, "--anonymous", "on"]);
    let (headers, body) = served.modern(1, "tools/list", json!({}));
    let keyless = with(&headers, "authorization", None);
    assert_eq!(served.ask("POST", &keyless, &body).await.status, 200);
    for (name, value) in [
        ("authorization", format!("Bearer {UNKNOWN}")),
        ("authorization", "Basic eDp5".to_owned()),
        ("x-api-key", UNKNOWN.to_owned()),
        ("x-api-key", String::new()),
    ] {
        let answer = served
            .ask("POST", &with(&keyless, name, Some(&value)), &body)
            .await;
        assert_eq!(answer.status, 401, "{name}: {value}");
    }
    // One that is no text is one all the same.
    let request = format!(
        "POST /s/{}/mcp HTTP/1.1\r\nHost: {}\r\nX-Api-Key: \u{e9}\r\nContent-Length: 0\r\n\r\n",
        served.slug,
        served.node.url.trim_start_matches("http://")
    );
    let mut wire = Wire::connect(&served.node.url).await;
    wire.write(request).await;
    assert_eq!(wire.answer().await.map(|answer| answer.status), Some(401));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_11_nothing_of_a_legacy_caller_reaches_the_upstream() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    let mut headers = host.headers.clone();
    for (name, value) in [
        ("cookie", "session=1"),
        ("x-api-key", "prv_other"),
        ("x-forwarded-user", "root"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-host", "evil.example"),
        ("x-real-ip", "1.2.3.4"),
        ("forwarded", "for=1.2.3.4"),
        ("x-ms-client-principal", "root"),
        ("proxy-authorization", "Basic eDp5"),
        ("last-event-id", "7"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "wipe"),
        ("mcp-param-region", "eu"),
        ("accept-encoding", "gzip, br"),
        ("accept-language", "de"),
        ("te", "trailers"),
        ("user-agent", "host/1"),
        ("referer", "http://localhost/secret"),
        ("x-custom", "1"),
    ] {
        headers.push((name, value.to_owned()));
    }
    let call = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "echo", "arguments": {}}});
    let answer = served.ask("POST", &headers, &call.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = served.upstream.seen().pop().unwrap();
    let mut names: Vec<_> = seen.headers.keys().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "content-length",
            "content-type",
            "host",
            "mcp-protocol-version",
            "mcp-session-id",
            "user-agent"
        ]
    );
    let ours = host.hello.header("mcp-session-id");
    assert_ne!(seen.headers["mcp-session-id"], ours, "P1: each hop has its own");
    assert!(
        seen.headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("portreeve/")
    );
    for (name, value) in [
        ("accept", "application/json, text/event-stream"),
        ("accept-encoding", "identity"),
    ] {
        assert_eq!(seen.headers[name], value, "not what the host accepts");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_12_the_metadata_names_the_endpoint_and_nothing_else() {
    let served = Served::start(Speaks::Both).await;
    let at = |slug: &str| {
        format!(
            "{}/.well-known/oauth-protected-resource/s/{slug}/mcp",
            served.node.url
        )
    };
    let web = &served.node.web;
    for headers in [
        vec![],
        vec![("x-forwarded-host", "evil.example".to_owned())],
        vec![("forwarded", "host=evil.example;proto=https".to_owned())],
        vec![("x-forwarded-proto", "https".to_owned())],
    ] {
        let answer = web
            .ask("GET", &at(&served.slug), &headers, String::new())
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/json")
        );
        let expected = json!({
            "resource": served.url,
            "resource_name": "com.acme/billing",
            "authorization_servers": [served.node.url],
            "scopes_supported": [format!("{}:read", served.slug), format!("{}:write", served.slug)],
            "bearer_methods_supported": ["header"],
        });
        assert_eq!(answer.json(), expected, "{headers:?}");
    }
    assert_eq!(web.get(&at("nowhere")).await.unwrap().status, 404);
    let named = challenge(&served);
    let url = named.split('"').nth(1).unwrap();
    let linked = web.get(url).await.unwrap();
    assert_eq!(linked.json()["resource"], served.url, "the challenge leads here");
}
