//! A tool is called from a page, by somebody who signed in, through the corridor that every host walks.

use serde_json::{Value, json};

use crate::node::Node;
use crate::web::Answer;

const API: &str = "/servers/com.example/chandler/try";

/// A browser with one cookie.
pub(super) struct Visitor<'a> {
    node: &'a Node,
    cookie: String,
}

fn token(page: &str, action: &str) -> String {
    let form = page
        .split("<form")
        .find(|form| form.contains(&format!("action=\"{action}\"")));
    let form = form.unwrap_or_else(|| panic!("no form for {action}: {page}"));
    let token = form.split("name=\"csrf\" value=\"").nth(1).unwrap();
    token.split('"').next().unwrap().to_owned()
}

impl<'a> Visitor<'a> {
    /// Follows the printed link.
    pub(super) async fn signed_in(node: &'a Node) -> Self {
        let log = node.log_text();
        let link = log
            .split_whitespace()
            .find(|word| word.contains("/admin/welcome?link="));
        let link = link.unwrap_or_else(|| panic!("no link: {log}"));
        let page = node.web.get(link).await.unwrap().text();
        let mut visitor = Self {
            node,
            cookie: String::new(),
        };
        let secret = link.rsplit('=').next().unwrap();
        let token = token(&page, "/admin/welcome");
        let entered = visitor
            .post("/admin/welcome", &[("csrf", &token), ("link", secret)])
            .await;
        assert_eq!(entered.status, 303, "{}", entered.text());
        visitor.cookie = entered.header("set-cookie").split(';').next().unwrap().to_owned();
        visitor
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Answer {
        let mut all = vec![
            ("cookie", self.cookie.clone()),
            ("sec-fetch-site", "same-origin".to_owned()),
        ];
        all.retain(|(_, value)| !value.is_empty());
        all.extend(headers.iter().cloned());
        let url = format!("{}{path}", self.node.url);
        self.node.web.ask(method, &url, &all, body).await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], String::new()).await
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let kind = ("content-type", "application/x-www-form-urlencoded".to_owned());
        self.ask("POST", path, &[kind], form.finish()).await
    }

    /// The same as the script of a page sends it.
    pub(super) async fn post_accepting(&self, path: &str, fields: &[(&str, &str)], accept: &str) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let kind = ("content-type", "application/x-www-form-urlencoded".to_owned());
        let accept = ("accept", accept.to_owned());
        self.ask("POST", path, &[kind, accept], form.finish()).await
    }

    /// The token of a form on a page.
    pub(super) async fn token(&self, page: &str, action: &str) -> String {
        let shown = self.get(page).await;
        assert_eq!(shown.status, 200, "{}", shown.text());
        token(&shown.text(), action)
    }

    /// Tries what is no tool from its page.
    pub(super) async fn tried(
        &self,
        place: &str,
        (kind, name): (&str, &str),
        fields: &[(&str, &str)],
    ) -> String {
        let token = self.token(&format!("{place}?{kind}={name}"), place).await;
        let mut all = vec![("csrf", token.as_str())];
        all.extend(fields);
        let answered = self.post(place, &all).await;
        assert_eq!(answered.status, 200, "{}", answered.text());
        answered.text()
    }

    /// Calls a tool from its page.
    pub(super) async fn call(&self, place: &str, tool: &str, arguments: &Value) -> String {
        let page = self.get(&format!("{place}?tool={tool}")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let token = token(&page.text(), place);
        let arguments = arguments.to_string();
        let fields = [
            ("csrf", token.as_str()),
            ("tool", tool),
            ("arguments", &arguments),
        ];
        let answered = self.post(place, &fields).await;
        assert_eq!(answered.status, 200, "{}", answered.text());
        answered.text()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn j3_a_tool_runs_from_its_page_with_the_visitors_right() {
    let node = Node::start_with(&["--demo"]).await;
    let visitor = Visitor::signed_in(&node).await;
    let server = visitor.get("/servers/com.example/chandler").await.text();
    assert!(server.contains("/try?tool=find%5Fparts"), "{server}");

    let begun = visitor.get(&format!("{API}?tool=show_part")).await.text();
    assert!(
        begun.contains("&#34;sku&#34;"),
        "what is required stands there: {begun}"
    );
    let found = visitor.call(API, "find_parts", &json!({"word": "cleat"})).await;
    assert!(
        found.contains("The tool answered") && found.contains("DK-110"),
        "{found}"
    );
    let picture = visitor.call(API, "show_picture", &json!({"sku": "SF-410"})).await;
    assert!(
        picture.contains("src=\"data:image/png;base64,iVBORw0KGgo"),
        "{picture}"
    );
    let failed = visitor.call(API, "show_part", &json!({"sku": "ZZ-999"})).await;
    assert!(
        failed.contains("says that it failed") && failed.contains("404"),
        "{failed}"
    );
    let refused = visitor.call(API, "show_part", &json!({"sku": "dk"})).await;
    assert!(
        refused.contains("The gateway refused it (-32602)") && refused.contains("/sku"),
        "{refused}"
    );
    // The MCP server next to it, too.
    let ships = visitor
        .call(
            "/servers/com.example/port/try",
            "list_ships",
            &json!({"quay": "north"}),
        )
        .await;
    assert!(
        ships.contains("Aurelia") && !ships.contains("Cormorant"),
        "{ships}"
    );

    // It stands in the audit log as every call does, and the limit counts it.
    let audit = node.cli_json(&["audit", "list", "--limit", "100"]).to_string();
    for tool in ["find_parts", "show_picture", "show_part", "list_ships"] {
        assert!(audit.contains(tool), "{tool}: {audit}");
    }
    node.cli_json(&[
        "policy",
        "set",
        "com.example/chandler",
        "rate_limit",
        "--calls",
        "1",
        "--per",
        "3600s",
    ]);
    let mut limited = String::new();
    for _ in 0..50 {
        limited = visitor.call(API, "find_parts", &json!({})).await;
        if limited.contains("refused it") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(limited.contains("refused it"), "{limited}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_tries_what_is_not_there_for_him() {
    let node = Node::start_with(&["--demo"]).await;
    let visitor = Visitor::signed_in(&node).await;
    let unknown = visitor.get(&format!("{API}?tool=takeStock")).await;
    assert_eq!(unknown.status, 404);
    let stranger = Visitor {
        node: &node,
        cookie: String::new(),
    };
    assert_eq!(stranger.get(&format!("{API}?tool=find_parts")).await.status, 403);
    let forged = visitor
        .post(API, &[("tool", "find_parts"), ("arguments", "{}")])
        .await;
    assert_eq!(forged.status, 403, "a form needs its token");
    let page = visitor.get(&format!("{API}?tool=find_parts")).await.text();
    let token = token(&page, API);
    let fields = [
        ("csrf", token.as_str()),
        ("tool", "find_parts"),
        ("arguments", "[1"),
    ];
    let broken = visitor.post(API, &fields).await;
    assert_eq!(broken.status, 422);
    assert!(
        broken.text().contains("This is not JSON") && broken.text().contains("[1"),
        "{}",
        broken.text()
    );
}
