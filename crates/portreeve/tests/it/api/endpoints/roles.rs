//! Every endpoint for every role, on servers inside its scope and outside of it. Which right an endpoint needs stands here
//! once; who then gets in follows from the scope of a grant alone.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use portreeve_core::decision::Action;
use portreeve_core::grant::Rights;
use serde_json::{Value, json};

use super::super::house::House;
use super::{Row, table};

/// What an endpoint asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing, or a credential.
    Nothing,
    /// A right over everything.
    Whole(Action),
    /// A right over the server in its path or its content.
    There(Action),
    /// The same or the right to publish it.
    OrPublish(Action),
    /// A right over something, wherever.
    Somewhere(Action),
    /// One of two rights over everything.
    Either(Action, Action),
    /// A right over a server that nobody owns yet.
    New(Action),
    /// A right over a registry.
    Registry(Action),
}

use Action::{Approve, Audit, Manage, Operate, Publish, View};
use Need::{Either, New, Nothing, OrPublish, Registry, Somewhere, There, Whole};

/// What each endpoint needs that is not open. `{}` stands for `/api/v1/servers/{name}`.
const NEEDS: &[(&str, Need)] = &[
    ("PUT /v0.1/servers/{name}/versions/{version}", There(Publish)),
    (
        "PATCH /v0.1/servers/{name}/versions/{version}/status",
        There(Publish),
    ),
    ("PATCH /v0.1/servers/{name}/status", There(Publish)),
    ("POST /v0.1/publish", New(Publish)),
    ("POST /api/v1/servers", New(Publish)),
    ("DELETE {}", There(Manage)),
    ("PATCH {}", There(Publish)),
    ("GET {}/members", New(View)),
    ("POST {}/icons", OrPublish(Operate)),
    ("PATCH {}/versions/{version}", There(Publish)),
    ("POST {}/submit", There(Publish)),
    ("POST {}/versions/{version}/submit", There(Publish)),
    ("POST {}/approve", There(Approve)),
    ("POST {}/versions/{version}/approve", There(Approve)),
    ("POST {}/reject", There(Approve)),
    ("POST {}/versions/{version}/reject", There(Approve)),
    ("POST {}/lifecycle", There(Approve)),
    ("POST {}/versions/{version}/lifecycle", There(Approve)),
    ("POST {}/assess", There(Operate)),
    ("POST {}/versions/{version}/assess", There(Operate)),
    ("GET {}/versions/{version}/assessment", OrPublish(View)),
    ("GET {}/tools", There(View)),
    ("POST {}/tools/approve", There(Approve)),
    ("POST {}/tools/{tool}/hide", There(Approve)),
    ("POST {}/tools/{tool}/unhide", There(Approve)),
    ("POST {}/tools/refresh", There(Operate)),
    ("GET {}/plan", OrPublish(View)),
    ("GET {}/deployments", OrPublish(View)),
    ("PUT {}/deployments", There(Publish)),
    ("POST {}/deployments/approve", There(Approve)),
    ("POST {}/deployments/withdraw", OrPublish(Approve)),
    ("GET {}/origins", OrPublish(View)),
    ("GET {}/openapi", New(View)),
    ("POST {}/openapi", New(Publish)),
    ("POST {}/openapi/preview", New(Publish)),
    ("GET {}/logins", There(View)),
    // It names a secret of the vault, which belongs to everybody.
    ("PUT {}/logins", Whole(Operate)),
    ("DELETE {}/logins", There(Operate)),
    // The names of their entries are no test's own.
    (
        "POST /api/v1/partners/{partner}/servers/{server}/register",
        Whole(Publish),
    ),
    (
        "GET /api/v1/partners/{partner}/servers/{server}/update",
        Whole(Publish),
    ),
    (
        "POST /api/v1/partners/{partner}/servers/{server}/update",
        Whole(Publish),
    ),
    ("PUT /api/v1/partners/{partner}/state", Whole(Approve)),
    ("POST /api/v1/partner-catalogue/pull", Whole(Operate)),
    ("GET /api/v1/metadata-failures", Somewhere(View)),
    ("GET /api/v1/routes", Somewhere(View)),
    ("GET /api/v1/routes/{slug}", There(View)),
    ("PATCH /api/v1/routes/{slug}", There(Operate)),
    ("GET /api/v1/imports", Whole(View)),
    ("GET /api/v1/imports/{import}", Whole(View)),
    ("GET /api/v1/imports/{import}/records", Whole(View)),
    ("GET /api/v1/import-schedules", Whole(View)),
    ("POST /api/v1/imports", Whole(Operate)),
    ("POST /api/v1/imports/{import}/records", Whole(Operate)),
    ("POST /api/v1/imports/{import}/finish", Whole(Operate)),
    ("POST /api/v1/import-schedules", Whole(Operate)),
    ("POST /api/v1/import-schedules/end", Whole(Operate)),
    ("POST /api/v1/environments", Whole(Operate)),
    ("PATCH /api/v1/environments/{environment}", Whole(Operate)),
    ("DELETE /api/v1/environments/{environment}", Whole(Operate)),
    ("POST /api/v1/metadata-schemas", Whole(Operate)),
    ("PATCH /api/v1/metadata-schemas/{property}", Whole(Operate)),
    ("DELETE /api/v1/metadata-schemas/{property}", Whole(Operate)),
    ("POST /api/v1/registries", Whole(Manage)),
    ("PATCH /api/v1/registries/{registry}", Registry(Operate)),
    ("DELETE /api/v1/registries/{registry}", Whole(Manage)),
    ("GET /api/v1/webhooks", Whole(Operate)),
    ("POST /api/v1/webhooks", Whole(Operate)),
    ("GET /api/v1/webhooks/{webhook}", Whole(Operate)),
    ("PATCH /api/v1/webhooks/{webhook}", Whole(Operate)),
    ("DELETE /api/v1/webhooks/{webhook}", Whole(Operate)),
    ("POST /api/v1/webhooks/{webhook}/test", Whole(Operate)),
    ("POST /api/v1/webhooks/{webhook}/send-again", Whole(Operate)),
    ("GET /api/v1/webhooks/{webhook}/deliveries", Whole(Operate)),
    (
        "GET /api/v1/webhooks/{webhook}/deliveries/{delivery}",
        Whole(Operate),
    ),
    (
        "DELETE /api/v1/webhooks/{webhook}/deliveries/{delivery}",
        Whole(Operate),
    ),
    (
        "POST /api/v1/webhooks/{webhook}/deliveries/{delivery}/send-again",
        Whole(Operate),
    ),
    ("GET /api/v1/keys", Whole(Audit)),
    ("GET /api/v1/clients", Whole(Audit)),
    ("GET /api/v1/clients/{client}", Whole(Audit)),
    ("GET /api/v1/users", Whole(Audit)),
    ("GET /api/v1/users/{user}", Whole(Audit)),
    ("GET /api/v1/users/{user}/sessions", Whole(Audit)),
    ("GET /api/v1/groups", Whole(Audit)),
    // Who operates everything names them.
    ("GET /api/v1/secrets", Either(Audit, Operate)),
    ("GET /api/v1/secrets/{secret}", Whole(Audit)),
    ("GET /api/v1/audit", Whole(Audit)),
    ("GET /api/v1/audit/verify", Whole(Audit)),
    ("GET /api/v1/usage", Whole(Audit)),
    ("GET /api/v1/doctor", Whole(Audit)),
    ("GET /api/v1/grants", Somewhere(Audit)),
    ("GET /api/v1/policies", Whole(Audit)),
    ("GET /api/v1/policies/{policy}", Whole(Audit)),
    ("POST /api/v1/policies/{policy}/check", Whole(Audit)),
    ("POST /api/v1/policies/{policy}/dry-run", Whole(Audit)),
    ("POST /api/v1/policies/{policy}/test", Whole(Audit)),
    ("POST /api/v1/policy-tests", Whole(Audit)),
    ("PUT /api/v1/policies/{policy}", Whole(Manage)),
    ("POST /api/v1/policies/{policy}/enable", Whole(Manage)),
    ("POST /api/v1/policies/{policy}/disable", Whole(Manage)),
    ("DELETE /api/v1/policies/{policy}", Whole(Manage)),
    ("POST /api/v1/keys", Whole(Manage)),
    ("DELETE /api/v1/keys/{key}", Whole(Manage)),
    ("POST /api/v1/clients", Whole(Manage)),
    ("DELETE /api/v1/clients/{client}", Whole(Manage)),
    ("POST /api/v1/users", Whole(Manage)),
    ("PUT /api/v1/users/{user}/groups", Whole(Manage)),
    ("DELETE /api/v1/users/{user}/sessions", Whole(Manage)),
    ("POST /api/v1/users/{user}/reset", Whole(Manage)),
    ("POST /api/v1/users/{user}/disable", Whole(Manage)),
    ("POST /api/v1/users/{user}/enable", Whole(Manage)),
    ("DELETE /api/v1/users/{user}", Whole(Manage)),
    // It is about one server, and who manages what a group owns or a registry holds hands on that scope alone.
    ("POST /api/v1/grants", Whole(Manage)),
    ("DELETE /api/v1/grants/{grant}", Somewhere(Audit)),
    ("PUT /api/v1/secrets/{secret}", Whole(Manage)),
    ("DELETE /api/v1/secrets/{secret}", Whole(Manage)),
];

/// Those that answer everybody, strangers with what is listed for them.
const OPEN: &[&str] = &[
    "GET /v0.1/servers",
    "GET /v0.1/servers/{name}/versions",
    "GET /v0.1/servers/{name}/versions/{version}",
    "DELETE /v0.1/servers/{name}/versions/{version}",
    "POST /v0.1/validate",
    "POST /v0.1/auth/{method}",
    "GET /v0.1/health",
    "GET /v0.1/ping",
    "GET /v0.1/version",
    "GET /api/v1/openapi.json",
    "GET /api/v1/servers",
    "GET {}",
    "GET {}/icons",
    "GET {}/versions",
    "GET {}/versions/{version}",
    "GET {}/compare",
    "GET {}/install",
    "GET {}/versions/{version}/install",
    "GET {}/connector",
    "GET /api/v1/me/clients",
    "DELETE /api/v1/me/clients/{client}",
    "GET /api/v1/policy-schema",
    "GET /api/v1/waiting",
    // What became of each is in the answer.
    "POST /api/v1/waiting/approve",
    "GET /api/v1/partners",
    "GET /api/v1/partners/{partner}",
    "GET /api/v1/partner-catalogue",
    "GET /api/v1/deployments",
    "GET /api/v1/environments",
    "GET /api/v1/environments/{environment}",
    "GET /api/v1/metadata-schemas",
    "GET /api/v1/metadata-schemas/{property}",
    "GET /api/v1/registries",
    "GET /api/v1/registries/{registry}",
    "GET /api/v1/exports",
    "GET /api/v1/exports/{format}",
    "GET /api/v1/search",
    "GET /api/v1/whoami",
    "POST /api/v1/explain",
    "GET /api/v1/webhook-events",
    // `deciding` asks them of every role.
    "GET /api/v1/access-requests",
    "GET /api/v1/me/access-requests",
    "POST /api/v1/access-requests",
    "GET /api/v1/access-requests/{request}",
    "POST /api/v1/access-requests/{request}/grant",
    "POST /api/v1/access-requests/{request}/refuse",
    "POST /api/v1/access-requests/{request}/withdraw",
    "GET /api/v1/approvals",
    "GET /api/v1/approvals/{approval}",
    "POST /api/v1/approvals/{approval}/allow",
    "POST /api/v1/approvals/{approval}/deny",
];

fn line(row: &Row) -> String {
    let line = format!("{} {}", row.method, row.endpoint);
    line.replace("/api/v1/servers/{name}", "{}")
}

fn needs() -> BTreeMap<String, Need> {
    let open = OPEN.iter().map(|line| ((*line).to_owned(), Nothing));
    let asked = NEEDS.iter().map(|(line, need)| ((*line).to_owned(), *need));
    open.chain(asked).collect()
}

#[test]
fn every_endpoint_says_what_it_needs() {
    let listed: BTreeSet<String> = table().iter().map(line).collect();
    let said: BTreeSet<String> = needs().into_keys().collect();
    assert_eq!(listed, said);
}

/// Where the grant of a caller reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Nowhere,
    Everywhere,
    Owned,
    InRegistry,
}

/// Whose server a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Other,
}

struct Asker {
    key: String,
    rights: Rights,
    reach: Reach,
}

impl Asker {
    /// What the plain reading of the grant gives.
    fn gets_in(&self, need: Need, whose: Whose) -> bool {
        let has = |action| self.rights.includes(action);
        let there = match self.reach {
            Reach::Nowhere => false,
            Reach::Everywhere => true,
            Reach::Owned | Reach::InRegistry => whose == Whose::Own,
        };
        match need {
            Nothing => true,
            Whole(action) => self.reach == Reach::Everywhere && has(action),
            There(action) => there && has(action),
            OrPublish(action) => there && (has(action) || has(Publish)),
            Somewhere(action) => self.reach != Reach::Nowhere && has(action),
            // Nobody owns what does not exist; a registry knows it by its namespace.
            New(action) => there && self.reach != Reach::Owned && has(action),
            Either(one, other) => self.reach == Reach::Everywhere && (has(one) || has(other)),
            Registry(action) => {
                let here = self.reach == Reach::InRegistry && whose == Whose::Own;
                (self.reach == Reach::Everywhere || here) && has(action)
            }
        }
    }
}

const SERVERS: [(&str, bool); 9] = [
    ("billing", true),
    ("old", true),
    ("gg", true),
    ("gone", false),
    ("aa", false),
    ("bb", false),
    ("cc", false),
    ("dd", false),
    ("ee", false),
];

/// The same servers twice: in a namespace that a registry holds, owned by a group; and elsewhere.
async fn furnish(house: &House) {
    for namespace in ["com.own", "com.other"] {
        for (short, approve) in SERVERS {
            let name = format!("{namespace}/{short}");
            house.add(&name, "1.0.0", approve).await;
            let owners: &[&str] = if namespace == "com.own" { &["finance"] } else { &[] };
            let path = format!("/api/v1/servers/{}", name.replace('/', "%2F"));
            let request = (Method::PATCH, path.as_str());
            let content = json!({"ownerGroups": owners});
            let answer = house
                .call_with(&house.admin, request, content, &[("if-match", "*")])
                .await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
    for (name, namespace) in [("own", "com.own"), ("others", "com.other")] {
        let registry =
            json!({"name": name, "visibility": "members", "selection": {"namespaces": [namespace]}});
        let made = house.admin_post("/api/v1/registries", registry).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
}

async fn askers(house: &House) -> Vec<Asker> {
    let roles = ["viewer", "publisher", "approver", "operator", "auditor", "admin"];
    let scopes = [
        (Reach::Everywhere, json!("all")),
        (Reach::Owned, json!({"owner": "finance"})),
        (Reach::InRegistry, json!({"registry": "own"})),
    ];
    let mut askers = Vec::new();
    for role in roles {
        for (index, (reach, scope)) in scopes.iter().enumerate() {
            let name = format!("{role}-{index}");
            let key = house
                .admin_post("/api/v1/keys", json!({"name": name}))
                .await
                .json();
            let grant = json!({"subject": {"key": name}, "rights": role, "servers": scope});
            let made = house.admin_post("/api/v1/grants", grant).await;
            assert_eq!(made.status, 201, "{made:?}");
            assert_eq!(made.json()["role"], role);
            askers.push(Asker {
                key: key["secret"].as_str().unwrap().to_owned(),
                rights: Rights::from_word(made.json()["rights"].as_str().unwrap()).unwrap(),
                reach: *reach,
            });
        }
    }
    askers.push(Asker {
        key: house.stranger.clone(),
        rights: Rights::Use,
        reach: Reach::Nowhere,
    });
    askers
}

async fn slug_of(house: &House, server: &str) -> String {
    let request = (Method::GET, "/api/v1/routes?limit=100");
    let answer = house.call_with(&house.admin, request, Value::Null, &[]).await;
    let routes = answer.json()["items"].as_array().unwrap().clone();
    let route = routes.iter().find(|route| route["server"] == server).unwrap();
    route["slug"].as_str().unwrap().to_owned()
}

/// The row as it is asked about one's own servers, or about another's.
fn about(row: &Row, slugs: &[String; 2], whose: Whose) -> (String, Value) {
    let (namespace, slug, registry) = match whose {
        Whose::Own => ("com.own", &slugs[0], "/registries/own"),
        Whose::Other => ("com.other", &slugs[1], "/registries/others"),
    };
    let route = format!("/routes/{slug}");
    let path = row.path.replace("com.acme", namespace);
    let path = path
        .replace("/routes/billing", &route)
        .replace("/registries/partners", registry);
    let text = row.content.to_string().replace("com.acme", namespace);
    let mut content: Value = serde_json::from_str(&text).unwrap();
    match line(row).as_str() {
        "PATCH /api/v1/registries/{registry}" => content = json!({"title": "Another title"}),
        // Tags of what is approved are for approvers.
        "PATCH {}" => content = json!({"owners": ["user:ada"]}),
        _ => {}
    }
    (path, content)
}

/// Each question is put first by who may not ask it: what they leave behind would be seen by the others.
#[tokio::test]
async fn every_role_gets_what_its_scope_says() {
    let house = House::new().await;
    furnish(&house).await;
    let askers = askers(&house).await;
    let slugs = [
        slug_of(&house, "com.own/billing").await,
        slug_of(&house, "com.other/billing").await,
    ];
    let needs = needs();
    let mut wrong = Vec::new();
    let mut asked = 0;
    for gets_in in [false, true] {
        for row in table() {
            let need = needs[&line(&row)];
            if need == Nothing {
                continue;
            }
            for whose in [Whose::Own, Whose::Other] {
                let (path, content) = about(&row, &slugs, whose);
                for asker in &askers {
                    // What somebody gets who may, is in the other table, for one who may; here one of each role is let in
                    // to read, and nobody to make what the next one needs go away.
                    if asker.gets_in(need, whose) != gets_in || (gets_in && row.method == Method::DELETE) {
                        continue;
                    }
                    asked += 1;
                    let changes = matches!(row.method, Method::PATCH | Method::PUT) && row.expected[2] != 201;
                    let headers: &[_] = if changes { &[("if-match", "*")] } else { &[] };
                    let request = (row.method.clone(), path.as_str());
                    let answer = house
                        .call_with(&asker.key, request, content.clone(), headers)
                        .await;
                    let status = answer.status.as_u16();
                    let refused = matches!(status, 401 | 403)
                        || (status == 404 && row.expected[2] != 404 && !is_made_below(&row));
                    let is_right = if gets_in {
                        !refused
                    } else {
                        matches!(status, 401 | 403 | 404)
                    };
                    if !is_right {
                        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
                        wrong.push(format!(
                            "{} {path}: {:?} over {:?} got {status}, and gets in: {gets_in}. {text}",
                            row.method, asker.rights, asker.reach
                        ));
                    }
                }
            }
        }
    }
    assert!(asked > 2_000, "{asked}");
    assert!(
        wrong.is_empty(),
        "{} of {asked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Things that the other table makes on its way, and this one need not have.
fn is_made_below(row: &Row) -> bool {
    let made = [
        "webhooks/",
        "users/",
        "clients/",
        "secrets/",
        "keys/",
        "environments/",
        "metadata-schemas/",
        "import-schedules/",
    ];
    made.iter().any(|part| row.path.contains(part))
        || row.path.contains("%2Fall/")
        || row.path.contains("harbour")
}
