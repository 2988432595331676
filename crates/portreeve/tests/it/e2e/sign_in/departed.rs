//! Signing out here, and then at the provider (OpenID Connect RP-Initiated Logout 1.0).

use std::collections::HashMap;

use url::Url;

use super::jar::{Jar, hidden};
use super::provider::{ada, node, sent};
use crate::idp::{CLIENT, Idp};
use crate::web::Answer;

/// Signs Ada in over the provider.
async fn enter(idp: &Idp, jar: &Jar) {
    let back = idp.sign_in(&sent(jar, "/").await, ada());
    assert_eq!(jar.get(&back).await.status, 303);
}

async fn leave(jar: &Jar) -> Answer {
    let home = jar.get("/").await;
    let token = hidden(&home, "/sign-out", "csrf");
    let left = jar.post("/sign-out", &[("csrf", &token)]).await;
    assert_eq!((left.status, jar.who().await), (303, None));
    left
}

/// Where the page's link leads.
fn way_out(page: &str, idp: &Idp) -> Option<Url> {
    let (_, rest) = page.split_once(&format!("href=\"{}/out", idp.issuer))?;
    let (rest, _) = rest.split_once('"')?;
    let address = format!("{}/out{rest}", idp.issuer);
    Some(Url::parse(&address.replace("&#38;", "&").replace("&amp;", "&")).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_may_leave_the_provider_too() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "logout = \"provider\"").await;
    let jar = Jar::new(&node);
    enter(&idp, &jar).await;
    let left = leave(&jar).await;
    // The form leads to a page of ours: Chromium would stop a redirect to the provider at `form-action`.
    assert_eq!(left.header("location"), "/signed-out?from=acme");
    let page = jar.get("/signed-out?from=acme").await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'self'")
    );
    let text = page.text();
    assert!(text.contains("Sign out of Acme too"), "{text}");
    let address = way_out(&text, &idp).unwrap();
    let asked: HashMap<String, String> = address.query_pairs().into_owned().collect();
    assert_eq!(asked["realm"], "acme", "what stood there stays");
    assert_eq!(asked["client_id"], CLIENT);
    assert_eq!(
        asked["post_logout_redirect_uri"],
        format!("{}/signed-out", node.url)
    );
    assert!(!asked.contains_key("id_token_hint"), "{asked:?}");

    // Back: only the browser that was sent is told that it is over.
    let state = &asked["state"];
    let back = format!("/signed-out?state={state}");
    let over = jar.get(&back).await.text();
    assert!(over.contains("Here, and at your identity provider"), "{over}");
    for (browser, path) in [
        (&Jar::new(&node), back.as_str()),
        (&jar, "/signed-out?state=nonsense"),
    ] {
        let page = browser.get(path).await.text();
        assert!(page.contains("it is not known"), "{path}: {page}");
    }

    // Somebody who is signed in is told so, and led nowhere.
    enter(&idp, &jar).await;
    let page = jar.get("/signed-out?from=acme").await.text();
    assert!(page.contains("You are signed in"), "{page}");
    assert_eq!(way_out(&page, &idp), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_stays_here_unless_the_configuration_says_more() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "").await;
    let jar = Jar::new(&node);
    enter(&idp, &jar).await;
    assert_eq!(leave(&jar).await.header("location"), "/");
    for path in ["/signed-out", "/signed-out?from=acme", "/signed-out?from=nobody"] {
        let page = jar.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(way_out(&page.text(), &idp), None, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_came_in_by_a_password_has_no_provider_to_leave() {
    let idp = Idp::start().await;
    let (node, _folder) = node(&idp, "logout = \"provider\"").await;
    let jar = Jar::new(&node);
    let made = node.cli_json(&["user", "create", "grace"]);
    let link = made["passwordLink"].as_str().unwrap();
    let page = jar.get(link.strip_prefix(&node.url).unwrap()).await;
    let action = "/sign-in/new-password";
    let (csrf, link) = (hidden(&page, action, "csrf"), hidden(&page, action, "link"));
    let password = "seven seas and a harbour";
    let fields = [
        ("csrf", csrf.as_str()),
        ("link", &link),
        ("password", password),
        ("again", password),
    ];
    assert_eq!(jar.post(action, &fields).await.status, 303);
    assert_eq!(jar.who().await.as_deref(), Some("user:grace"));
    assert_eq!(leave(&jar).await.header("location"), "/");
}
