//! The contract suites of the testkit, each test on its own database, on both engines.

use portreeve_testkit::store_contract::{
    access_policies, access_requests, approvals, assessments, catalogue, deployments, entries, environments,
    feed, host_sessions, icons, identity, imports, listing, members, moved, oauth, partners, properties,
    publications, routes, served, sessions, slugs, tokens, tools, toolsets, usage, vault, views, waiting,
    webhooks,
};

use crate::support::Database;

macro_rules! contract {
    ($($suite:ident::$test:ident,)*) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $test() {
                    let database = super::Database::sqlite();
                    let store = database.open().await;
                    super::$suite::$test(&store).await.unwrap();
                    database.close(store).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test]
                async fn $test() {
                    let Some(database) = super::Database::postgres().await else { return };
                    let store = database.open().await;
                    super::$suite::$test(&store).await.unwrap();
                    database.close(store).await;
                }
            )*
        }
    };
}

contract! {
    access_policies::a_policy_is_changed_and_removed,
    access_policies::nodes_hear_of_policies,
    partners::a_catalogue_never_goes_back,
    partners::a_dropped_catalogue_makes_way_for_a_former_one,
    partners::an_offer_is_told_once,
    partners::a_registration_goes_with_its_entry,
    partners::health_is_noted,
    partners::what_is_revoked_is_closed,
    partners::what_is_revoked_stays_closed_without_its_entry,
    entries::an_entry_is_read_as_it_was_saved,
    entries::a_change_leaves_what_it_does_not_name,
    entries::a_stale_change_is_a_conflict,
    entries::removing_takes_everything_but_the_slugs,
    slugs::a_slug_is_never_given_to_another,
    slugs::an_environment_has_slugs_of_its_own,
    slugs::a_route_keeps_its_slug,
    slugs::a_major_version_has_a_slug_of_its_own,
    deployments::deployments_are_read_as_they_were_saved,
    deployments::a_deployment_needs_its_environment,
    deployments::all_deployments_are_one_list,
    environments::three_environments_exist_from_the_start,
    environments::an_environment_is_changed_and_removed,
    environments::an_environment_in_use_stays,
    properties::a_property_is_defined_changed_and_removed,
    properties::the_values_of_servers_are_read_page_by_page,
    listing::pages_join_without_gaps,
    listing::a_search_takes_wildcards_literally,
    listing::each_sees_what_it_may,
    listing::a_version_shows_the_route_that_serves_it,
    served::a_page_is_its_texts_joined,
    served::served_pages_join_without_gaps,
    served::a_change_is_served_at_once,
    served::whole_entries_hold_what_pages_show,
    served::a_route_that_changes_is_told_to_who_follows_entries,
    publications::a_remote_belongs_to_one_name,
    publications::long_remotes_are_told_apart,
    publications::a_namespace_has_one_spelling,
    publications::a_publisher_has_a_limit_of_waiting_versions,
    feed::listed_names_come_in_order,
    feed::what_changed_is_told_in_order,
    feed::the_gateway_reads_again_only_for_routes,
    feed::a_search_knows_what_is_shown,
    feed::a_search_knows_where_servers_run,
    feed::some_entries_are_listed_like_all,
    icons::a_picture_is_kept_while_somebody_names_it,
    icons::an_entry_is_looked_at_when_it_changed,
    imports::a_batch_is_read_as_it_was_saved,
    imports::a_batch_is_whole_or_nothing,
    imports::runs_come_newest_first,
    imports::schedules_are_kept,
    imports::a_run_notes_nothing_in_a_schedule_that_was_changed,
    imports::proposals_of_imports_are_judged_when_asked,
    routes::a_stale_route_is_a_conflict,
    routes::noted_eras_change_the_catalogue_alone,
    tools::a_tool_goes_through_its_states,
    tools::a_hidden_tool_is_hidden_in_both_eras,
    tools::only_differences_change_the_catalogue,
    tools::strange_names_harm_nobody,
    identity::a_key_name_is_free_when_its_key_is_dead,
    identity::a_key_needs_its_owner,
    identity::a_user_is_stored_once,
    identity::somebody_who_manages_is_left,
    identity::a_name_that_means_something_is_given_on_purpose_alone,
    identity::grants_are_read_as_they_were_given,
    identity::ended_grants_alone_are_removed_as_such,
    oauth::a_client_is_read_as_it_was_stored,
    oauth::a_document_replaces_its_former_copy,
    oauth::a_flood_of_clients_shuts_nobody_out,
    oauth::unused_clients_go,
    oauth::an_assertion_is_taken_once,
    oauth::a_request_is_decided_once,
    oauth::a_code_works_once,
    oauth::a_refresh_token_is_exchanged_once,
    identity::a_user_is_what_its_provider_said_last,
    identity::no_sign_in_takes_the_last_manager_away,
    identity::a_disabled_user_has_no_session,
    identity::a_removed_user_leaves_nothing,
    waiting::everything_that_waits_is_listed_once,
    waiting::a_version_comes_with_what_is_known_of_it,
    tokens::one_node_makes_the_next_signing_key,
    tokens::an_authorization_ends_for_all_nodes,
    sessions::a_link_works_once,
    sessions::a_session_ends,
    access_requests::one_request_is_open_at_a_time,
    access_requests::a_request_ends_once,
    access_requests::a_removed_user_asks_for_nothing,
    approvals::a_call_is_asked_for_once,
    approvals::an_approval_is_used_once,
    sessions::sessions_end_with_their_authorizations,
    sessions::a_cd_9_an_attempt_comes_back_once,
    sessions::an_authenticators_code_works_once,
    host_sessions::a_session_of_a_host_is_read_as_it_was_saved,
    host_sessions::of_two_changes_one_takes,
    host_sessions::an_ended_session_is_gone_for_everybody,
    host_sessions::many_are_saved_at_once,
    host_sessions::what_rests_or_is_too_much_is_removed_once,
    views::a_registry_is_made_changed_and_removed,
    views::lists_hold_what_a_registry_selects,
    catalogue::a_snapshot_holds_what_decisions_need,
    catalogue::every_change_counts,
    moved::what_moved_makes_the_whole,
    catalogue::owners_are_part_of_what_decisions_need,
    catalogue::tags_that_registries_select_by_are_part_of_what_decisions_need,
    assessments::the_last_assessment_of_a_version_stays_with_it,
    assessments::what_waits_longest_comes_first,
    assessments::what_waits_is_looked_for_entry_by_entry,
    toolsets::a_toolset_is_kept_once,
    toolsets::drafts_are_forgotten_and_toolsets_are_not,
    toolsets::a_route_to_a_rest_api_knows_how_its_tools_are_called,
    toolsets::toolsets_that_no_version_names_are_removed,
    vault::a_secret_is_replaced_as_it_was_read,
    vault::a_full_vault_takes_no_more,
    vault::an_installation_has_one_identity,
    vault::a_route_names_the_secrets_of_its_policies,
    vault::a_login_names_its_secret_and_goes_with_its_server,
    webhooks::a_webhook_is_made_changed_and_removed,
    webhooks::events_are_written_with_their_change,
    webhooks::one_node_delivers_at_a_time,
    webhooks::what_failed_waits_for_its_time,
    webhooks::the_dead_are_sent_again_or_dropped,
    members::a_gw_3_a_name_is_given_once,
    members::a_route_of_a_virtual_server_comes_with_its_names,
    usage::usage_is_kept_by_the_minute,
    usage::usage_is_told_by_client,
    usage::large_batches_are_stored,
}
