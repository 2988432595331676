//! The credential of a REST route: an API that repeats it in a refusal does not tell it to anybody.

use serde_json::json;

use crate::pets::Pets;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_api_repeats_of_the_credential_reaches_neither_host_nor_log() {
    let pets = Pets::start().await;
    let secret = "s3cr3t-of-the-pets";
    pets.show_token(secret).await;
    let denied = pets.call("getPet", json!({"id": "forbidden"})).await;
    assert_eq!(denied["result"]["isError"], true, "{denied}");
    let text = denied["result"]["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("403") && text.contains("Bearer [secret] does not do"),
        "{text}"
    );
    let told = denied.to_string() + &pets.node.log_text();
    assert!(!told.contains(secret), "{told}");
    let refused = pets.call("listPets", json!({"limit": secret})).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let audit = pets.node.cli_json(&["audit", "list"]).to_string();
    assert!(!audit.contains(secret), "{audit}");
}
