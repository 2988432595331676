//! Somebody is left who manages everything: asked inside of the change that could take the last one away. A change has the
//! catalogue to itself, so two of them cannot each leave the other's manager.

use portreeve_core::grant::{Subject, somebody_manages};
use portreeve_core::name::GroupName;
use portreeve_core::ports::StoreError;

use super::users::{USERS, user_of};
use super::{GRANTS, grant_of};
use crate::change::Change;
use crate::engine::Sql;

/// Whether there was somebody before the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Before(bool);

impl Before {
    /// Asked first.
    pub(super) async fn look(change: &mut Change) -> Result<Self, StoreError> {
        Ok(Self(is_there(change).await?))
    }

    /// Whether the change, which is made and not saved yet, took the last one away.
    pub(super) async fn nobody_is_left(self, change: &mut Change) -> Result<bool, StoreError> {
        Ok(self.0 && !is_there(change).await?)
    }

    /// Refuses a change that did.
    pub(super) async fn require_somebody(self, change: &mut Change) -> Result<(), StoreError> {
        if self.nobody_is_left(change).await? {
            return Err(StoreError::Conflict {
                what: "the last who manages everything".to_owned(),
            });
        }
        Ok(())
    }
}

async fn is_there(change: &mut Change) -> Result<bool, StoreError> {
    let users = change.rows(Sql::new(USERS)).await?;
    let users = users.iter().map(user_of).collect::<Result<Vec<_>, _>>()?;
    let grants = change.rows(Sql::new(GRANTS)).await?;
    let grants = grants.iter().map(grant_of).collect::<Result<Vec<_>, _>>()?;
    Ok(somebody_manages(&users, &grants))
}

/// Those of the groups whose members manage everything.
pub(super) async fn managing(
    change: &mut Change,
    groups: &[GroupName],
) -> Result<Vec<GroupName>, StoreError> {
    let grants = change.rows(Sql::new(GRANTS)).await?;
    let grants = grants.iter().map(grant_of).collect::<Result<Vec<_>, _>>()?;
    let manages = |group: &GroupName| {
        let mut whole = grants.iter().filter(|grant| grant.manages_everything());
        whole.any(|grant| matches!(&grant.subject, Subject::Group(of) if of == group))
    };
    Ok(groups.iter().filter(|group| manages(group)).cloned().collect())
}
