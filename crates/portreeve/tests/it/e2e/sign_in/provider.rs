//! Over an identity provider, from the button to the session and its end.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::jar::Jar;
use crate::idp::{CLIENT, Idp, SECRET, now};
use crate::node::Node;

/// A node that knows the provider, with a folder for its configuration.
pub(super) async fn node(idp: &Idp, more: &str) -> (Node, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let config: PathBuf = folder.path().join("portreeve.toml");
    let text = format!(
        "[[login.providers]]\nname = \"acme\"\ntitle = \"Acme\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n\
         client_secret = \"file:{}\"\n{more}\n",
        idp.issuer,
        secret.display(),
    );
    std::fs::write(&config, text).unwrap();
    let flags = ["--config", config.to_str().unwrap()];
    (Node::start_with(&flags).await, folder)
}

/// Sends a browser to the provider; tells where to.
pub(super) async fn sent(jar: &Jar, next: &str) -> String {
    let sent = jar.get(&format!("/sign-in/acme?next={next}")).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    sent.header("location").to_owned()
}

pub(super) fn ada() -> Value {
    json!({
        "sub": "24400320", "preferred_username": "ada@acme.example", "name": "Ada Lovelace",
        "email": "ada@acme.example", "groups": ["3f0c", "elsewhere"],
    })
}

async fn user(node: &Node, name: &str) -> Value {
    node.api("GET", &format!("/users/{name}"), None).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_comes_in_over_a_provider_and_goes_where_they_wanted() {
    let idp = Idp::start().await;
    let rules = "groups = [{ value = \"3f0c\", group = \"finance\" }]";
    let (node, _folder) = node(&idp, rules).await;
    let jar = Jar::new(&node);
    let page = jar.get("/sign-in?next=%2Fservers%2Fcom.acme%2Fbilling").await;
    assert!(page.text().contains("Sign in with Acme"), "{}", page.text());
    let address = sent(&jar, "%2Fservers%2Fcom.acme%2Fbilling%3Fversion%3D1").await;
    let back = idp.sign_in(&address, ada());
    let entered = jar.get(&back).await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, "/servers/com.acme/billing?version=1"),
        "{}",
        entered.text()
    );
    assert_eq!(jar.who().await.as_deref(), Some("user:ada@acme.example"));
    let known = user(&node, "ada@acme.example").await;
    assert_eq!(known["origin"], "provider");
    assert_eq!(
        known["external"],
        json!({ "issuer": idp.issuer, "subject": "24400320" })
    );
    assert_eq!(known["providerGroups"], json!(["finance"]));
    let groups = node.api("GET", "/groups", None).await.json();
    assert_eq!(groups["items"], json!([{ "name": "finance", "members": 1 }]));

    // Once more, with other groups, another name and other mail: the same user, by another name never.
    let again = Jar::new(&node);
    let mut renamed = ada();
    renamed["groups"] = json!([]);
    renamed["preferred_username"] = json!("admin");
    renamed["email"] = json!("countess@acme.example");
    let back = idp.sign_in(&sent(&again, "%2F").await, renamed);
    assert_eq!(again.get(&back).await.header("location"), "/");
    assert_eq!(again.who().await.as_deref(), Some("user:ada@acme.example"));
    let known = user(&node, "ada@acme.example").await;
    assert_eq!(
        (&known["providerGroups"], &known["email"]),
        (&Value::Null, &json!("countess@acme.example"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_lends_nobody_the_name_of_another() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "").await;
    let jar = Jar::new(&node);
    let back = idp.sign_in(
        &sent(&jar, "/").await,
        json!({ "sub": "eve", "preferred_username": "admin" }),
    );
    jar.get(&back).await;
    let who = jar.who().await.unwrap();
    assert_eq!(who, "user:admin-2");
    assert_eq!(jar.get("/usage").await.status, 403);

    // The name of somebody who was removed, and one that a registry's readers hold, in whatever case.
    for words in [
        &["user", "create", "grace"][..],
        &["user", "delete", "grace"],
        &[
            "registry",
            "create",
            "inner",
            "--visibility",
            "only",
            "--reader",
            "user:hopper",
        ],
    ] {
        let done = node.cli(words);
        assert!(
            done.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    for name in ["Grace", "HOPPER"] {
        let jar = Jar::new(&node);
        let claims = json!({ "sub": name, "preferred_username": name });
        let back = idp.sign_in(&sent(&jar, "/").await, claims);
        jar.get(&back).await;
        assert_eq!(jar.who().await, Some(format!("user:{name}-2")));
    }
    // An administrator gives such a name on purpose, once.
    assert!(node.cli(&["user", "create", "hopper"]).status.success());
    assert!(!node.cli(&["user", "create", "Hopper"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_group_was_granted_its_members_may_do() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "groups = [{ value = \"*\" }]").await;
    let granted = node.cli(&["grant", "add", "--group", "managers", "--manage"]);
    assert!(
        granted.status.success(),
        "{}",
        String::from_utf8_lossy(&granted.stderr)
    );
    let enter = async |groups: Value| {
        let jar = Jar::new(&node);
        let claims = json!({ "sub": "ada", "preferred_username": "ada", "groups": groups });
        let back = idp.sign_in(&sent(&jar, "/").await, claims);
        assert_eq!(jar.get(&back).await.status, 303);
        jar
    };
    assert_eq!(
        enter(json!(["staff"])).await.get("/admin/users").await.status,
        403
    );
    let manager = enter(json!(["staff", "managers"])).await;
    assert_eq!(manager.get("/admin/users").await.status, 200);
    // Groups are those of the last sign-in, wherever that was.
    enter(json!([])).await;
    assert_eq!(manager.get("/admin/users").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_of_a_provider_takes_the_last_manager_away() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "groups = [{ value = \"*\" }]").await;
    let group = node.cli_json(&["grant", "add", "--group", "managers", "--manage"]);
    assert_eq!(group["subjectName"], "group:managers");
    let enter = async |groups: Value| {
        let jar = Jar::new(&node);
        let claims = json!({ "sub": "ada", "preferred_username": "ada", "groups": groups });
        let back = idp.sign_in(&sent(&jar, "/").await, claims);
        assert_eq!(jar.get(&back).await.status, 303);
        jar
    };
    enter(json!(["managers", "staff"])).await;
    let grants = node.cli_json(&["grant", "list"]);
    let grants = grants["items"].as_array().unwrap();
    let of_admin = grants
        .iter()
        .find(|grant| grant["subjectName"] == "user:admin" && grant["rights"] == "manage")
        .unwrap();
    let removed = node.cli(&["grant", "remove", of_admin["id"].as_str().unwrap()]);
    assert!(
        removed.status.success(),
        "{}",
        String::from_utf8_lossy(&removed.stderr)
    );
    // Nobody else is left: the group stays, and the log says so.
    let ada = enter(json!([])).await;
    assert_eq!(ada.get("/admin/users").await.status, 200);
    let log = ada.get("/audit?action=user.groups").await.text();
    assert!(log.contains("last-manager"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_out_at_once_and_does_not_come_back() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "").await;
    let jar = Jar::new(&node);
    let back = idp.sign_in(&sent(&jar, "/").await, ada());
    jar.get(&back).await;
    assert!(jar.who().await.is_some());
    let disabled = node.cli(&["user", "disable", "ada@acme.example"]);
    assert!(
        disabled.status.success(),
        "{}",
        String::from_utf8_lossy(&disabled.stderr)
    );
    assert_eq!(jar.who().await, None);
    let back = idp.sign_in(&sent(&jar, "/").await, ada());
    let refused = jar.get(&back).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.text().contains("This account is disabled"),
        "{}",
        refused.text()
    );
    node.cli(&["user", "enable", "ada@acme.example"]);
    let back = idp.sign_in(&sent(&jar, "/").await, ada());
    assert_eq!(jar.get(&back).await.status, 303);
}

/// A logout token, with what the test changes.
pub(super) fn logout_token(idp: &Idp, change: Value) -> String {
    let mut claims = json!({
        "iss": idp.issuer, "aud": CLIENT, "iat": now(), "exp": now() + 120, "jti": "one",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    let more = change.as_object().unwrap().clone();
    claims.as_object_mut().unwrap().extend(more);
    idp.token(&claims)
}

pub(super) async fn log_out(node: &Node, token: &str) -> u16 {
    let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    let url = format!("{}/sign-in/acme/logout", node.url);
    let body = format!("logout_token={token}");
    let answer = node.web.ask("POST", &url, &headers, body).await.unwrap();
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_ends_its_sessions_and_no_others() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "").await;
    let enter = async |sid: &str| {
        let jar = Jar::new(&node);
        let mut claims = ada();
        claims["sid"] = json!(sid);
        let back = idp.sign_in(&sent(&jar, "/").await, claims);
        assert_eq!(jar.get(&back).await.status, 303);
        jar
    };
    let (first, second) = (enter("s1").await, enter("s2").await);
    for wrong in [
        json!({ "sid": "s1", "nonce": "n" }),
        json!({ "sid": "s1", "events": {} }),
        json!({ "sid": "s1", "aud": "another" }),
        json!({ "sid": "s1", "iss": "https://idp.example" }),
        json!({ "sid": "s1", "iat": now() - 3_600 }),
        json!({}),
    ] {
        assert_eq!(
            log_out(&node, &logout_token(&idp, wrong.clone())).await,
            400,
            "{wrong}"
        );
    }
    assert_eq!(log_out(&node, "nonsense").await, 400);
    assert!(first.who().await.is_some());
    assert_eq!(
        log_out(&node, &logout_token(&idp, json!({ "sid": "s1" }))).await,
        200
    );
    assert_eq!((first.who().await, second.who().await.is_some()), (None, true));
    let by_subject = logout_token(&idp, json!({ "sub": "24400320", "iat": now() + 1 }));
    assert_eq!(log_out(&node, &by_subject).await, 200);
    assert_eq!(second.who().await, None);
}
