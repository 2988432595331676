//! Who decides about a request for access: every role over every kind of scope, on a server inside of it and on another's.
//! The table of roles has these endpoints as open ones, since they ask about a request and not about a server.

use http::Method;
use serde_json::{Value, json};

use super::super::house::House;

const ROLES: [&str; 6] = ["viewer", "publisher", "approver", "operator", "auditor", "admin"];

/// Scopes, and whether who manages there grants the use of one server inside. What a group owns and what a registry is about
/// changes: a grant of one server would outlive it, so who manages such a part hands on the part alone.
fn scopes() -> [(Value, bool); 5] {
    [
        (json!("all"), true),
        (json!({"namespace": "com.own"}), true),
        (json!({"server": "com.own/billing"}), true),
        (json!({"owner": "finance"}), false),
        (json!({"registry": "own"}), false),
    ]
}

struct Asker {
    name: String,
    key: String,
    decides_own: bool,
    decides_others: bool,
}

async fn furnish(house: &House) {
    for (name, owners) in [
        ("com.own/billing", vec!["finance"]),
        ("com.other/billing", vec![]),
    ] {
        house.add(name, "1.0.0", true).await;
        let path = format!("/api/v1/servers/{}", name.replace('/', "%2F"));
        let request = (Method::PATCH, path.as_str());
        let content = json!({ "ownerGroups": owners });
        let answer = house
            .call_with(&house.admin, request, content, &[("if-match", "*")])
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let registry = json!({"name": "own", "visibility": "members", "selection": {"namespaces": ["com.own"]}});
    let made = house.admin_post("/api/v1/registries", registry).await;
    assert_eq!(made.status, 201, "{made:?}");
}

async fn askers(house: &House) -> Vec<Asker> {
    let mut askers = Vec::new();
    for role in ROLES {
        for (place, (scope, hands_on)) in scopes().into_iter().enumerate() {
            let name = format!("{role}-{place}");
            let key = house
                .admin_post("/api/v1/keys", json!({"name": name}))
                .await
                .json();
            let grant = json!({"subject": {"key": name}, "rights": role, "servers": scope});
            let made = house.admin_post("/api/v1/grants", grant).await;
            assert_eq!(made.status, 201, "{made:?}");
            let manages = role == "admin";
            askers.push(Asker {
                name,
                key: key["secret"].as_str().unwrap().to_owned(),
                decides_own: manages && hands_on,
                decides_others: manages && scope == json!("all"),
            });
        }
    }
    askers
}

/// The stranger asks for a server; tells where the request is.
async fn asked(house: &House, server: &str) -> String {
    let wish = json!({"server": server, "reason": "To see who decides"});
    let path = "/api/v1/access-requests";
    let made = house.call(&house.stranger, Method::POST, path, wish).await;
    assert_eq!(made.status, 201, "{made:?}");
    format!("{path}/{}", made.json()["name"].as_str().unwrap())
}

/// What somebody gets who looks at a request, grants it for a second, and refuses it without a word: the last two are let
/// in and change nothing.
async fn tried(house: &House, key: &str, one: &str) -> [u16; 3] {
    let granting = (format!("{one}/grant"), json!({"forSeconds": 1}));
    let refusing = (format!("{one}/refuse"), json!({"note": " "}));
    let looked = house.call(key, Method::GET, one, Value::Null).await;
    let granted = house.call(key, Method::POST, &granting.0, granting.1).await;
    let refused = house.call(key, Method::POST, &refusing.0, refusing.1).await;
    [looked, granted, refused].map(|answer| answer.status.as_u16())
}

#[tokio::test]
async fn a_request_is_decided_by_who_may_grant_it_and_is_hidden_from_the_others() {
    let house = House::new().await;
    furnish(&house).await;
    let own = asked(&house, "com.own/billing").await;
    let others = asked(&house, "com.other/billing").await;
    let mut wrong = Vec::new();
    for asker in askers(&house).await {
        let both = [(&own, asker.decides_own), (&others, asker.decides_others)];
        for (one, decides) in both {
            let got = tried(&house, &asker.key, one).await;
            let expected = if decides { [200, 422, 422] } else { [404; 3] };
            if got != expected {
                wrong.push(format!("{} at {one}: {got:?}, not {expected:?}", asker.name));
            }
        }
        let path = "/api/v1/access-requests";
        let list = house.call(&asker.key, Method::GET, path, Value::Null).await;
        let seen = list.json()["items"].as_array().map_or(0, Vec::len);
        let expected = both.iter().filter(|(_, decides)| *decides).count();
        if seen != expected {
            wrong.push(format!("{} sees {seen} of them, not {expected}", asker.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Who asked looks at it, and decides nothing.
    assert_eq!(tried(&house, &house.stranger, &own).await, [200, 403, 403]);
    // None of it decided anything.
    let request = house.admin_get(&own).await.json();
    assert_eq!(
        (&request["state"], &request["mayDecide"]),
        (&json!("open"), &json!(true))
    );
}
