//! Who is calling, whether they may, and how often: on a store as `serve` opens it.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use portreeve_access::{Access, AccessParts, NewGrant, NewKey, NewToken, Place, TokenParts};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{AuthorizationId, NodeId, UserId};
use portreeve_core::name::ServerName;
use portreeve_core::oauth::Scopes;
use portreeve_core::ports::{Authorizer as _, Catalogue as _, Counters, RateLimit, Snapshot};
use portreeve_core::route::Credentials;
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_core::time::SystemClock;
use portreeve_core::tool::ToolAnnotations;
use portreeve_state::{InProcess, Start};
use portreeve_store::{ChainHead, FileJournal, JournalSync, Store, StoreOptions};
use tokio::runtime::Runtime;

use crate::{Numbers, step, steps};

/// Where the bench would be served, if it were.
const ORIGIN: &str = "https://portreeve.example";

/// Returns who was measured, and where.
pub(crate) fn measure(
    runtime: &Runtime,
    folder: &Path,
    server: &ServerName,
) -> Result<(Arc<Access>, Caller)> {
    let (access, key, _) = runtime.block_on(set_up(folder, server, "rights"))?;
    step("authentication with a key", || {
        access.authenticate(black_box(key.expose())).is_ok()
    })?;
    tokens(runtime, &access)?;

    let caller = access.authenticate(key.expose())?;
    let annotations = ToolAnnotations::default();
    let target = Target::Tool {
        server,
        tool: "echo",
        annotations: &annotations,
        arguments: None,
    };
    let may = || access.may(black_box(&caller), Action::CallTool, &target);
    ensure!(may().is_permit(), "the key may not call");
    step("decision, cached", may)?;

    let counters: Arc<dyn Counters> = Arc::new(InProcess::new(Start::Fresh));
    let limit = RateLimit {
        interval: Duration::from_nanos(1),
        burst: 1_000_000,
    };
    steps("rate limit, in process", |times| {
        runtime.block_on(async {
            for _ in 0..times {
                let decision = counters
                    .take(black_box("rate_limit/route/0/key/echo"), limit, 1)
                    .await;
                black_box(decision.is_ok());
            }
        });
    })?;
    Ok((Arc::new(access), caller))
}

/// Access tokens: one that was seen before, and what its first look costs.
fn tokens(runtime: &Runtime, access: &Access) -> Result<()> {
    let (resource, slug) = (format!("{ORIGIN}/s/bench/mcp"), "bench".parse()?);
    let place = Place {
        resource: &resource,
        route: &slug,
        takes: &Credentials::default(),
    };
    let new = NewToken {
        subject: Principal::User(UserId::LOCAL_ADMIN),
        client: "https://host.example/client.json".parse()?,
        audience: resource.clone(),
        scopes: Scopes::all_of(&slug),
        authorization: AuthorizationId::from_u128(1),
        signed_in_at: None,
    };
    let token = runtime.block_on(access.issue_token(&new))?.token;
    let shown = async || {
        access
            .authenticate_at(black_box(token.expose()), &place)
            .await
            .is_ok()
    };
    ensure!(runtime.block_on(shown()), "the token is not taken");
    steps("authentication with a token seen before", |times| {
        runtime.block_on(async {
            for _ in 0..times {
                black_box(shown().await);
            }
        });
    })
}

/// A key that may use the server.
pub(crate) async fn set_up(
    folder: &Path,
    server: &ServerName,
    name: &str,
) -> Result<(Access, Secret, Snapshot)> {
    let numbers = Arc::new(Numbers::default());
    let node = NodeId::new(&SystemClock, &*numbers);
    let url = format!("sqlite:{}", folder.join(format!("{name}.db")).display());
    let store = Store::open(&url, &StoreOptions::new(node)).await?;
    let journal = FileJournal::open(&folder.join(name), JournalSync::Os, ChainHead::EMPTY)?;
    let access = Access::new(AccessParts {
        identity: Arc::new(store.clone()),
        policies: Arc::new(store.clone()),
        sessions: Arc::new(store.clone()),
        journal: Arc::new(journal),
        tokens: TokenParts {
            store: Arc::new(store.clone()),
            sealing_key: SecretKey::new([3; 32]),
            issuer: ORIGIN.to_owned(),
            issuers: portreeve_access::Issuers::default(),
            lifetime: portreeve_access::TOKEN_LIFETIME,
        },
        clock: Arc::new(SystemClock),
        rng: numbers,
    });
    access.first_start().await?;
    access.load(&store.snapshot(None).await?);
    let admin = access
        .known_as("user:admin")
        .context("there is no administrator")?;
    let new = NewKey {
        groups: Vec::new(),
        name: "bench".to_owned(),
        owner: None,
        expires_at: None,
    };
    let (key, secret) = access.create_key(&admin, new).await?;
    let grant = NewGrant {
        subject: Subject::Key(key.id),
        rights: Rights::Use,
        servers: ServerScope::Server(server.clone()),
        tools: ToolScope::All,
        expires_at: None,
    };
    access.add_grant(&admin, grant).await?;
    let snapshot = store.snapshot(None).await?;
    access.load(&snapshot);
    Ok((access, secret, snapshot))
}
