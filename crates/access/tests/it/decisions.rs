//! Decisions: Cedar agrees with a plain reading of the grants, for every caller, action and tool.

use std::time::Duration;

use portreeve_access::{NewGrant, NewKey};
use portreeve_core::caller::{ApiKey, Caller, Principal, User};
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{GrantId, KeyId, UserId};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Authorizer as _, News, Owned, Snapshot};
use portreeve_core::tool::ToolAnnotations;
use portreeve_core::view::{Readers, RegistryRecord, Selection};
use portreeve_core::visibility::Visibility;
use proptest::prelude::*;

use crate::house::{House, START};

const ANN: UserId = UserId::from_u128(1);
const BOB: UserId = UserId::from_u128(2);
const FREE_KEY: KeyId = KeyId::from_u128(3);
const ANNS_KEY: KeyId = KeyId::from_u128(4);

const SERVERS: [&str; 4] = [
    "com.acme/billing",
    "com.acme/mail",
    "io.x/y",
    "com.acme.tools/lint",
];
const PATTERNS: [&str; 5] = ["com.acme", "com.Acme.*", "com.*", "io.x", "com.acm.*"];

const OWNERS: [&str; 3] = ["finance", "ops", "nobody"];
const REGISTRIES: [&str; 4] = ["everything", "partners", "tools", "gone"];

/// Which of [`SERVERS`] a group owns.
fn owned_by(group: &str) -> &'static [usize] {
    match group {
        "finance" => &[0, 1],
        "ops" => &[1, 3],
        _ => &[],
    }
}

/// Which of [`SERVERS`] a registry is about, as its selection below says it.
fn held_by(registry: &str) -> &'static [usize] {
    match registry {
        "everything" => &[0, 1, 2, 3],
        // By a tag of one of them.
        "partners" => &[2],
        // By a namespace, and served nowhere: it is about it all the same.
        "tools" => &[3],
        _ => &[],
    }
}

fn owned() -> Vec<Owned> {
    let owned = |index: usize, groups: &[&str], tags: &[&str]| Owned {
        server: server(index),
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    vec![
        owned(0, &["finance"], &[]),
        owned(1, &["finance", "ops"], &["other"]),
        owned(2, &[], &["partner"]),
        owned(3, &["ops"], &[]),
    ]
}

fn registries() -> Vec<RegistryRecord> {
    let record = |name: &str, selection: Selection| RegistryRecord {
        name: name.parse().unwrap(),
        title: name.to_owned(),
        description: String::new(),
        visibility: Readers::Members,
        selection,
        auto_approve: Vec::new(),
        approver_differs: false,
        revision: 1,
        created_at: START,
        updated_at: START,
    };
    let tagged = Selection {
        tags: ["partner".to_owned()].into(),
        ..Selection::default()
    };
    let named = Selection {
        namespaces: ["com.acme.tools".parse().unwrap()].into(),
        environments: ["test".parse().unwrap()].into(),
        ..Selection::default()
    };
    vec![
        record("everything", Selection::default()),
        record("partners", tagged),
        record("tools", named),
    ]
}

/// Names that would break out of a policy written as text, and names that differ little.
const TOOLS: [&str; 8] = [
    "list",
    "List",
    "list ",
    "list\", true].contains(true) || \"",
    "\") }; permit(principal, action, resource); //",
    "\\\"",
    "ü\u{0}\u{202e}*",
    "*",
];

fn server(index: usize) -> ServerName {
    SERVERS[index].parse().unwrap()
}

fn annotations(read_only: bool) -> ToolAnnotations {
    ToolAnnotations {
        read_only_hint: read_only,
        ..ToolAnnotations::default()
    }
}

fn any_grant() -> impl Strategy<Value = (Subject, Rights, ServerScope, ToolScope)> {
    let subject = prop_oneof![
        Just(Subject::User(ANN)),
        Just(Subject::User(BOB)),
        Just(Subject::Key(FREE_KEY)),
        Just(Subject::Key(ANNS_KEY)),
    ];
    let rights = prop_oneof![4 => Just(Rights::Use), 2 => Just(Rights::Publish), 1 => Just(Rights::View), 1 => Just(Rights::Approve), 1 => Just(Rights::Operate), 1 => Just(Rights::Audit), 1 => Just(Rights::Manage)];
    let servers = prop_oneof![
        1 => Just(ServerScope::All),
        3 => (0..SERVERS.len()).prop_map(|index| ServerScope::Server(server(index))),
        2 => prop::sample::select(&PATTERNS[..])
            .prop_map(|pattern| ServerScope::Namespace(pattern.parse().unwrap())),
        2 => prop::sample::select(&OWNERS[..]).prop_map(|group| ServerScope::Owner(group.parse().unwrap())),
        2 => prop::sample::select(&REGISTRIES[..])
            .prop_map(|name| ServerScope::Registry(name.parse().unwrap())),
    ];
    let names = prop::collection::vec(prop::sample::select(&TOOLS[..]).prop_map(str::to_owned), 0..4);
    let tools = prop_oneof![
        Just(ToolScope::All),
        Just(ToolScope::ReadOnly),
        names.prop_map(ToolScope::Named),
    ];
    (subject, rights, servers, tools)
}

fn snapshot(generation: i64, grants: Vec<(Subject, Rights, ServerScope, ToolScope)>) -> Snapshot {
    let user = |id, name: &str| User::local(id, name, START);
    let key = |id, name: &str, owner| ApiKey {
        groups: Vec::new(),
        id,
        name: name.to_owned(),
        secret_hash: "00".repeat(32),
        owner,
        expires_at: None,
        revoked_at: None,
        created_by: "system".to_owned(),
        created_at: START,
    };
    let grants = grants
        .into_iter()
        .enumerate()
        .map(|(index, (subject, rights, servers, tools))| Grant {
            id: GrantId::from_u128(100 + index as u128),
            subject,
            rights,
            servers,
            tools,
            created_by: "system".to_owned(),
            created_at: START,
            expires_at: None,
            request: None,
        });
    Snapshot {
        generation,
        routes: News::All(Vec::new()),
        keys: vec![key(FREE_KEY, "free", None), key(ANNS_KEY, "anns", Some(ANN))],
        users: vec![user(ANN, "ann"), user(BOB, "bob")],
        grants: grants.collect(),
        policies: Vec::new(),
        registries: registries(),
        owned: owned(),
        signing_keys: Vec::new(),
        ended: Vec::new(),
        revoked: Vec::new(),
    }
}

const ACTIONS: [Action; 9] = [
    Action::Discover,
    Action::CallTool,
    Action::Read,
    Action::Publish,
    Action::View,
    Action::Approve,
    Action::Operate,
    Action::Audit,
    Action::Manage,
];

fn caller(principal: Principal, key: Option<KeyId>) -> Caller {
    Caller {
        groups: std::sync::Arc::from([]),
        token: None,
        principal,
        key,
        label: "someone".into(),
    }
}

fn callers() -> [Caller; 6] {
    [
        caller(Principal::User(ANN), None),
        caller(Principal::User(ANN), Some(ANNS_KEY)),
        caller(Principal::User(BOB), None),
        caller(Principal::Key(FREE_KEY), Some(FREE_KEY)),
        Caller::anonymous(),
        Caller::system(),
    ]
}

/// What the grants say, read plainly: the policies that permit.
fn reference(grants: &[Grant], caller: &Caller, action: Action, target: &Target<'_>) -> Vec<String> {
    if caller.principal == Principal::System {
        let manages = Rights::Manage.includes(action) && !matches!(target, Target::Tool { .. });
        return manages
            .then(|| "built-in:system".to_owned())
            .into_iter()
            .collect();
    }
    let mut permitting: Vec<String> = grants
        .iter()
        .filter(|grant| match &grant.subject {
            Subject::Key(id) => caller.principal == Principal::Key(*id),
            Subject::User(id) => caller.principal == Principal::User(*id),
            Subject::Client(id) => caller.principal == Principal::Client(*id),
            Subject::Group(group) => caller.groups.contains(group),
        })
        .filter(|grant| permits(grant, action, target))
        .map(|grant| format!("grant:{}", grant.id))
        .collect();
    permitting.sort();
    permitting
}

fn is_one_of(indices: &[usize], asked: &ServerName) -> bool {
    indices.iter().any(|index| server(*index) == *asked)
}

fn permits(grant: &Grant, action: Action, target: &Target<'_>) -> bool {
    let there = |server: &ServerName| match &grant.servers {
        ServerScope::All => true,
        ServerScope::Server(name) => name == server,
        ServerScope::Namespace(pattern) => pattern.matches(server),
        ServerScope::Owner(group) => is_one_of(owned_by(group.as_str()), server),
        ServerScope::Registry(name) => is_one_of(held_by(name.as_str()), server),
    };
    match (grant.rights, action, target) {
        (rights, action, Target::Installation) if rights.includes(action) => {
            grant.servers == ServerScope::All
        }
        (rights, action, Target::Server(server)) if rights.includes(action) => there(server),
        (rights, action, Target::Registry(asked)) if rights.includes(action) => match &grant.servers {
            ServerScope::All => true,
            ServerScope::Registry(name) => name == *asked,
            _ => false,
        },
        (Rights::Use, Action::Discover, Target::Server(server)) => there(server),
        (Rights::Use, Action::Read, Target::Server(server)) => {
            there(server) && !matches!(grant.tools, ToolScope::Named(_))
        }
        (
            Rights::Use,
            Action::CallTool,
            Target::Tool {
                server,
                tool,
                annotations,
                ..
            },
        ) => {
            there(server)
                && match &grant.tools {
                    ToolScope::All => true,
                    ToolScope::ReadOnly => annotations.read_only_hint,
                    ToolScope::Named(names) => names.iter().any(|name| name == tool),
                }
        }
        _ => false,
    }
}

fn check(house: &House, grants: &[Grant], action: Action, target: &Target<'_>) -> Result<(), TestCaseError> {
    for caller in callers() {
        let expected = reference(grants, &caller, action, target);
        // The second answer comes out of the cache.
        for _ in 0..2 {
            let decision = house.access.may(&caller, action, target);
            let policies: Vec<String> = decision.policies.iter().map(ToString::to_string).collect();
            prop_assert_eq!(&policies, &expected, "{:?} {:?} {:?}", &caller, action, target);
            prop_assert_eq!(decision.is_permit(), !expected.is_empty());
        }
        let explained = house.access.explain(&caller, action, target);
        prop_assert_eq!(explained.permitted, !expected.is_empty());
        for considered in explained.considered {
            prop_assert_eq!(considered.permits, expected.contains(&considered.policy));
            prop_assert_ne!(considered.why_not.as_deref(), Some("it is not in force"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cedar_decides_as_the_grants_read(grants in prop::collection::vec(any_grant(), 0..10)) {
        let house = House::empty();
        let snapshot = snapshot(0, grants);
        house.access.load(&snapshot);
        for action in ACTIONS {
            check(&house, &snapshot.grants, action, &Target::Installation)?;
            for name in REGISTRIES {
                let name = name.parse().unwrap();
                check(&house, &snapshot.grants, action, &Target::Registry(&name))?;
            }
            for index in 0..SERVERS.len() {
                let server = server(index);
                check(&house, &snapshot.grants, action, &Target::Server(&server))?;
                for tool in TOOLS {
                    for read_only in [false, true] {
                        let annotations = annotations(read_only);
                        let target = Target::Tool { server: &server, tool, annotations: &annotations, arguments: None };
                        check(&house, &snapshot.grants, action, &target)?;
                    }
                }
            }
        }
    }

    #[test]
    fn a_list_and_the_calls_agree_across_changes(
        first in prop::collection::vec(any_grant(), 0..6),
        second in prop::collection::vec(any_grant(), 0..6),
    ) {
        let house = House::empty();
        let server = server(0);
        for (generation, grants) in [first.clone(), second, first].into_iter().enumerate() {
            let snapshot = snapshot(i64::try_from(generation).unwrap(), grants);
            house.access.load(&snapshot);
            for caller in callers() {
                let may = |tool: &str, read_only| {
                    let annotations = annotations(read_only);
                    let target = Target::Tool { server: &server, tool, annotations: &annotations, arguments: None };
                    house.access.may(&caller, Action::CallTool, &target).is_permit()
                };
                let listed: Vec<_> = TOOLS.iter().filter(|tool| may(tool, tool.len() % 2 == 0)).collect();
                for tool in TOOLS.iter().rev() {
                    prop_assert_eq!(may(tool, tool.len() % 2 == 0), listed.contains(&tool));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_grant_means_the_server_however_its_name_was_typed() {
    let house = House::started().await;
    let (key, secret) = house.key("deploy", None).await;
    let scope = ServerScope::Server("com.ACME/Billing".parse().unwrap());
    house.may_use(Subject::Key(key.id), scope, ToolScope::All).await;
    let caller = house.access.authenticate(secret.expose()).unwrap();
    let may_see = |name: &str| {
        let server = name.parse().unwrap();
        house
            .access
            .may(&caller, Action::Discover, &Target::Server(&server))
            .is_permit()
    };
    assert!(may_see("com.acme/billing"));
    assert!(!may_see("com.acme/billing2"));
}

#[tokio::test]
async fn rights_end_with_the_key_even_for_who_is_already_in() {
    let house = House::started().await;
    let server = server(0);
    let (key, secret) = house.key("deploy", None).await;
    house
        .may_use(Subject::Key(key.id), ServerScope::All, ToolScope::All)
        .await;
    let expires_at = Some(START.plus(Duration::from_secs(60)));
    let owned = NewKey {
        groups: Vec::new(),
        name: "laptop".to_owned(),
        owner: Some(UserId::LOCAL_ADMIN),
        expires_at,
    };
    let (_, laptop) = house.access.create_key(&house.admin(), owned).await.unwrap();
    house.refresh();
    let inside = house.access.authenticate(secret.expose()).unwrap();
    let admin_by_key = house.access.authenticate(laptop.expose()).unwrap();
    let may = |caller: &Caller| {
        house
            .access
            .may(caller, Action::Discover, &Target::Server(&server))
            .is_permit()
    };
    assert!(may(&inside) && may(&admin_by_key) && may(&house.admin()));

    house.clock.pass(Duration::from_secs(60));
    assert!(may(&inside) && !may(&admin_by_key) && may(&house.admin()));
    house.access.revoke_key(&house.admin(), "deploy").await.unwrap();
    house.refresh();
    assert!(!may(&inside) && may(&house.admin()));
}

#[tokio::test]
async fn managers_see_everything_and_others_what_is_listed() {
    let house = House::started().await;
    let (_, secret) = house.key("deploy", None).await;
    let key = house.access.authenticate(secret.expose()).unwrap();
    assert_eq!(house.access.visibility(&house.admin()), Visibility::All);
    assert_eq!(house.access.visibility(&Caller::system()), Visibility::All);
    assert_eq!(house.access.visibility(&key), Visibility::Listed);
    assert_eq!(house.access.visibility(&Caller::anonymous()), Visibility::Listed);
}

#[tokio::test]
async fn the_version_grows_with_changes_alone_and_old_snapshots_are_left_aside() {
    let house = House::started().await;
    let stale = house.snapshot();
    let version = house.access.policy_version();
    house.refresh();
    assert_eq!(house.access.policy_version(), version);

    let (_, secret) = house.key("deploy", None).await;
    assert_eq!(house.access.policy_version(), version + 1);
    house.access.load(&stale);
    assert!(house.access.authenticate(secret.expose()).is_ok());
    assert_eq!(house.access.policy_version(), version + 1);

    let manager = NewGrant {
        subject: Subject::User(UserId::LOCAL_ADMIN),
        rights: Rights::Use,
        servers: ServerScope::All,
        tools: ToolScope::ReadOnly,
        expires_at: None,
    };
    house.access.add_grant(&house.admin(), manager).await.unwrap();
    house.refresh();
    assert_eq!(house.access.policy_version(), version + 2);
}
