//! A browser without scripts that keeps its cookies and follows nothing by itself.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::node::Node;
use crate::web::{Answer, Web};

/// A browser at one node.
pub(super) struct Jar {
    web: Web,
    origin: String,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl Jar {
    pub(super) fn new(node: &Node) -> Self {
        Self {
            web: node.web.clone(),
            origin: node.url.clone(),
            cookies: RefCell::default(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, String::new()).await
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.ask("POST", path, form.finish()).await
    }

    async fn ask(&self, method: &str, path: &str, body: String) -> Answer {
        let url = match path.strip_prefix('/') {
            Some(_) => format!("{}{path}", self.origin),
            None => path.to_owned(),
        };
        let cookies: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut headers = vec![
            ("sec-fetch-site", "same-origin".to_owned()),
            ("user-agent", "Jar/1".to_owned()),
        ];
        if !cookies.is_empty() {
            headers.push(("cookie", cookies.join("; ")));
        }
        if method == "POST" {
            headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        }
        let answer = self.web.ask(method, &url, &headers, body).await.unwrap();
        for set in answer.headers.get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.borrow_mut();
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Who is signed in, as the page says it.
    pub(super) async fn who(&self) -> Option<String> {
        let page = self.get("/account").await.text();
        let rest = page.split("Signed in as </span>").nth(1)?;
        rest.split('<').next().map(str::to_owned)
    }
}

/// The value of a hidden field.
pub(super) fn hidden(page: &Answer, action: &str, name: &str) -> String {
    let text = page.text();
    let form = text
        .split("<form")
        .find(|form| form.contains(&format!("action=\"{action}\"")))
        .unwrap_or_else(|| panic!("no form to {action}: {text}"));
    let value = form.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
    value.split('"').next().unwrap().replace("&#38;", "&")
}
