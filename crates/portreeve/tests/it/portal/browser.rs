//! A browser without scripts: follows nothing by itself, keeps one cookie, says where its forms come from.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use portreeve_core::id::UserId;
use tower::ServiceExt;
use url::form_urlencoded::Serializer;

use super::world::World;

pub(crate) struct Browser {
    router: Router,
    /// The session's.
    pub(crate) cookie: Option<String>,
    /// The others, by name.
    pub(crate) jar: BTreeMap<String, String>,
}

/// An answer, read to its end.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// The value of a hidden field of the form that goes to `action`.
    pub(crate) fn hidden(&self, action: &str, name: &str) -> Vec<String> {
        let form = self
            .body
            .split("<form")
            .find(|form| form.contains("method=\"post\"") && form.contains(&format!("action=\"{action}\"")))
            .unwrap();
        let form = form.split("</form>").next().unwrap();
        let marker = format!("name=\"{name}\" value=\"");
        form.split(&marker)
            .skip(1)
            .map(|rest| unescape(rest.split('"').next().unwrap()))
            .collect()
    }
}

fn unescape(text: &str) -> String {
    text.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

impl Browser {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            router: world.router.clone(),
            cookie: None,
            jar: BTreeMap::new(),
        }
    }

    /// A browser in which somebody signed in, by the link and through the form.
    pub(crate) async fn signed_in(world: &World, user: UserId) -> Self {
        let mut browser = Self::new(world);
        let link = world.link(user).await.unwrap();
        let page = browser.get(&format!("/admin/welcome?link={link}")).await;
        let token = page.hidden("/admin/welcome", "csrf").remove(0);
        let page = browser
            .post("/admin/welcome", &[("link", &link), ("csrf", &token)])
            .await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        browser
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send(Request::get(path), Body::empty()).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_from(path, fields, &[("sec-fetch-site", "same-origin")])
            .await
    }

    pub(crate) async fn post_from(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        origin: &[(&str, &str)],
    ) -> Page {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(fields);
        let mut request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in origin {
            request = request.header(*name, *value);
        }
        self.send(request, Body::from(form.finish())).await
    }

    /// Sends a form that carries files, from our own page.
    pub(crate) async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str)],
    ) -> Page {
        const BORDER: &str = "a-border-that-nobody-writes";
        let mut body = String::new();
        for (name, value) in fields {
            body.push_str(&format!(
                "--{BORDER}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        for (place, text) in files {
            body.push_str(&format!(
                "--{BORDER}\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{place}\"\r\n\
                 content-type: application/json\r\n\r\n{text}\r\n"
            ));
        }
        body.push_str(&format!("--{BORDER}--\r\n"));
        let request = Request::post(path)
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BORDER}"))
            .header("sec-fetch-site", "same-origin");
        self.send(request, Body::from(body)).await
    }

    async fn send(&mut self, mut request: http::request::Builder, body: Body) -> Page {
        let others = self.jar.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies: Vec<String> = self.cookie.iter().cloned().chain(others).collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let (head, body) = response.into_parts();
        for set in head.headers.get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            let (name, value) = pair.split_once('=').unwrap();
            if name.ends_with("session") {
                self.cookie = Some(pair.clone()).filter(|_| !value.is_empty());
            } else if value.is_empty() {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        Page {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}
