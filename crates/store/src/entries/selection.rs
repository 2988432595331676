//! What a registry selects, as conditions of a list. `Selection::admits` says the same of one entry; a contract test
//! compares the two.

use portreeve_core::view::Selection;

use crate::engine::{Sql, Value};

/// Narrows a list over `versions v` to the servers that are selected. Each condition is about the server, answered from
/// an index of its own for each row that the page comes to.
pub(super) fn narrow(sql: &mut Sql, selection: &Selection) {
    let Selection {
        tags,
        environments,
        lifecycles,
        namespaces,
    } = selection;
    if !tags.is_empty() {
        sql.push(" AND EXISTS (SELECT 1 FROM server_tags t WHERE t.server = v.server AND t.tag IN (");
        members(sql, tags.iter().map(Value::from));
        sql.push("))");
    }
    if !environments.is_empty() {
        sql.push(
            " AND EXISTS (SELECT 1 FROM routes e WHERE e.server = v.server AND e.state = 'active' \
             AND e.environment IN (",
        );
        members(sql, environments.iter().map(|name| Value::from(name.as_str())));
        sql.push("))");
    }
    if !lifecycles.is_empty() {
        sql.push(" AND EXISTS (SELECT 1 FROM versions l WHERE l.server = v.server AND l.is_latest AND l.lifecycle IN (");
        members(sql, lifecycles.iter().map(|stage| Value::from(stage.as_str())));
        sql.push("))");
    }
    for (index, pattern) in namespaces.iter().enumerate() {
        let root = pattern.root();
        // `.`, `/` and `0` stand side by side in ASCII: from `com.acme.` to before `com.acme0` lies everything below
        // `com.acme` and everything in it.
        let begin = if pattern.reaches_below() { '.' } else { '/' };
        let text = if index == 0 {
            " AND ((lower(v.server) >= "
        } else {
            " OR (lower(v.server) >= "
        };
        sql.push_bound(text, format!("{root}{begin}"));
        sql.push_bound(" AND lower(v.server) < ", format!("{root}0"));
        sql.push(")");
    }
    if !namespaces.is_empty() {
        sql.push(")");
    }
}

fn members(sql: &mut Sql, values: impl Iterator<Item = Value>) {
    for (index, value) in values.enumerate() {
        sql.push_bound(if index == 0 { "" } else { ", " }, value);
    }
}
