//! The thirty-two pitfalls of gateways for MCP, and the tests that look at each: those that are named after it, in any
//! crate (`p12_...`), and those of another name, which stand here.

use std::collections::{BTreeMap, BTreeSet};

use crate::repository::files;

/// A pitfall: its number, what happens to those who fall in, and the tests of it that have another name, as `file::test`.
type Pitfall = (u8, &'static str, &'static [&'static str]);

const PITFALLS: [Pitfall; 32] = [
    (
        1,
        "the host's protocol and session headers reach the server",
        &[
            "e2e/ladder::an_upstream_of_the_modern_era_gets_a_new_head",
            "e2e/resource_server::a_rs_11_nothing_of_a_legacy_caller_reaches_the_upstream",
        ],
    ),
    (
        2,
        "the host's credential reaches the server",
        &["e2e/gateway::a_rs_11_nothing_of_the_caller_reaches_the_upstream"],
    ),
    (
        3,
        "calls with one id get each other's answers",
        &[
            "e2e/crossing::concurrent_calls_with_one_id_never_cross",
            "e2e/sessions::a_gw_12_equal_ids_at_the_same_time_never_cross",
        ],
    ),
    (4, "servers' questions with one id get each other's answers", &[]),
    (5, "progress of one call is told to another", &[]),
    (
        6,
        "a stream is held back until its end",
        &["e2e/gateway::a_progress_notification_arrives_before_its_tool_ends"],
    ),
    (7, "silent streams are cut on their way", &[]),
    (8, "one large event is more than a client reads", &[]),
    (
        9,
        "a packed answer is passed on as something else",
        &["e2e/bombs::what_is_packed_is_not_unpacked"],
    ),
    (
        10,
        "only the first page of a list is there",
        &["e2e/bombs::a_tool_list_of_large_pages_without_end"],
    ),
    (
        11,
        "a tool's new name is not told to everybody who needs it",
        &[
            "e2e/virtual_servers::a_gw_3_two_servers_are_one_and_a_second_name_gets_a_prefix",
            "e2e/virtual_offers::prompts_and_resources_of_all_are_one_and_each_goes_where_it_belongs",
        ],
    ),
    (12, "fields are lost that the gateway does not know", &[]),
    (13, "the gateway judges results, and good ones become errors", &[]),
    (14, "a session that the server lost is half dead", &[]),
    (15, "another node does not know the session", &[]),
    (
        16,
        "somebody else's session can be used",
        &["e2e/transport::a_tr_9_a_session_of_somebody_else_is_unknown"],
    ),
    (
        17,
        "changes of lists are swallowed, and copies of them grow old",
        &[],
    ),
    (18, "notifications reach other sessions", &[]),
    (
        19,
        "a cancellation names another request, or nobody cancels",
        &["e2e/sessions::s10_a_legacy_host_that_goes_away_has_not_cancelled_its_call"],
    ),
    (20, "the place of a stream that is gone is not free", &[]),
    (
        21,
        "a server without a stream of its own counts as broken",
        &["e2e/lifecycle::s6_s9_a_session_has_one_stream_which_goes_on_where_it_broke_off"],
    ),
    (
        22,
        "a call that reports progress for ever never ends",
        &["e2e/patience::streams_have_an_age_at_which_they_end"],
    ),
    (23, "a status means something else in the other era", &[]),
    (
        24,
        "more is advertised than is served",
        &["e2e/gateway::discovery_advertises_only_what_is_served_and_lists_are_private"],
    ),
    (
        25,
        "one server that is down takes the others with it",
        &["e2e/virtual_servers::a_member_that_is_away_hides_no_other_and_is_shown_as_it_was"],
    ),
    (
        26,
        "a server's era is learnt from an answer that says nothing",
        &[],
    ),
    (
        27,
        "a call is sent again that may have run",
        &["e2e/reuse::a_call_that_was_read_is_not_sent_again"],
    ),
    (28, "errors of servers are put into other words", &[]),
    (
        29,
        "numbers of errors are given a meaning that they do not have",
        &["e2e/passing::p28_errors_of_the_server_pass_in_its_own_words"],
    ),
    (30, "events lose their name", &[]),
    (31, "a list is shared by hosts that can do different things", &[]),
    (
        32,
        "a host is kept from falling back by a gateway that cannot serve it",
        &["e2e/matrix::every_host_meets_every_server_as_the_table_says"],
    ),
];

/// The pitfalls that no test looks at yet, and what they wait for.
const OPEN: &[(u8, &str)] = &[];

/// The tests of all crates: `file::test`, from the file's path within its crate.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, path) in files("crates") {
        let Some(file) = name.strip_suffix(".rs") else {
            continue;
        };
        let file = file.strip_prefix("crates/portreeve/tests/it/").unwrap_or(file);
        let source = std::fs::read_to_string(path).expect("a source file");
        for line in source.lines().map(str::trim_start) {
            let rest = line.strip_prefix("async fn ").or(line.strip_prefix("fn "));
            if let Some(test) = rest.and_then(|rest| rest.strip_suffix("() {")) {
                found.insert(format!("{file}::{test}"));
            }
        }
    }
    found
}

/// The numbers of pitfalls in a name like `s8_p18_a_message_...`, which begins with such marks.
fn numbers(test: &str) -> Vec<u8> {
    let name = test.rsplit("::").next().unwrap_or_default();
    let mut found = Vec::new();
    for word in name.split('_') {
        let number = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
        let Ok(number) = number.parse() else { break };
        if word == format!("p{number}") {
            found.push(number);
        }
    }
    found
}

#[test]
fn every_pitfall_has_a_test_or_says_what_it_waits_for() {
    let tests = tests();
    let named: BTreeSet<u8> = tests.iter().flat_map(|test| numbers(test)).collect();
    let open: BTreeMap<_, _> = OPEN.iter().copied().collect();
    for (place, (number, what, others)) in PITFALLS.into_iter().enumerate() {
        assert_eq!(usize::from(number), place + 1);
        let absent: Vec<_> = others.iter().filter(|test| !tests.contains(**test)).collect();
        assert!(absent.is_empty(), "P{number}, {what}: there is no {absent:?}");
        let tested = named.contains(&number) || !others.is_empty();
        assert!(
            tested != open.contains_key(&number),
            "P{number}, {what}: it is tested, or it is open"
        );
    }
    println!("{} of 32 pitfalls are tested", 32 - open.len());
}
