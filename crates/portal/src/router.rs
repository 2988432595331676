//! Which address is which page.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::Uri;
use portreeve_access::{Access, AccessRequests, Approvals, AuthorizationServer, Login, Vault};
use portreeve_core::limits::Limits;
use portreeve_core::ports::Refresh;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::Clock;
use portreeve_gateway::Gateway;
use portreeve_insight::{Insight, Webhooks};
use portreeve_registry::Registry;
use portreeve_registry::partners::Partners;
use url::Url;

use crate::assets::Assets;
use crate::brand::Brand;
use crate::cookie::Cookie;
use crate::failure::Failure;
use crate::forms::Forms;
use crate::{
    access_policies, access_requests, account, approvals, audit, authorize, clients, deployed, deployments,
    discover, environments, exports, frame, governed, grants, home, hosts, imports, logins, profile,
    properties, registries, rest, review, secrets, server, sign_in, stages, submit, tools, try_tool, usage,
    users, waiting, webhooks,
};

/// Most bytes of a form. The largest approves every tool of a server at once.
const FORM_BYTES: usize = 1024 * 1024;

/// What the portal is made of.
pub struct PortalParts {
    /// Servers, versions, tools.
    pub registry: Arc<Registry>,
    /// Partners' servers.
    pub partners: Arc<Partners>,
    /// Sessions, and who may do what.
    pub access: Arc<Access>,
    /// Asks visitors what clients may do in their name.
    pub oauth: Arc<AuthorizationServer>,
    /// Who signs in.
    pub login: Arc<Login>,
    /// Calls tools for visitors.
    pub gateway: Arc<Gateway>,
    /// Named secrets.
    pub vault: Arc<Vault>,
    /// Requests for access.
    pub access_requests: Arc<AccessRequests>,
    /// Calls that a person must allow first.
    pub approvals: Arc<Approvals>,
    /// Usage and audit.
    pub insight: Arc<Insight>,
    /// Who is told of changes.
    pub webhooks: Arc<Webhooks>,
    /// Brings a change into force on this node before its maker sees the next page.
    pub refresh: Arc<dyn Refresh>,
    /// Authenticates the tokens in forms.
    pub csrf_key: SecretKey,
    /// The origin under which visitors reach the portal.
    pub public_url: Url,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Limits on what comes from outside.
    pub limits: Arc<Limits>,
    /// How the installation calls itself, and its colour.
    pub brand: Brand,
    /// Portreeve's version, in the footer.
    pub version: &'static str,
}

/// What the handlers share.
pub(crate) struct Portal {
    pub(crate) parts: PortalParts,
    pub(crate) assets: Assets,
    pub(crate) forms: Forms,
    pub(crate) cookie: Cookie,
    /// What tells browsers apart that are about to sign in.
    pub(crate) browser_cookie: Cookie,
    /// Where the way goes on for who comes back by a link.
    pub(crate) next_cookie: Cookie,
}

impl Portal {
    /// The public origin without a slash at its end.
    pub(crate) fn origin(&self) -> &str {
        self.parts.public_url.as_str().trim_end_matches('/')
    }
}

/// The portal's pages, its assets, and a fallback that answers every other address with a designed 404 page.
pub fn router(parts: PortalParts) -> Router {
    let portal = Arc::new(Portal {
        assets: Assets::new(&parts.brand),
        forms: Forms::new(&parts.csrf_key, &parts.public_url),
        cookie: Cookie::session(&parts.public_url),
        browser_cookie: Cookie::browser(&parts.public_url),
        next_cookie: Cookie::next(&parts.public_url),
        parts,
    });
    let framed = from_fn_with_state(Arc::clone(&portal), frame::pages);
    let pages = governance(portal.parts.limits.import_file_bytes)
        .route("/", get(home::page))
        .route("/servers/{namespace}/{name}", get(server::page))
        .route("/servers/{name}", get(server::encoded))
        .route("/servers/{namespace}/{name}/tools/approve", post(tools::approve))
        .route("/servers/{namespace}/{name}/assess", post(review::assess))
        .route("/servers/{namespace}/{name}/connector", get(server::connector))
        .route(
            "/servers/{namespace}/{name}/review",
            get(review::page).post(review::decide),
        )
        .route("/submit", get(submit::page).post(submit::hand_in))
        .route(
            "/servers/{namespace}/{name}/profile",
            get(profile::page).post(profile::change),
        )
        .route("/servers/{namespace}/{name}/values", post(profile::change_values))
        .route(
            "/servers/{namespace}/{name}/logins",
            get(logins::page).post(logins::set),
        )
        .route("/servers/{namespace}/{name}/logins/remove", post(logins::remove))
        .route(
            "/servers/{namespace}/{name}/stages",
            get(stages::page).post(stages::turn),
        )
        .route("/servers/{namespace}/{name}/stages/submit", post(stages::submit))
        .route("/servers/{namespace}/{name}/stages/icons", post(stages::icons))
        .route("/servers/{namespace}/{name}/stages/remove", post(stages::remove))
        .route(
            "/servers/{namespace}/{name}/deployments",
            get(deployed::page).post(deployed::set),
        )
        .route(
            "/servers/{namespace}/{name}/deployments/remove",
            post(deployed::remove),
        )
        .route("/admin/deployments", get(deployments::page))
        .route(
            "/servers/{namespace}/{name}/try",
            get(try_tool::page).post(try_tool::call),
        )
        .route(
            "/admin/rest",
            get(rest::begin).post(rest::draft).layer(DefaultBodyLimit::max(
                portal.parts.limits.openapi_bytes + FORM_BYTES,
            )),
        )
        .route("/admin/rest/{draft}", get(rest::page).post(rest::choose))
        .route("/admin/rest/{draft}/submit", post(rest::submit))
        .merge(people())
        .merge(asking())
        .merge(told())
        .method_not_allowed_fallback(|| async { Failure::Method })
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(framed.clone());
    let unknown = (|| async { Failure::page_not_found() }).layer(framed);
    // From a provider's server, not from a page: no cookie, no origin, and so no frame.
    let logout = Router::new()
        .route("/sign-in/{provider}/logout", post(sign_in::provider::logout))
        .layer(DefaultBodyLimit::max(FORM_BYTES));
    let files = Router::new()
        .route("/assets/{file}", get(asset))
        .route("/assets/partners/{partner}", get(discover::picture))
        .route("/favicon.ico", get(favicon));
    Router::new()
        .merge(pages)
        .merge(logout)
        .merge(files)
        .fallback(unknown)
        .layer(from_fn(frame::security_headers))
        .with_state(portal)
}

/// How people ask for access, and what waits for a decision.
fn asking() -> Router<Arc<Portal>> {
    Router::new()
        .route(
            "/servers/{namespace}/{name}/access",
            get(access_requests::page).post(access_requests::ask),
        )
        .route(
            "/servers/{namespace}/{name}/access/withdraw",
            post(access_requests::withdraw),
        )
        .route("/access-requests/{request}", get(access_requests::one))
        .route("/access-requests/{request}/grant", post(access_requests::grant))
        .route("/access-requests/{request}/refuse", post(access_requests::refuse))
        .route("/account/access", get(access_requests::mine))
        .route("/admin/waiting", get(waiting::page))
        .route("/admin/waiting/approve", post(waiting::approve))
}

/// What can be found, read and taken along.
fn told() -> Router<Arc<Portal>> {
    Router::new()
        .route("/discover", get(discover::page))
        .route(
            "/discover/{partner}/{server}",
            get(discover::one).post(discover::register),
        )
        .route("/exports", get(exports::page))
        .route("/hosts", get(hosts::page))
        .route("/exports/{format}", get(exports::file))
        .route("/usage", get(usage::page))
        .route("/audit", get(audit::page))
        .route("/audit/verify", post(audit::verify))
}

/// Signing in and out, the account, what people allow, and users.
fn people() -> Router<Arc<Portal>> {
    use sign_in::{local, provider};
    Router::new()
        .route("/sign-in", get(sign_in::page))
        .route("/sign-in/password", post(local::password))
        .route("/sign-in/code", post(local::code))
        .route(
            "/sign-in/new-password",
            get(local::new_password).post(local::set_new_password),
        )
        .route("/sign-in/{provider}", get(provider::begin))
        .route("/sign-in/{provider}/callback", get(provider::back))
        .route("/sign-out", post(sign_in::leave))
        .route("/signed-out", get(sign_in::departed::page))
        .route("/account", get(account::page))
        .route("/account/password", post(account::change_password))
        .route("/account/codes", post(account::set_up_codes))
        .route("/account/codes/confirm", post(account::confirm_codes))
        .route("/account/codes/remove", post(account::remove_codes))
        .route("/account/sessions", get(account::sessions))
        .route("/account/sessions/end", post(account::end_sessions))
        .route("/account/clients", get(clients::page).post(clients::withdraw))
        .route("/authorize", get(authorize::page).post(authorize::decide))
        .route("/approvals", get(approvals::list))
        .route("/approvals/{id}", get(approvals::page).post(approvals::decide))
        .route("/admin/welcome", get(sign_in::welcome).post(sign_in::enter))
        .route("/admin/users", get(users::list).post(users::create))
        .route("/admin/users/{user}", get(users::page))
        .route("/admin/users/{user}/{step}", post(users::act))
        .route("/admin/grants", get(grants::list).post(grants::add))
        .route("/admin/grants/remove", post(grants::remove))
}

/// What is governed beside servers, with so many bytes of files that an import may take in.
fn governance(file_bytes: usize) -> Router<Arc<Portal>> {
    Router::new()
        .route("/registries", get(governed::registries))
        .route(
            "/admin/environments",
            get(governed::environments).post(governed::create_environment),
        )
        .route(
            "/admin/properties",
            get(governed::properties).post(governed::create_property),
        )
        .route(
            "/admin/environments/{environment}",
            get(environments::page).post(environments::change),
        )
        .route(
            "/admin/environments/{environment}/delete",
            post(environments::delete),
        )
        .route(
            "/admin/properties/{property}",
            get(properties::page).post(properties::change),
        )
        .route("/admin/properties/{property}/delete", post(properties::delete))
        .route("/admin/registries", post(registries::create))
        .route(
            "/admin/registries/{registry}",
            get(registries::page).post(registries::change),
        )
        .route("/admin/registries/{registry}/delete", post(registries::delete))
        .route(
            "/admin/policies",
            get(access_policies::list).post(access_policies::create),
        )
        .route(
            "/admin/policies/{policy}",
            get(access_policies::page).post(access_policies::change),
        )
        .route("/admin/policies/{policy}/dry-run", post(access_policies::dry_run))
        .route("/admin/policies/{policy}/test", post(access_policies::test))
        .route("/admin/policies/{policy}/switch", post(access_policies::switch))
        .route("/admin/policies/{policy}/delete", post(access_policies::delete))
        .route("/admin/secrets", get(secrets::list).post(secrets::set))
        .route("/admin/secrets/delete", post(secrets::delete))
        .route("/admin/imports", get(imports::list))
        .route("/admin/imports/registry", post(imports::begin_registry))
        .route(
            "/admin/imports/files",
            post(imports::begin_files).layer(DefaultBodyLimit::max(file_bytes)),
        )
        .route("/admin/imports/unschedule", post(imports::unschedule))
        .route("/admin/imports/{import}", get(imports::page))
        .route("/admin/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/admin/webhooks/{name}", get(webhooks::page).post(webhooks::act))
}

async fn asset(State(portal): State<Arc<Portal>>, uri: Uri) -> Response {
    match portal.assets.find(uri.path()) {
        Some(found) => found,
        None => http::StatusCode::NOT_FOUND.into_response(),
    }
}

async fn favicon(State(portal): State<Arc<Portal>>) -> Response {
    portal.assets.favicon()
}
