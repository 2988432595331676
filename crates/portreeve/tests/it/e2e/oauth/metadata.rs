//! What the authorization server says of itself.

use serde_json::json;

use super::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_as_1_the_metadata_says_what_is_there_and_every_endpoint_answers() {
    let house = House::start().await;
    let url = &house.node.url;
    let web = &house.node.web;
    let mut documents = Vec::new();
    for path in ["oauth-authorization-server", "openid-configuration"] {
        let answer = web.get(&format!("{url}/.well-known/{path}")).await.unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        documents.push(answer.json());
    }
    assert_eq!(documents[0], documents[1]);
    let document = &documents[0];
    assert_eq!(document["issuer"], json!(url));
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(
        document["authorization_response_iss_parameter_supported"],
        json!(true)
    );
    assert_eq!(document["client_id_metadata_document_supported"], json!(true));
    let ways = document["token_endpoint_auth_methods_supported"]
        .as_array()
        .unwrap();
    assert!(ways.contains(&json!("none")) && ways.contains(&json!("private_key_jwt")));
    for (field, method, status) in [
        ("jwks_uri", "GET", 200),
        ("authorization_endpoint", "GET", 400),
        ("token_endpoint", "POST", 400),
        ("revocation_endpoint", "POST", 400),
        ("registration_endpoint", "POST", 400),
    ] {
        let place = document[field].as_str().unwrap();
        assert!(place.starts_with(url.as_str()), "{field}: {place}");
        let answer = web.ask(method, place, &[], String::new()).await.unwrap();
        assert_eq!(answer.status, status, "{field}: {}", answer.text());
    }
    let keys = web
        .get(document["jwks_uri"].as_str().unwrap())
        .await
        .unwrap()
        .json();
    assert!(
        keys["keys"].as_array().is_some_and(|keys| !keys.is_empty()),
        "{keys}"
    );
    assert!(!keys.to_string().contains("\"d\""), "{keys}");
    // A page of any origin may ask.
    let preflight = [
        ("origin", "https://host.example".to_owned()),
        ("access-control-request-method", "POST".to_owned()),
    ];
    let place = document["token_endpoint"].as_str().unwrap();
    let answer = web
        .ask("OPTIONS", place, &preflight, String::new())
        .await
        .unwrap();
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-methods"), "POST, OPTIONS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_1_registration_that_is_off_is_not_shown() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("portreeve.toml");
    std::fs::write(&file, "[oauth]\nregistration = \"off\"\n").unwrap();
    let house = House::start_with(&["--config", file.to_str().unwrap()]).await;
    let place = format!("{}/.well-known/oauth-authorization-server", house.node.url);
    let document = house.node.web.get(&place).await.unwrap().json();
    assert!(document.get("registration_endpoint").is_none(), "{document}");
    let refused = house
        .register(json!({"redirect_uris": ["http://127.0.0.1/"]}))
        .await;
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (403, &json!("access_denied"))
    );
}
