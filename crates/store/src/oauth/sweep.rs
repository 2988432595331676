//! What is over goes. A spent token stays until its time is over: who shows it again is a thief, or was robbed.

use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::ports::{AuthorizationSweep, StoreError};
use portreeve_core::time::Timestamp;

use crate::engine::Sql;
use crate::store::Store;

/// How long what is over is kept.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// How long the sealed answer to a refresh is kept; it may be asked for again for half of that.
const REPEATED: Duration = Duration::from_secs(60);

#[async_trait]
impl AuthorizationSweep for Store {
    async fn sweep_authorizations(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.engine().begin().await?;
        let before = now.minus(KEPT);
        for (text, at) in [
            ("DELETE FROM oauth_pending WHERE expires_at <= $1", now),
            ("DELETE FROM oauth_assertions WHERE expires_at <= $1", now),
            ("DELETE FROM oauth_codes WHERE expires_at <= $1", before),
            ("DELETE FROM oauth_refresh_tokens WHERE expires_at <= $1", now),
            (
                "UPDATE oauth_refresh_tokens SET successor = NULL WHERE spent_at <= $1 AND successor IS NOT NULL",
                now.minus(REPEATED),
            ),
            (
                "DELETE FROM oauth_refresh_tokens WHERE authorization_id IN \
                 (SELECT id FROM oauth_authorizations WHERE ended_at <= $1)",
                before,
            ),
            ("DELETE FROM oauth_authorizations WHERE ended_at <= $1", before),
            (
                "DELETE FROM oauth_authorizations WHERE used_at <= $1 AND NOT EXISTS (SELECT 1 FROM \
                 oauth_refresh_tokens r WHERE r.authorization_id = oauth_authorizations.id) AND NOT EXISTS \
                 (SELECT 1 FROM oauth_codes c WHERE c.authorization_id = oauth_authorizations.id)",
                before,
            ),
        ] {
            transaction.execute(Sql::new(text).bind(at)).await?;
        }
        transaction.save().await
    }
}
