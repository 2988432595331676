//! Local users: a link sets the password, a code follows it, and trying does not pay.

use aws_lc_rs::hmac;
use serde_json::json;

use super::jar::{Jar, hidden};
use crate::idp::now;
use crate::node::{Engines, Node};
use crate::web::Answer;

const PASSWORD: &str = "seven seas and a harbour";

/// Makes a user; tells the path of the link that sets the password.
fn made(node: &Node, name: &str) -> String {
    let made = node.cli_json(&["user", "create", name, "--group", "finance"]);
    let link = made["passwordLink"].as_str().unwrap();
    link.strip_prefix(&node.url).unwrap().to_owned()
}

async fn set_password(jar: &Jar, path: &str, password: &str) -> Answer {
    let page = jar.get(path).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let action = "/sign-in/new-password";
    let (csrf, link) = (hidden(&page, action, "csrf"), hidden(&page, action, "link"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("link", &link),
        ("password", password),
        ("again", password),
    ];
    jar.post(action, &fields).await
}

async fn sign_in(jar: &Jar, name: &str, password: &str, next: &str) -> Answer {
    let page = jar.get(&format!("/sign-in?next={next}")).await;
    let action = "/sign-in/password";
    let (csrf, next) = (hidden(&page, action, "csrf"), hidden(&page, action, "next"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("next", &next),
        ("name", name),
        ("password", password),
    ];
    jar.post(action, &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_sets_the_password_and_the_password_signs_in() {
    let node = Node::start().await;
    let path = made(&node, "ada");
    let jar = Jar::new(&node);
    let short = set_password(&jar, &path, "Sh0rt!").await;
    assert!(
        short.status == 422 && short.text().contains("15 characters"),
        "{}",
        short.text()
    );
    let set = set_password(&jar, &path, PASSWORD).await;
    assert_eq!((set.status, set.header("location")), (303, "/"), "{}", set.text());
    assert_eq!(jar.who().await.as_deref(), Some("user:ada"));
    let again = set_password(&Jar::new(&node), &path, "another long password").await;
    assert_eq!(again.status, 403, "the link was spent");

    let other = Jar::new(&node);
    let wrong = sign_in(&other, "ada", "not the password at all", "/").await;
    assert_eq!(wrong.status, 422);
    let entered = sign_in(&other, "ada", PASSWORD, "%2Fservers%3Fq%3Dx").await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, "/servers?q=x")
    );
    assert_eq!(other.who().await.as_deref(), Some("user:ada"));

    // Somebody who lost it: everything ends, and a new link is handed out.
    let reset = node.cli_json(&["user", "reset", "ada"]);
    assert_eq!((jar.who().await, other.who().await), (None, None));
    assert_eq!(sign_in(&other, "ada", PASSWORD, "/").await.status, 422);
    let link = reset["passwordLink"]
        .as_str()
        .unwrap()
        .strip_prefix(&node.url)
        .unwrap()
        .to_owned();
    assert_eq!(set_password(&other, &link, PASSWORD).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn trying_does_not_pay_and_tells_nothing() {
    // Its counters are its own: what is used up here is used up for nobody else.
    let node = Node::start_on(Engines::Alone, &[]).await;
    set_password(&Jar::new(&node), &made(&node, "ada"), PASSWORD).await;
    let mut told = Vec::new();
    for name in ["ada", "nobody"] {
        let jar = Jar::new(&node);
        let mut statuses = Vec::new();
        let mut texts = Vec::new();
        for _ in 0..11 {
            let answer = sign_in(&jar, name, "a guess that is wrong", "/").await;
            statuses.push(answer.status);
            texts.push(answer.text().replace(name, "NAME"));
        }
        assert_eq!(statuses[..10], [422; 10], "{name}");
        assert_eq!(statuses[10], 429, "{name}");
        texts.dedup_by_key(|text| text.len());
        told.push(texts.len());
    }
    assert_eq!(told[0], told[1], "who exists is told like who does not");
    let locked = sign_in(&Jar::new(&node), "ada", PASSWORD, "/").await;
    assert_eq!(locked.status, 429, "from another browser, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_path_of_our_own_is_followed() {
    // Its counters are its own: what is used up here is used up for nobody else.
    let node = Node::start_on(Engines::Alone, &[]).await;
    set_password(&Jar::new(&node), &made(&node, "ada"), PASSWORD).await;
    for evil in [
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "%5C%5Cevil.example",
        "https%3A%2F%2Fevil.example%2F",
        "javascript%3Aalert(1)",
        "%2F%09%2Fevil.example",
        "%2Fa%0D%0ASet-Cookie%3A%20x%3D1",
        "evil.example",
    ] {
        let jar = Jar::new(&node);
        let page = jar.get(&format!("/sign-in?next={evil}")).await;
        assert_eq!(hidden(&page, "/sign-in/password", "next"), "/", "{evil}");
        // The form itself can be written by anybody, too.
        let csrf = hidden(&page, "/sign-in/password", "csrf");
        let decoded = percent_encoding::percent_decode_str(evil)
            .decode_utf8()
            .unwrap()
            .into_owned();
        let fields = [
            ("csrf", csrf.as_str()),
            ("next", &decoded),
            ("name", "ada"),
            ("password", PASSWORD),
        ];
        let answer = jar.post("/sign-in/password", &fields).await;
        if answer.status == 303 {
            assert_eq!(answer.header("location"), "/", "{evil}");
        } else {
            assert_eq!(answer.status, 429, "{evil}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_time_link_goes_on_where_somebody_wanted() {
    let node = Node::start().await;
    let log = node.log_text();
    let link = log.split("/admin/welcome?link=").nth(1).unwrap();
    let link: String = link.chars().take(43).collect();
    let jar = Jar::new(&node);
    // Sent to sign in from somewhere, then the link is opened: it knows nothing of that place, the browser does.
    let asked = jar.get("/sign-in?next=%2Fservers%3Fq%3Dx").await;
    // A-CD-10: what follows the form may be a redirect to a client.
    assert!(!asked.header("content-security-policy").contains("form-action"));
    let page = jar.get(&format!("/admin/welcome?link={link}")).await;
    let action = "/admin/welcome";
    let (csrf, next) = (hidden(&page, action, "csrf"), hidden(&page, action, "next"));
    let fields = [("csrf", csrf.as_str()), ("link", &link), ("next", &next)];
    let entered = jar.post(action, &fields).await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, "/servers?q=x")
    );
    assert_eq!(jar.who().await.as_deref(), Some("user:admin"));
}

/// The code of this moment.
fn code(secret: &str, step: i64) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = secret
        .chars()
        .map(|letter| format!("{:05b}", alphabet.find(letter).unwrap()))
        .collect();
    let key: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &u64::try_from(step).unwrap().to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_follows_the_password_and_works_once() {
    let node = Node::start().await;
    let jar = Jar::new(&node);
    set_password(&jar, &made(&node, "ada"), PASSWORD).await;
    let page = jar.get("/account").await;
    let csrf = hidden(&page, "/account/codes", "csrf");
    // Whoever found the browser open does not know it.
    let guess = [("csrf", csrf.as_str()), ("former", "a guess that is wrong")];
    let refused = jar.post("/account/codes", &guess).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(!refused.text().contains("Key: "));
    let known = [("csrf", csrf.as_str()), ("former", PASSWORD)];
    let page = jar.post("/account/codes", &known).await;
    let setup = hidden(&page, "/account/codes/confirm", "ticket");
    let secret: String = page
        .text()
        .split("Key: ")
        .nth(1)
        .unwrap()
        .chars()
        .take(32)
        .collect();
    let step = now() / 30;
    let confirm = "/account/codes/confirm";
    let without = jar.post(confirm, &[("csrf", &csrf), ("code", "000000")]).await;
    assert!(without.status >= 400, "{}", without.text());
    assert!(!without.text().contains(&secret));
    let wrong = [("csrf", csrf.as_str()), ("ticket", &setup), ("code", "000000")];
    let wrong = jar.post(confirm, &wrong).await;
    assert_eq!(wrong.status, 422);
    let first = code(&secret, step - 1);
    let right = [("csrf", csrf.as_str()), ("ticket", &setup), ("code", &first)];
    let shown = jar.post(confirm, &right).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let text = shown.text();
    let block = text.split("<code id=\"shown-1\">").nth(1).unwrap();
    let recovery: Vec<String> = block
        .split("</code>")
        .next()
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(recovery.len(), 10);

    let other = Jar::new(&node);
    let asked = sign_in(&other, "ada", PASSWORD, "%2Fexports").await;
    assert_eq!((asked.status, other.who().await), (200, None));
    let ticket = hidden(&asked, "/sign-in/code", "ticket");
    let csrf = hidden(&asked, "/sign-in/code", "csrf");
    let by = async |jar: &Jar, code: &str| {
        let fields = [("csrf", csrf.as_str()), ("ticket", &ticket), ("code", code)];
        jar.post("/sign-in/code", &fields).await
    };
    assert_eq!(
        by(&other, &code(&secret, step - 1)).await.status,
        422,
        "it was used"
    );
    let entered = by(&other, &code(&secret, now() / 30)).await;
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, "/exports"),
        "{}",
        entered.text()
    );
    // The ticket is worth nothing in another browser.
    let stolen = by(&Jar::new(&node), &recovery[0]).await;
    assert_eq!(stolen.status, 403);
    assert_eq!(by(&other, &recovery[0]).await.status, 303);
    assert_eq!(by(&other, &recovery[0]).await.status, 422, "each works once");
    let events = node.api("GET", "/audit?action=user.codes-on", None).await.json();
    assert_eq!(events["items"][0]["actor"], json!("user:ada"), "{events}");
}
