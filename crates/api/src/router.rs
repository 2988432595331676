//! The routers of both faces. Every endpoint is mounted through [`Endpoints`], which keeps the list that the table
//! test and the OpenAPI document are compared with.
//!
//! Before it: `enter.rs`, which brings paths into one form. After it: `registry_api.rs` and `management/`.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::routing::{MethodFilter, any, on};
use http::Method;

use crate::enter::{Entrance, enter};
use crate::path::Face;
use crate::problem::Problem;
use crate::{Api, ApiParts, badge, cards, icons, management, oauth, openapi, registry_api, well_known};

/// A method at a path. Paths of the registry API stand under `/v0.1`, and work under `/v0` as well; all of them also
/// behind `/registries/{registry}` and `/workspaces/{registry}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The method; `HEAD` works wherever `GET` does.
    pub method: Method,
    /// The path with its variable parts in braces.
    pub path: &'static str,
}

/// The router of everything that this crate serves.
pub fn router(parts: ApiParts) -> Router {
    let documents = well_known::router(Arc::clone(&parts.gateway));
    let tokens = oauth::router(Arc::clone(&parts.oauth), Arc::clone(&parts.access));
    let api: Api = Arc::new(parts);
    let registry = Entrance {
        face: Face::Registry,
        inner: finished(registry(), &api),
        api: Arc::clone(&api),
    };
    let management = Entrance {
        face: Face::Management,
        inner: finished(management(), &api),
        api: Arc::clone(&api),
    };
    let mut registry_router = Router::new();
    for place in ["", "/registries/{registry}", "/workspaces/{registry}"] {
        for path in ["/v0.1", "/v0.1/", "/v0.1/{*rest}", "/v0", "/v0/", "/v0/{*rest}"] {
            registry_router = registry_router.route(&format!("{place}{path}"), any(enter));
        }
    }
    let mut management_router = Router::new();
    for path in ["/api/v1", "/api/v1/", "/api/v1/{*rest}"] {
        management_router = management_router.route(path, any(enter));
    }
    registry_router
        .with_state(registry)
        .merge(management_router.with_state(management))
        .merge(documents)
        .merge(tokens)
        .merge(cards::router(Arc::clone(&api)))
        .merge(badge::router())
        .merge(icons::router(api))
}

/// Everything that the router serves.
pub fn endpoints() -> Vec<Endpoint> {
    let mut all = registry().listed;
    all.extend(management().listed);
    all
}

fn finished(endpoints: Endpoints, api: &Api) -> Router {
    endpoints
        .router
        .fallback(|request: Request| async move { Problem::no_such_path(request.uri().path()) })
        .method_not_allowed_fallback(|method: Method| async move { Problem::method_not_allowed(&method) })
        .with_state(Arc::clone(api))
}

/// A router that remembers what was mounted.
struct Endpoints {
    router: Router<Api>,
    listed: Vec<Endpoint>,
}

impl Endpoints {
    fn new() -> Self {
        Self {
            router: Router::new(),
            listed: Vec::new(),
        }
    }

    fn get<H: Handler<T, Api>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.mount((Method::GET, MethodFilter::GET), path, handler)
    }

    fn post<H: Handler<T, Api>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.mount((Method::POST, MethodFilter::POST), path, handler)
    }

    fn put<H: Handler<T, Api>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.mount((Method::PUT, MethodFilter::PUT), path, handler)
    }

    fn patch<H: Handler<T, Api>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.mount((Method::PATCH, MethodFilter::PATCH), path, handler)
    }

    fn delete<H: Handler<T, Api>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.mount((Method::DELETE, MethodFilter::DELETE), path, handler)
    }

    fn mount<H: Handler<T, Api>, T: 'static>(
        mut self,
        (method, filter): (Method, MethodFilter),
        path: &'static str,
        handler: H,
    ) -> Self {
        self.router = self.router.route(path, on(filter, handler));
        self.listed.push(Endpoint { method, path });
        self
    }
}

/// The official registry API of every registry: read by whom its view is for, written by publishers.
fn registry() -> Endpoints {
    use registry_api::{auth, publishing};
    Endpoints::new()
        .get("/v0.1/servers", registry_api::servers)
        .get("/v0.1/servers/{name}/versions", registry_api::versions)
        .get("/v0.1/servers/{name}/versions/{version}", registry_api::version)
        .put("/v0.1/servers/{name}/versions/{version}", publishing::edit)
        .delete("/v0.1/servers/{name}/versions/{version}", publishing::delete)
        .patch(
            "/v0.1/servers/{name}/versions/{version}/status",
            publishing::set_status,
        )
        .patch("/v0.1/servers/{name}/status", publishing::set_status_of_all)
        .post("/v0.1/publish", publishing::publish)
        .post("/v0.1/validate", publishing::validate)
        .post("/v0.1/auth/{method}", auth::prove)
        .get("/v0.1/health", registry_api::health)
        .get("/v0.1/ping", registry_api::ping)
        .get("/v0.1/version", registry_api::about)
}

/// Who is told of changes.
fn approvals(endpoints: Endpoints) -> Endpoints {
    use management::approvals;
    endpoints
        .get("/api/v1/approvals", approvals::list)
        .get("/api/v1/approvals/{approval}", approvals::show)
        .post("/api/v1/approvals/{approval}/allow", approvals::allow)
        .post("/api/v1/approvals/{approval}/deny", approvals::deny)
}

/// Who asks to use what.
fn access_requests(endpoints: Endpoints) -> Endpoints {
    use management::access_requests;
    endpoints
        .get("/api/v1/access-requests", access_requests::list)
        .post("/api/v1/access-requests", access_requests::ask)
        .get("/api/v1/me/access-requests", access_requests::mine)
        .get("/api/v1/access-requests/{request}", access_requests::show)
        .post("/api/v1/access-requests/{request}/grant", access_requests::grant)
        .post(
            "/api/v1/access-requests/{request}/refuse",
            access_requests::refuse,
        )
        .post(
            "/api/v1/access-requests/{request}/withdraw",
            access_requests::withdraw,
        )
}

fn webhooks(endpoints: Endpoints) -> Endpoints {
    use management::webhooks;
    let one = "/api/v1/webhooks/{webhook}/deliveries/{delivery}";
    endpoints
        .get("/api/v1/webhook-events", webhooks::kinds)
        .get("/api/v1/webhooks", webhooks::list)
        .post("/api/v1/webhooks", webhooks::create)
        .get("/api/v1/webhooks/{webhook}", webhooks::show)
        .patch("/api/v1/webhooks/{webhook}", webhooks::change)
        .delete("/api/v1/webhooks/{webhook}", webhooks::remove)
        .post("/api/v1/webhooks/{webhook}/test", webhooks::test)
        .post("/api/v1/webhooks/{webhook}/send-again", webhooks::send_dead_again)
        .get("/api/v1/webhooks/{webhook}/deliveries", webhooks::deliveries)
        .get(one, webhooks::delivery)
        .delete(one, webhooks::drop_one)
        .post(
            "/api/v1/webhooks/{webhook}/deliveries/{delivery}/send-again",
            webhooks::send_again,
        )
}

/// What administrators govern beside entries.
fn governed(endpoints: Endpoints) -> Endpoints {
    use management::{deployments, environments, properties, registries, rest};
    endpoints
        .get("/api/v1/servers/{name}/openapi", rest::show)
        .post("/api/v1/servers/{name}/openapi", rest::import)
        .post("/api/v1/servers/{name}/openapi/preview", rest::preview)
        .get("/api/v1/servers/{name}/plan", deployments::plan)
        .get("/api/v1/servers/{name}/deployments", deployments::list)
        .put("/api/v1/servers/{name}/deployments", deployments::replace)
        .post("/api/v1/servers/{name}/deployments/approve", deployments::approve)
        .post(
            "/api/v1/servers/{name}/deployments/withdraw",
            deployments::withdraw,
        )
        .get("/api/v1/deployments", deployments::all)
        .get("/api/v1/environments", environments::list)
        .post("/api/v1/environments", environments::create)
        .get("/api/v1/environments/{environment}", environments::show)
        .patch("/api/v1/environments/{environment}", environments::change)
        .delete("/api/v1/environments/{environment}", environments::remove)
        .get("/api/v1/metadata-schemas", properties::list)
        .post("/api/v1/metadata-schemas", properties::create)
        .get("/api/v1/metadata-schemas/{property}", properties::show)
        .patch("/api/v1/metadata-schemas/{property}", properties::change)
        .delete("/api/v1/metadata-schemas/{property}", properties::remove)
        .get("/api/v1/registries", registries::list)
        .post("/api/v1/registries", registries::create)
        .get("/api/v1/registries/{registry}", registries::show)
        .patch("/api/v1/registries/{registry}", registries::change)
        .delete("/api/v1/registries/{registry}", registries::remove)
}

/// What is taken over from elsewhere, and what waits for a decision.
fn incoming(endpoints: Endpoints) -> Endpoints {
    use management::{imports, waiting};
    endpoints
        .get("/api/v1/waiting", waiting::list)
        .post("/api/v1/waiting/approve", waiting::approve)
        .get("/api/v1/metadata-failures", waiting::failing)
        .get("/api/v1/servers/{name}/origins", imports::origins)
        .get("/api/v1/imports", imports::list)
        .post("/api/v1/imports", imports::begin)
        .get("/api/v1/imports/{import}", imports::show)
        .get("/api/v1/imports/{import}/records", imports::records)
        .post("/api/v1/imports/{import}/records", imports::upload)
        .post("/api/v1/imports/{import}/finish", imports::finish)
        .get("/api/v1/import-schedules", imports::schedules)
        .post("/api/v1/import-schedules", imports::schedule)
        .post("/api/v1/import-schedules/end", imports::unschedule)
}

/// Partners, and the catalogue that they come from.
fn partners(endpoints: Endpoints) -> Endpoints {
    use management::partners;
    endpoints
        .get("/api/v1/partners", partners::list)
        .get("/api/v1/partners/{partner}", partners::show)
        .put("/api/v1/partners/{partner}/state", partners::set_state)
        .post(
            "/api/v1/partners/{partner}/servers/{server}/register",
            partners::register,
        )
        .get(
            "/api/v1/partners/{partner}/servers/{server}/update",
            partners::changes,
        )
        .post(
            "/api/v1/partners/{partner}/servers/{server}/update",
            partners::update,
        )
        .get("/api/v1/partner-catalogue", partners::status)
        .post("/api/v1/partner-catalogue/pull", partners::pull)
}

/// Users, and the groups that they belong to.
fn people(endpoints: Endpoints) -> Endpoints {
    use management::users;
    endpoints
        .get("/api/v1/users", users::list)
        .post("/api/v1/users", users::create)
        .get("/api/v1/users/{user}", users::show)
        .delete("/api/v1/users/{user}", users::remove)
        .post("/api/v1/users/{user}/disable", users::disable)
        .post("/api/v1/users/{user}/enable", users::enable)
        .post("/api/v1/users/{user}/reset", users::reset)
        .put("/api/v1/users/{user}/groups", users::set_groups)
        .get("/api/v1/users/{user}/sessions", users::sessions)
        .delete("/api/v1/users/{user}/sessions", users::end_sessions)
        .get("/api/v1/groups", users::groups)
}

/// The versions of a server.
fn versions(endpoints: Endpoints) -> Endpoints {
    use management::{assess, install, profile, servers, steps};
    endpoints
        .get("/api/v1/servers/{name}/versions", servers::versions)
        .get("/api/v1/servers/{name}/versions/{version}", servers::version)
        .patch(
            "/api/v1/servers/{name}/versions/{version}",
            profile::change_version,
        )
        .post(
            "/api/v1/servers/{name}/versions/{version}/submit",
            steps::submit_version,
        )
        .post(
            "/api/v1/servers/{name}/versions/{version}/approve",
            steps::approve_version,
        )
        .post(
            "/api/v1/servers/{name}/versions/{version}/reject",
            steps::reject_version,
        )
        .post(
            "/api/v1/servers/{name}/versions/{version}/lifecycle",
            steps::lifecycle_version,
        )
        .post(
            "/api/v1/servers/{name}/versions/{version}/assess",
            assess::version,
        )
        .get(
            "/api/v1/servers/{name}/versions/{version}/assessment",
            assess::show,
        )
        .get("/api/v1/servers/{name}/install", install::show)
        .get(
            "/api/v1/servers/{name}/versions/{version}/install",
            install::show_version,
        )
        .get("/api/v1/servers/{name}/connector", install::connector)
}

/// Rules as text, beside the grants.
fn access_policies(endpoints: Endpoints) -> Endpoints {
    use management::access_policies;
    endpoints
        .get("/api/v1/policies", access_policies::list)
        .get("/api/v1/policies/{policy}", access_policies::show)
        .put("/api/v1/policies/{policy}", access_policies::set)
        .delete("/api/v1/policies/{policy}", access_policies::remove)
        .post("/api/v1/policies/{policy}/enable", access_policies::enable)
        .post("/api/v1/policies/{policy}/disable", access_policies::disable)
        .post("/api/v1/policies/{policy}/check", access_policies::check)
        .post("/api/v1/policies/{policy}/dry-run", access_policies::dry_run)
        .post("/api/v1/policies/{policy}/test", access_policies::test)
        .post("/api/v1/policy-tests", access_policies::test_all)
        .get("/api/v1/policy-schema", access_policies::schema)
}

/// The management API.
fn management() -> Endpoints {
    use management::{
        assess, audit, clients, compare, doctor, explain, exports, grants, icons, keys, logins, members,
        profile, routes, search, secrets, servers, steps, tools, usage, whoami,
    };
    people(versions(incoming(partners(approvals(webhooks(governed(
        access_policies(access_requests(Endpoints::new())),
    )))))))
    .get("/api/v1/openapi.json", openapi::show)
    .get("/api/v1/servers", servers::list)
    .post("/api/v1/servers", servers::add)
    .get("/api/v1/servers/{name}", servers::show)
    .patch("/api/v1/servers/{name}", profile::change)
    .delete("/api/v1/servers/{name}", servers::remove)
    .post("/api/v1/servers/{name}/submit", steps::submit)
    .post("/api/v1/servers/{name}/approve", steps::approve)
    .post("/api/v1/servers/{name}/reject", steps::reject)
    .post("/api/v1/servers/{name}/lifecycle", steps::lifecycle)
    .get("/api/v1/servers/{name}/compare", compare::show)
    .post("/api/v1/servers/{name}/assess", assess::server)
    .get("/api/v1/servers/{name}/tools", tools::list)
    .post("/api/v1/servers/{name}/tools/approve", tools::approve)
    .post("/api/v1/servers/{name}/tools/refresh", tools::refresh)
    .post("/api/v1/servers/{name}/tools/{tool}/hide", tools::hide)
    .post("/api/v1/servers/{name}/tools/{tool}/unhide", tools::unhide)
    .get("/api/v1/servers/{name}/icons", icons::list)
    .post("/api/v1/servers/{name}/icons", icons::fetch)
    .get("/api/v1/servers/{name}/members", members::list)
    .get("/api/v1/servers/{name}/logins", logins::list)
    .put("/api/v1/servers/{name}/logins", logins::set)
    .delete("/api/v1/servers/{name}/logins", logins::remove)
    .get("/api/v1/search", search::find)
    .get("/api/v1/routes", routes::list)
    .get("/api/v1/routes/{slug}", routes::show)
    .patch("/api/v1/routes/{slug}", routes::change)
    .get("/api/v1/exports", exports::list)
    .get("/api/v1/exports/{format}", exports::show)
    .get("/api/v1/keys", keys::list)
    .post("/api/v1/keys", keys::create)
    .delete("/api/v1/keys/{key}", keys::revoke)
    .get("/api/v1/clients", clients::list)
    .post("/api/v1/clients", clients::create)
    .get("/api/v1/clients/{client}", clients::show)
    .delete("/api/v1/clients/{client}", clients::remove)
    .get("/api/v1/me/clients", clients::mine)
    .delete("/api/v1/me/clients/{client}", clients::forget)
    .get("/api/v1/grants", grants::list)
    .post("/api/v1/grants", grants::add)
    .delete("/api/v1/grants/{grant}", grants::remove)
    .get("/api/v1/secrets", secrets::list)
    .get("/api/v1/secrets/{secret}", secrets::show)
    .put("/api/v1/secrets/{secret}", secrets::set)
    .delete("/api/v1/secrets/{secret}", secrets::delete)
    .get("/api/v1/whoami", whoami::show)
    .get("/api/v1/audit", audit::list)
    .get("/api/v1/audit/verify", audit::verify)
    .get("/api/v1/usage", usage::list)
    .get("/api/v1/doctor", doctor::examine)
    .post("/api/v1/explain", explain::explain)
}
