//! The management API: what is read, what is changed, and what is refused with which words.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use portreeve_core::limits::Limits;
use serde_json::{Value, json};

use super::house::{House, document};

#[tokio::test]
async fn an_entry_goes_its_way() {
    let house = House::new().await;
    let content = json!({"document": document("com.acme/billing", "1.0.0")});
    let added = house.admin_post("/api/v1/servers", content).await;
    assert_eq!(added.header("location"), "/api/v1/servers/com.acme%2Fbilling");
    let added = added.json();
    assert_eq!(
        (&added["version"]["approval"], &added["tools"]["state"]),
        (&json!("submitted"), &json!("no-route"))
    );
    assert_eq!(house.get("/v0.1/servers").await.json()["metadata"]["count"], 0);

    let sent_back = house
        .admin_post(
            "/api/v1/servers/com.acme/billing/reject",
            json!({"reason": "say more"}),
        )
        .await;
    assert_eq!(sent_back.json()["statusMessage"], "say more");
    let submitted = house
        .admin_post("/api/v1/servers/com.acme/billing/submit", Value::Null)
        .await;
    assert_eq!(submitted.json()["approval"], "submitted", "{submitted:?}");

    let approved = house
        .admin_post("/api/v1/servers/com.acme/billing/approve", Value::Null)
        .await
        .json();
    assert_eq!(approved["route"]["url"], "https://gw.acme.example/s/billing/mcp");
    assert_eq!(approved["tools"], json!({"state": "pinned", "count": 2}));
    assert_eq!(house.get("/v0.1/servers").await.json()["metadata"]["count"], 1);

    let retired = house
        .admin_post(
            "/api/v1/servers/com.acme/billing/lifecycle",
            json!({"lifecycle": "retired"}),
        )
        .await;
    assert_eq!(retired.json()["versions"][0]["lifecycle"], "retired");
    assert_eq!(house.get("/v0.1/servers").await.json()["metadata"]["count"], 0);

    let entry = house.admin_get("/api/v1/servers/com.acme%2Fbilling").await;
    assert_eq!(entry.header("etag"), format!("\"{}\"", entry.json()["revision"]));
    let removed = house
        .call(
            &house.admin,
            Method::DELETE,
            "/api/v1/servers/com.acme/billing",
            Value::Null,
        )
        .await;
    assert_eq!((removed.status.as_u16(), removed.bytes.len()), (204, 0));
    assert_eq!(
        house.admin_get("/api/v1/servers/com.acme%2Fbilling").await.status,
        404
    );
}

#[tokio::test]
async fn who_does_not_manage_sees_the_public_side_only() {
    let house = House::new().await;
    house.add("com.acme/billing", "1.0.0", true).await;
    house.add("com.acme/billing", "1.1.0", false).await;
    house.add("com.acme/draft", "1.0.0", false).await;
    let get = |path: &'static str| house.call(&house.stranger, Method::GET, path, Value::Null);
    let list = get("/api/v1/servers").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let entry = get("/api/v1/servers/com.acme/billing").await;
    let text = String::from_utf8(entry.bytes.clone()).unwrap();
    assert!(
        !text.contains("93.184.216.34") && !text.contains("user:admin"),
        "{text}"
    );
    assert_eq!(entry.json()["versions"].as_array().unwrap().len(), 1);
    assert_eq!(get("/api/v1/servers/com.acme/draft").await.status, 404);
    assert_eq!(
        house.admin_get("/api/v1/servers").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn lists_come_in_pages() {
    let house = House::new().await;
    for name in ["com.acme/aa", "com.acme/bb", "com.acme/cc"] {
        house.add(name, "1.0.0", true).await;
    }
    for (path, member) in [
        ("/api/v1/servers", "name"),
        ("/api/v1/routes", "slug"),
        ("/api/v1/audit", "id"),
    ] {
        let mut seen = Vec::new();
        let mut next = format!("{path}?limit=2");
        loop {
            let page = house.admin_get(&next).await.json();
            let items = page["items"].as_array().unwrap();
            assert!(
                items.len() <= 2 && items.iter().all(|item| item["name"].is_string()),
                "{page}"
            );
            seen.extend(items.iter().map(|item| item[member].as_str().unwrap().to_owned()));
            match page["nextCursor"].as_str() {
                Some(cursor) => next = format!("{path}?limit=2&cursor={cursor}"),
                None => break,
            }
        }
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert!(seen.len() >= 3 && unique.len() == seen.len(), "{path}: {seen:?}");
    }
    assert_eq!(house.admin_get("/api/v1/routes?limit=0").await.status, 400);
    for path in ["access-requests", "approvals"] {
        let path = format!("/api/v1/{path}?cursor=forged");
        assert_eq!(house.admin_get(&path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn tools_are_hidden_shown_and_approved() {
    let house = House::new().await;
    house.add("com.acme/billing", "1.0.0", true).await;
    let tools = house
        .admin_get("/api/v1/servers/com.acme/billing/tools")
        .await
        .json();
    let state = |tools: &Value, name: &str| -> String {
        let items = tools["items"].as_array().unwrap();
        let tool = items.iter().find(|tool| tool["name"] == name).unwrap();
        tool["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(&tools, "refund"), "approved");
    assert_eq!(tools["items"][0]["annotations"]["readOnlyHint"], true);
    assert_eq!(tools["items"][0]["description"], "The tool list_invoices");
    let path = "/api/v1/servers/com.acme/billing/tools/refund/hide";
    assert_eq!(
        state(&house.admin_post(path, Value::Null).await.json(), "refund"),
        "hidden"
    );
    let path = "/api/v1/servers/com.acme/billing/tools/refund/unhide";
    assert_eq!(
        state(&house.admin_post(path, json!({})).await.json(), "refund"),
        "approved"
    );
    let path = "/api/v1/servers/com.acme/billing/tools/approve";
    for wrong in [
        json!({}),
        json!({"tools": []}),
        json!({"all": true, "tools": ["refund"]}),
    ] {
        assert_eq!(house.admin_post(path, wrong).await.status, 422);
    }
    let unknown = house.admin_post(path, json!({"tools": ["nothing"]})).await;
    assert!(
        unknown.status.is_client_error() && unknown.detail().contains("nothing"),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn a_route_is_changed_only_as_it_was_read() {
    let house = House::new().await;
    house.add("com.acme/billing", "1.0.0", true).await;
    let path = "/api/v1/routes/billing";
    let tag = house.admin_get(path).await.header("etag").to_owned();
    let policies = json!({"policies": [{"kind": "rate_limit", "calls": 5, "per_seconds": 30}]});
    let patch = |content: Value, tag: Option<String>| {
        let house = &house;
        async move {
            let headers: Vec<_> = tag.iter().map(|tag| ("if-match", tag.as_str())).collect();
            house
                .call_with(&house.admin, (Method::PATCH, path), content, &headers)
                .await
        }
    };
    let unconditional = patch(policies.clone(), None).await;
    assert_eq!(unconditional.status, 428);
    assert!(unconditional.json()["hint"].as_str().unwrap().contains("ETag"));
    let changed = patch(policies.clone(), Some(tag.clone())).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.json()["policies"], policies["policies"]);
    assert_ne!(changed.header("etag"), tag);
    assert_eq!(patch(json!({"access": "anonymous"}), Some(tag)).await.status, 412);
    assert_eq!(
        patch(json!({"access": "anonymous"}), Some("W/\"1\"".to_owned()))
            .await
            .status,
        412
    );
    let any = patch(
        json!({"access": "anonymous", "upstreamTimeoutMs": 30000}),
        Some("*".to_owned()),
    )
    .await;
    assert_eq!(
        (&any.json()["access"], &any.json()["upstreamTimeoutMs"]),
        (&json!("anonymous"), &json!(30000))
    );
    let wrong = patch(json!({"policies": [{"kind": "nonsense"}]}), Some("*".to_owned())).await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.json()["errors"][0]["path"]),
        (422, &json!("policies[0]"))
    );
    assert_eq!(patch(json!({}), Some("*".to_owned())).await.status, 422);
}

#[tokio::test]
async fn keys_are_shown_once_and_work_until_they_are_revoked() {
    let house = House::new().await;
    let refreshed = house.refreshed();
    let made = house
        .admin_post(
            "/api/v1/keys",
            json!({"name": "ci", "expiresAt": "2030-01-01T00:00:00Z"}),
        )
        .await;
    assert_eq!(
        (made.status.as_u16(), made.header("cache-control")),
        (201, "no-store")
    );
    assert_eq!(house.refreshed(), refreshed + 1);
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let who = house
        .call(&secret, Method::GET, "/api/v1/whoami", Value::Null)
        .await
        .json();
    assert_eq!((&who["name"], &who["manage"]), (&json!("key:ci"), &json!(false)));
    let list = house.admin_get("/api/v1/keys").await;
    let text = String::from_utf8(list.bytes.clone()).unwrap();
    assert!(!text.contains(&secret) && !text.contains("secret"), "{text}");
    let again = house.admin_post("/api/v1/keys", json!({"name": "ci"})).await;
    assert_eq!(again.status, 409);
    let revoked = house
        .call(&house.admin, Method::DELETE, "/api/v1/keys/ci", Value::Null)
        .await
        .json();
    assert_eq!(revoked["state"], "revoked");
    let after = house
        .call(&secret, Method::GET, "/api/v1/whoami", Value::Null)
        .await;
    assert_eq!(
        (after.status.as_u16(), after.header("www-authenticate")),
        (401, "Bearer error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn a_grant_is_in_force_when_it_is_answered() {
    let house = House::new().await;
    house.add("com.acme/billing", "1.0.0", true).await;
    let tools = |key: String| {
        let house = &house;
        async move {
            house
                .call(
                    &key,
                    Method::GET,
                    "/api/v1/servers/com.acme/billing/tools",
                    Value::Null,
                )
                .await
        }
    };
    assert_eq!(tools(house.stranger.clone()).await.status, 404);
    let grant = json!({
        "subject": {"key": "stranger"}, "rights": "use", "servers": {"server": "com.acme/billing"}, "tools": "read-only"
    });
    let made = house.admin_post("/api/v1/grants", grant).await.json();
    assert_eq!(made["subjectName"], "key:stranger");
    let seen = tools(house.stranger.clone()).await.json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    assert_eq!(seen["items"][0]["name"], "list_invoices");
    let path = format!("/api/v1/grants/{}", made["id"].as_str().unwrap());
    let removed = house.call(&house.admin, Method::DELETE, &path, Value::Null).await;
    assert_eq!(removed.status, 204);
    assert_eq!(tools(house.stranger.clone()).await.status, 404);
    let ends = json!({
        "subject": {"key": "stranger"}, "rights": "use", "servers": "all", "expiresAt": "2199-01-31T18:00:00Z"
    });
    let ends = house.admin_post("/api/v1/grants", ends).await.json();
    assert_eq!(ends["expiresAt"], "2199-01-31T18:00:00.000Z");
    let over = json!({
        "subject": {"key": "stranger"}, "rights": "use", "servers": "all", "expiresAt": "2020-01-31T18:00:00Z"
    });
    let over = house.admin_post("/api/v1/grants", over).await;
    assert_eq!(over.status.as_u16(), 422, "{}", over.json());
    let nobody = json!({"subject": {"key": "nobody"}, "rights": "use", "servers": "all"});
    let nobody = house.admin_post("/api/v1/grants", nobody).await;
    assert_eq!(
        (nobody.status.as_u16(), &nobody.json()["errors"][0]["path"]),
        (422, &json!("subject.key"))
    );
}

#[tokio::test]
async fn the_audit_log_tells_what_was_done() {
    let house = House::new().await;
    house.add("com.acme/billing", "1.0.0", true).await;
    let events = house
        .admin_get("/api/v1/audit?action=server.*&server=com.acme/billing&limit=10")
        .await
        .json();
    let actions: Vec<_> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["action"])
        .collect();
    assert!(actions.contains(&&json!("server.approve")), "{actions:?}");
    assert_eq!(events["items"][0]["actor"], "user:admin");
    let report = house.admin_get("/api/v1/audit/verify").await.json();
    assert_eq!(report["findings"], json!([]));
    assert!(report["events"].as_u64().unwrap() > 0);
    assert_eq!(
        house
            .admin_get("/api/v1/audit?outcome=maybe&nonsense=1")
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_decision_is_explained_to_whom_it_concerns() {
    let house = House::new().await;
    house.add("com.acme/billing", "1.0.0", true).await;
    let path = "/api/v1/explain";
    let question = |who: Option<&str>| match who {
        Some(who) => json!({"route": "billing", "tool": "refund", "arguments": {"id": 1}, "as": who}),
        None => json!({"route": "billing", "tool": "refund"}),
    };
    let own = house.admin_post(path, question(None)).await.json();
    assert_eq!(
        (&own["caller"], &own["allowed"]),
        (&json!("user:admin"), &json!(true)),
        "{own}"
    );
    let other = house
        .admin_post(path, question(Some("key:stranger")))
        .await
        .json();
    assert_eq!(
        (&other["caller"], &other["allowed"]),
        (&json!("key:stranger"), &json!(false)),
        "{other}"
    );
    assert!(
        other["policies"][0]["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty()),
        "{other}"
    );
    let stranger = |who: &'static str| house.call(&house.stranger, Method::POST, path, question(Some(who)));
    assert_eq!(stranger("key:stranger").await.json()["allowed"], false);
    assert_eq!(stranger("user:admin").await.status, 403);
    let nobody = house.admin_post(path, question(Some("key:nobody"))).await;
    assert_eq!(
        (nobody.status.as_u16(), &nobody.json()["errors"][0]["path"]),
        (422, &json!("as"))
    );
    let nowhere = house
        .admin_post(path, json!({"route": "nowhere", "tool": "refund"}))
        .await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn usage_takes_a_range() {
    let house = House::new().await;
    assert_eq!(
        house.admin_get("/api/v1/usage").await.json(),
        json!({"items": [], "nextCursor": null})
    );
    for (query, status) in [
        (
            "from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&server=com.acme/billing",
            200,
        ),
        ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", 400),
        ("from=yesterday", 400),
        ("server=nonsense", 400),
        ("since=1h", 400),
    ] {
        assert_eq!(
            house.admin_get(&format!("/api/v1/usage?{query}")).await.status,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn content_is_refused_with_the_reason() {
    let house = House::with(Limits::for_tests()).await;
    let post = |content_type: &'static str, body: Vec<u8>| {
        let mut request = Request::post("/api/v1/servers").header("x-api-key", &house.admin);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        house.send(request.body(Body::from(body)).unwrap())
    };
    let json = "application/json; charset=utf-8";
    for (answer, status, told) in [
        (post("text/plain", b"{}".to_vec()).await, 415, "`text/plain`"),
        (post("", b"{}".to_vec()).await, 415, "no type"),
        (post(json, vec![b' '; 70_000]).await, 413, "65536"),
        (post(json, b"{\"document\":".to_vec()).await, 400, "not JSON"),
        (post(json, b"{}".to_vec()).await, 422, "missing field `document`"),
        (
            post(json, b"{\"document\":{},\"aprove\":true}".to_vec()).await,
            422,
            "unknown field `aprove`",
        ),
        (
            post(json, b"{\"document\":{},\"approve\":\"yes\"}".to_vec()).await,
            422,
            "`approve`: invalid type",
        ),
    ] {
        assert_eq!(answer.status, StatusCode::from_u16(status).unwrap(), "{answer:?}");
        assert!(answer.detail().contains(told), "{answer:?}");
    }
    let wrong = post(json, b"{\"document\":{\"name\":\"x\"}}".to_vec()).await;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert!(wrong.json()["errors"].as_array().unwrap().len() > 1, "{wrong:?}");
}

#[tokio::test]
async fn strangers_are_refused_before_their_content_is_read() {
    let house = House::new().await;
    let request = Request::post("/api/v1/servers").header("content-type", "text/plain");
    let answer = house.send(request.body(Body::from("x")).unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("www-authenticate")),
        (401, "Bearer")
    );
    let cookie = [("cookie", "session=prv_x")];
    let path = (Method::GET, "/api/v1/whoami");
    assert_eq!(house.call_with("", path, Value::Null, &cookie).await.status, 401);
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_possible_is_told() {
    let house = House::new().await;
    let nowhere = house.get("/api/v1/nonsense").await;
    assert_eq!(
        (nowhere.status.as_u16(), nowhere.header("content-type")),
        (404, "application/problem+json")
    );
    let wrong = house.call("", Method::PUT, "/api/v1/keys", Value::Null).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.header("allow")),
        (405, "GET,HEAD,POST")
    );
    for path in [
        "/api/v1/servers/nonsense",
        "/api/v1/servers/com.acme%252Fbilling",
        "/api/v1/routes/NONSENSE",
    ] {
        assert_eq!(house.admin_get(path).await.status, 404, "{path}");
    }
    assert_eq!(house.admin_get("/api/v1/servers/a%00b").await.status, 400);
}

#[tokio::test]
async fn a_missing_database_is_a_failure_to_be_tried_again() {
    let house = House::new().await;
    house.close_store().await;
    let answer = house.admin_get("/api/v1/keys").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"));
}

#[tokio::test]
async fn the_description_is_served_without_a_key_and_with_a_tag() {
    let house = House::new().await;
    let answer = house.get("/api/v1/openapi.json").await;
    assert_eq!(answer.status, 200);
    let committed: Value = serde_json::from_str(&portreeve_api::openapi_document().unwrap()).unwrap();
    assert_eq!(answer.json(), committed);
    assert!(answer.header("etag").starts_with('"'));
}
