//! The OpenAPI document of the management API, derived from the handlers and their shapes.
//!
//! It is served at `/api/v1/openapi.json` and committed as `openapi/management-v1.json`; a test compares the two, and
//! another compares its paths with what the router serves.

use std::sync::OnceLock;

use axum::response::Response;
use http::HeaderMap;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, Ref, ResponseBuilder, SecurityRequirement};
use utoipa::{Modify, OpenApi};

use crate::etag;
use crate::management::{
    access_policies, access_requests, approvals, assess, audit, clients, compare, deployments, doctor,
    environments, explain, exports, grants, icons, imports, install, keys, logins, members, partners,
    profile, properties, registries, rest, routes, search, secrets, servers, steps, tools, usage, users,
    waiting, webhooks, whoami,
};
use crate::problem::{Problem, ProblemBody};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Portreeve management API",
        version = "1",
        description = "Registers servers, leads them through their life, and governs who may call what. Lists are \
                       pages with `items` and `nextCursor`. Errors are RFC 9457 documents with a `hint`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        servers::list, servers::add, servers::show, profile::change, profile::change_version, servers::remove, servers::versions, servers::version,
        steps::submit, steps::approve, steps::reject, steps::lifecycle,
        steps::submit_version, steps::approve_version, steps::reject_version, steps::lifecycle_version,
        assess::server, assess::version, assess::show,
        compare::show, waiting::list, waiting::approve, waiting::failing,
        icons::list, icons::fetch,
        members::list, logins::list, logins::set, logins::remove,
        tools::list, tools::approve, tools::refresh, tools::hide, tools::unhide,
        deployments::all, deployments::plan, deployments::list, deployments::replace, deployments::approve, deployments::withdraw,
        environments::list, environments::create, environments::show, environments::change, environments::remove,
        properties::list, properties::create, properties::show, properties::change, properties::remove,
        registries::list, registries::create, registries::show, registries::change, registries::remove,
        search::find,
        rest::preview, rest::import, rest::show,
        imports::begin, imports::list, imports::show, imports::records, imports::upload, imports::finish,
        partners::list, partners::show, partners::register, partners::changes, partners::update, partners::set_state,
        partners::status, partners::pull,
        imports::schedules, imports::schedule, imports::unschedule, imports::origins,
        routes::list, routes::show, routes::change,
        exports::list, exports::show, install::show, install::show_version, install::connector,
        keys::list, keys::create, keys::revoke,
        clients::list, clients::create, clients::show, clients::remove,
        clients::mine, clients::forget,
        grants::list, grants::add, grants::remove,
        access_policies::list, access_policies::show, access_policies::set, access_policies::remove,
        access_policies::enable, access_policies::disable, access_policies::check, access_policies::dry_run,
        access_policies::test, access_policies::test_all, access_policies::schema,
        secrets::list, secrets::show, secrets::set, secrets::delete,
        users::list, users::create, users::show, users::remove, users::disable, users::enable, users::reset,
        users::set_groups, users::sessions, users::end_sessions, users::groups, whoami::show,
        access_requests::list, access_requests::ask, access_requests::mine, access_requests::show,
        access_requests::grant, access_requests::refuse, access_requests::withdraw,
        approvals::list, approvals::show, approvals::allow, approvals::deny,
        webhooks::kinds, webhooks::list, webhooks::create, webhooks::show, webhooks::change, webhooks::remove, webhooks::test,
        webhooks::deliveries, webhooks::delivery, webhooks::send_again, webhooks::send_dead_again, webhooks::drop_one,
        audit::list, audit::verify, usage::list, doctor::examine, explain::explain
    ),
    components(schemas(ProblemBody)),
    modifiers(&Common),
    tags(
        (name = "servers", description = "Entries of the registry and their versions"),
        (name = "imports", description = "Entries taken over from elsewhere"),
        (name = "partners", description = "Partners' servers out of the signed catalogue"),
        (name = "tools", description = "The tools of a server, with their pins"),
        (name = "deployments", description = "Environments, and where servers run in them"),
        (name = "metadata", description = "Custom properties of servers, environments and deployments"),
        (name = "registries", description = "Views of the entries, each with a path and readers of its own"),
        (name = "routes", description = "The gateway's side of an entry"),
        (name = "identities", description = "Keys, users, groups, OAuth clients and grants"),
        (name = "policies", description = "Access policies: rules as text, beside the grants"),
        (name = "secrets", description = "The vault: sealed values that are presented, and never shown"),
        (name = "access", description = "Requests of people who want to use a server, and what became of them"),
        (name = "approvals", description = "Calls that a person must allow first"),
        (name = "webhooks", description = "Who is told of changes, and what became of telling them"),
        (name = "insight", description = "Audit, usage, and the state of the installation")
    )
)]
struct Description;

/// What every operation has: the credential, and the form of its errors.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let header = ApiKey::Header(ApiKeyValue::new("X-Api-Key"));
        components.add_security_scheme("apiKey", SecurityScheme::ApiKey(header));
        let none: [&str; 0] = [];
        document.security = Some(vec![
            SecurityRequirement::new("bearer", none),
            SecurityRequirement::new("apiKey", none),
        ]);
        let problem = ResponseBuilder::new()
            .description("A refusal or a failure (RFC 9457)")
            .content(
                "application/problem+json",
                Content::new(Some(Ref::from_schema_name("Problem"))),
            )
            .build();
        for item in document.paths.paths.values_mut() {
            let operations = [
                &mut item.get,
                &mut item.post,
                &mut item.put,
                &mut item.patch,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                responses.insert("default".to_owned(), problem.clone().into());
            }
        }
    }
}

/// The document as JSON text, pretty, with a line break at its end.
pub fn document() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&Description::openapi())?;
    text.push('\n');
    Ok(text)
}

/// `GET /api/v1/openapi.json`. Anonymous: it says what exists, which everybody can read in the source.
pub(crate) async fn show(headers: HeaderMap) -> Result<Response, Problem> {
    static DESCRIPTION: OnceLock<utoipa::openapi::OpenApi> = OnceLock::new();
    etag::tagged(&headers, DESCRIPTION.get_or_init(Description::openapi))
}
