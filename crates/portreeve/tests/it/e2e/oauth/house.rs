//! A node with one approved server, a browser in which its admin is signed in, and a client's side of the flow.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::node::{Engines, Node};
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, modern};

/// A proof key and its digest.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where the usual client wants its code.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:41999/callback";

pub(crate) struct House {
    pub(crate) node: Node,
    pub(crate) upstream: Upstream,
    pub(crate) resource: String,
}

/// Fields of a query or of a form.
pub(crate) type Fields = Vec<(&'static str, String)>;

/// The same fields, one of them otherwise, or left out.
pub(crate) fn but(fields: &Fields, name: &'static str, value: Option<&str>) -> Fields {
    let others = fields.iter().filter(|(other, _)| *other != name).cloned();
    let changed = value.map(|value| (name, value.to_owned()));
    others.chain(changed).collect()
}

pub(crate) fn encoded(fields: &[(&str, String)]) -> String {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}

/// The parameters of a redirect.
pub(crate) fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let location = Url::parse(answer.header("location")).ok()?;
    let mut pairs = location.query_pairs();
    pairs
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        Self::on(Node::start_with(flags).await).await
    }

    /// One whose counters are its own: what is used up here is used up for nobody else.
    pub(crate) async fn start_alone() -> Self {
        Self::start_alone_with(&[]).await
    }

    pub(crate) async fn start_alone_with(flags: &[&str]) -> Self {
        Self::on(Node::start_on(Engines::Alone, flags).await).await
    }

    async fn on(node: Node) -> Self {
        let upstream = Upstream::start(Speaks::Both).await;
        let slug = node.add("com.acme/billing", &upstream.url);
        // The admin manages, which is not to use.
        let granted = node.cli(&["grant", "add", "--user", "admin", "--all-servers"]);
        assert!(
            granted.status.success(),
            "{}",
            String::from_utf8_lossy(&granted.stderr)
        );
        let resource = node.endpoint(&slug);
        Self {
            node,
            upstream,
            resource,
        }
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, String)]) -> Answer {
        self.post_as(path, fields, &[]).await
    }

    /// Posts a form as a program.
    pub(crate) async fn post_as(
        &self,
        path: &str,
        fields: &[(&str, String)],
        more: &[(&'static str, String)],
    ) -> Answer {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        headers.extend(more.iter().cloned());
        let url = format!("{}{path}", self.node.url);
        self.node
            .web
            .ask("POST", &url, &headers, encoded(fields))
            .await
            .unwrap()
    }

    pub(crate) async fn register(&self, metadata: Value) -> Answer {
        let url = format!("{}/register", self.node.url);
        self.node
            .web
            .ask("POST", &url, &[], metadata.to_string())
            .await
            .unwrap()
    }

    /// A public client with the usual callback.
    pub(crate) async fn client(&self) -> String {
        let registered = self
            .register(json!({
                "client_name": "Editor", "redirect_uris": ["http://127.0.0.1/callback"],
                "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
            }))
            .await;
        assert_eq!(registered.status, 201, "{}", registered.text());
        registered.json()["client_id"].as_str().unwrap().to_owned()
    }

    /// What it asks for.
    pub(crate) fn request(&self, client: &str) -> Fields {
        vec![
            ("response_type", "code".to_owned()),
            ("client_id", client.to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("state", "a b&c".to_owned()),
            ("code_challenge", CHALLENGE.to_owned()),
            ("code_challenge_method", "S256".to_owned()),
            ("resource", self.resource.clone()),
            ("scope", "openid billing:read billing:write".to_owned()),
        ]
    }

    /// What it hands in for a code.
    pub(crate) fn exchange(&self, client: &str, code: &str) -> Fields {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", client.to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
            ("resource", self.resource.clone()),
        ]
    }

    pub(crate) fn refresh(client: &str, token: &str) -> Fields {
        vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", client.to_owned()),
            ("refresh_token", token.to_owned()),
        ]
    }

    /// Walks the whole way in a browser; the tokens.
    pub(crate) async fn tokens(&self, browser: &Browser, client: &str) -> Value {
        let code = browser.code(self, client).await;
        let answer = self.post("/token", &self.exchange(client, &code)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Waits until the audit log tells that of an action.
    pub(crate) async fn is_noted(&self, action: &str, word: &str) {
        for _ in 0..100 {
            let events = self
                .node
                .api("GET", &format!("/audit?action={action}"), None)
                .await;
            if events.text().contains(word) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("`{word}` is nowhere among `{action}`");
    }

    /// How the gateway answers a token.
    pub(crate) async fn calls(&self, token: &str) -> u16 {
        let (headers, body) = modern(
            Some(token),
            1,
            "tools/call",
            json!({"name": "echo", "arguments": {}}),
        );
        let answer = self.node.web.ask("POST", &self.resource, &headers, body).await;
        answer.unwrap().status
    }
}

/// What a token says. Its signature is the gateway's business.
pub(crate) fn claims(token: &Value) -> Value {
    let body = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

/// A browser with one cookie.
pub(crate) struct Browser {
    pub(crate) cookie: String,
}

/// The value of a hidden field.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let marker = format!("name=\"{name}\" value=\"");
    let rest = page
        .split(&marker)
        .nth(1)
        .unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

impl Browser {
    /// Nobody is signed in.
    pub(crate) const fn empty() -> Self {
        Self {
            cookie: String::new(),
        }
    }

    /// Follows the link that was printed last.
    pub(crate) async fn signed_in(house: &House) -> Self {
        let log = house.node.log_text();
        let mut links = log.split_whitespace().rev();
        let link = links
            .find(|word| word.contains("/admin/welcome?link="))
            .expect("a link");
        let mut browser = Self::empty();
        let path = link.strip_prefix(&house.node.url).expect("our own link");
        let page = browser.get(house, path).await.text();
        let form = vec![("link", hidden(&page, "link")), ("csrf", hidden(&page, "csrf"))];
        let entered = browser.post(house, "/admin/welcome", &form).await;
        assert_eq!(entered.status, 303, "{}", entered.text());
        browser.cookie = entered.header("set-cookie").split(';').next().unwrap().to_owned();
        browser
    }

    /// Another browser of the same person: a node prints a link at every start.
    pub(crate) async fn another(house: &mut House) -> Self {
        house.node.terminate();
        assert!(house.node.wait().await);
        let path = house
            .resource
            .strip_prefix(&house.node.url)
            .expect("our own")
            .to_owned();
        house.node.begin().await;
        // It listens on another port now.
        house.resource = format!("{}{path}", house.node.url);
        Self::signed_in(house).await
    }

    async fn ask(
        &self,
        house: &House,
        (method, path): (&str, &str),
        headers: &[(&'static str, String)],
        body: String,
    ) -> Answer {
        let mut all = headers.to_vec();
        if !self.cookie.is_empty() {
            all.push(("cookie", self.cookie.clone()));
        }
        let url = format!("{}{path}", house.node.url);
        house.node.web.ask(method, &url, &all, body).await.unwrap()
    }

    pub(crate) async fn get(&self, house: &House, path: &str) -> Answer {
        self.ask(house, ("GET", path), &[], String::new()).await
    }

    pub(crate) async fn post(&self, house: &House, path: &str, fields: &[(&str, String)]) -> Answer {
        self.post_from(house, path, fields, "same-origin").await
    }

    /// Sends a form from a page of some site.
    pub(crate) async fn post_from(
        &self,
        house: &House,
        path: &str,
        fields: &[(&str, String)],
        site: &str,
    ) -> Answer {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("sec-fetch-site", site.to_owned()),
        ];
        self.ask(house, ("POST", path), &headers, encoded(fields)).await
    }

    pub(crate) async fn authorize(&self, house: &House, fields: &Fields) -> Answer {
        self.get(house, &format!("/authorize?{}", encoded(fields))).await
    }

    /// What the page's form sends.
    pub(crate) fn form(page: &Answer, decision: &str) -> Fields {
        let page = page.text();
        vec![
            (
                "csrf",
                hidden(page.split("action=\"/authorize\"").nth(1).unwrap(), "csrf"),
            ),
            ("request", hidden(&page, "request")),
            ("decision", decision.to_owned()),
            ("write", "yes".to_owned()),
        ]
    }

    /// Allows what a client asks for; the code.
    pub(crate) async fn code(&self, house: &House, client: &str) -> String {
        let page = self.authorize(house, &house.request(client)).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let answer = self.post(house, "/authorize", &Self::form(&page, "allow")).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        parameter(&answer, "code").expect("a code")
    }
}
