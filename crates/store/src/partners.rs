//! Partners. What calls depend on (registrations, withdrawals) is a change of the catalogue; all of it moves a count of its own,
//! which every node follows.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::ServerName;
use portreeve_core::partner::{
    HealthState, KeptCatalogue, PartnerHealth, PartnerPlace, PullOutcome, RegisteredPartner, RevokedServer,
    Withdrawal, Withdrawn, WithdrawnBy,
};
use portreeve_core::ports::{PartnerState, PartnerStore, StoreError};

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::store::Store;

/// Entries that were made of what is revoked; the same server may be revoked twice.
pub(crate) const REVOKED: &str = "SELECT s.server, w.reason FROM partner_servers s JOIN partner_withdrawals w \
    ON w.partner = s.partner AND (w.name = '' OR w.name = s.name) WHERE w.what = 'revoked' \
    ORDER BY s.server, w.side, w.name";

/// Events that are recorded by one statement.
const EVENTS_AT_ONCE: usize = 500;

const COUNT: &str = "UPDATE catalogue_generation SET partners = partners + 1 WHERE id = 1";
const REGISTERED: &str = "SELECT p.server, p.partner, p.name, p.version, p.catalogue_version, p.content_hash, \
    p.document_hash, p.signed_by, p.variables, p.registered_by, p.registered_at FROM partner_servers p \
    JOIN servers s ON s.name = p.server ORDER BY p.server";
const HEALTH: &str = "SELECT partner, name, state, since, checked_at, detail, content_hash, tools_hash, evidence \
    FROM partner_health ORDER BY partner, name";
const WITHDRAWN: &str = "SELECT partner, name, side, what, reason, actor, at FROM partner_withdrawals \
    ORDER BY partner, name, side";
const KEEP: &str = "INSERT INTO partner_catalogue (id, version, hash, body, etag, pulled_at, signed_by) \
    VALUES (1, $1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET version = excluded.version, hash = excluded.hash, \
    body = excluded.body, etag = excluded.etag, pulled_at = excluded.pulled_at, signed_by = excluded.signed_by \
    WHERE partner_catalogue.version < excluded.version";
// The one before is kept where another key signed it: to fall back to when this one's is trusted no more.
const SET_ASIDE: &str = "INSERT INTO partner_former_catalogues (signed_by, version, hash, body, etag, pulled_at) \
    SELECT c.signed_by, c.version, c.hash, c.body, c.etag, c.pulled_at FROM partner_catalogue c \
    WHERE c.id = 1 AND c.version < $1 AND c.signed_by <> $2 ON CONFLICT (signed_by) DO UPDATE SET \
    version = excluded.version, hash = excluded.hash, body = excluded.body, etag = excluded.etag, \
    pulled_at = excluded.pulled_at";
const FORMER: &str = "SELECT version, hash, body, etag, pulled_at, signed_by FROM partner_former_catalogues \
    ORDER BY version DESC, signed_by";
const DROP: &str = "DELETE FROM partner_catalogue WHERE id = 1 AND version = $1 AND hash = $2";
// The second row of the outcomes: what became of a catalogue that was dropped is shown beside the last pull.
const DROPPED: &str = "INSERT INTO partner_pulls (id, outcome) VALUES (2, $1) \
    ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome";
const PULLED: &str = "INSERT INTO partner_pulls (id, outcome) VALUES (1, $1) \
    ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome";
const REGISTER: &str = "INSERT INTO partner_servers (server, partner, name, version, catalogue_version, content_hash, \
    document_hash, signed_by, variables, registered_by, registered_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (server) DO UPDATE SET \
    partner = excluded.partner, name = excluded.name, version = excluded.version, \
    catalogue_version = excluded.catalogue_version, content_hash = excluded.content_hash, \
    document_hash = excluded.document_hash, signed_by = excluded.signed_by, variables = excluded.variables, \
    registered_by = excluded.registered_by, registered_at = excluded.registered_at";
const TAKEN: &str = "SELECT name FROM servers WHERE lower(name) = $1";
// What is revoked stays known: whoever adds the entry again by hand does not open it.
const FORGET: &str = "DELETE FROM partner_servers WHERE server = $1 AND NOT EXISTS (SELECT 1 FROM partner_withdrawals w \
    WHERE w.what = 'revoked' AND w.partner = partner_servers.partner \
    AND (w.name = '' OR w.name = partner_servers.name))";
const OFFER: &str = "INSERT INTO partner_offers (server, document_hash, told_at) VALUES ($1, $2, $3) \
    ON CONFLICT (server, document_hash) DO NOTHING";
// What was told of an entry is over when it is as the catalogue says, and when it goes.
const OFFERED: &str = "DELETE FROM partner_offers WHERE server = $1";
const FOUND: &str = "INSERT INTO partner_health (partner, name, state, since, checked_at, detail, content_hash, \
    tools_hash, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (partner, name) DO UPDATE SET \
    state = excluded.state, since = excluded.since, checked_at = excluded.checked_at, detail = excluded.detail, \
    content_hash = excluded.content_hash, tools_hash = excluded.tools_hash, evidence = excluded.evidence";
const WITHDRAW: &str = "INSERT INTO partner_withdrawals (partner, name, side, what, reason, actor, at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (partner, name, side) DO UPDATE SET what = excluded.what, \
    reason = excluded.reason, actor = excluded.actor, at = excluded.at";

#[async_trait]
impl PartnerStore for Store {
    async fn partner_generation(&self) -> Result<i64, StoreError> {
        let sql = Sql::new("SELECT partners AS generation FROM catalogue_generation WHERE id = 1");
        let row = self.engine().row(sql).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt {
            what: "no generation of the catalogue".to_owned(),
        })?;
        row.integer("generation")
    }

    async fn partner_state(&self) -> Result<PartnerState, StoreError> {
        let engine = self.engine();
        let registered = engine.rows(Sql::new(REGISTERED)).await?;
        let health = engine.rows(Sql::new(HEALTH)).await?;
        let withdrawn = engine.rows(Sql::new(WITHDRAWN)).await?;
        let pulled = engine
            .row(Sql::new("SELECT outcome FROM partner_pulls WHERE id = 1"))
            .await?;
        let kept = engine
            .row(Sql::new(
                "SELECT version, hash FROM partner_catalogue WHERE id = 1",
            ))
            .await?;
        let dropped = engine
            .row(Sql::new("SELECT outcome FROM partner_pulls WHERE id = 2"))
            .await?;
        Ok(PartnerState {
            registered: registered.iter().map(registered_of).collect::<Result<_, _>>()?,
            health: health.iter().map(health_of).collect::<Result<_, _>>()?,
            withdrawn: withdrawn.iter().map(withdrawn_of).collect::<Result<_, _>>()?,
            last_pull: pulled.map(|row| row.json("outcome")).transpose()?,
            kept_version: kept.as_ref().map(|row| row.count("version")).transpose()?,
            kept_hash: kept.map(|row| row.text("hash")).transpose()?,
            dropped: dropped.map(|row| row.json("outcome")).transpose()?,
        })
    }

    async fn partner_catalogue(&self) -> Result<Option<KeptCatalogue>, StoreError> {
        let sql = Sql::new(
            "SELECT version, hash, body, etag, pulled_at, signed_by FROM partner_catalogue WHERE id = 1",
        );
        let row = self.engine().row(sql).await?;
        row.as_ref().map(kept_of).transpose()
    }

    async fn former_catalogues(&self) -> Result<Vec<KeptCatalogue>, StoreError> {
        let rows = self.engine().rows(Sql::new(FORMER)).await?;
        rows.iter().map(kept_of).collect()
    }

    async fn drop_catalogue(
        &self,
        (version, hash): (u64, &str),
        (instead, withdrawn): (Option<&KeptCatalogue>, &[Withdrawn]),
        (outcome, events): (&PullOutcome, &[AuditEvent]),
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(DROP).bind(version).bind(hash);
        if change.execute(sql).await? == 0 {
            return Err(conflict());
        }
        if let Some(instead) = instead {
            change.execute(keep(instead)).await?;
            let sql = Sql::new("DELETE FROM partner_former_catalogues WHERE signed_by = $1")
                .bind(&instead.signed_by);
            change.execute(sql).await?;
        }
        let sql = Sql::new(DROPPED).bind(json_text("outcome", outcome)?);
        change.execute(sql).await?;
        say(&mut change, withdrawn, events).await?;
        counted(change).await
    }

    async fn keep_catalogue(
        &self,
        catalogue: &KeptCatalogue,
        withdrawn: &[Withdrawn],
        (outcome, events): (&PullOutcome, &[AuditEvent]),
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(SET_ASIDE)
            .bind(catalogue.version)
            .bind(&catalogue.signed_by);
        change.execute(sql).await?;
        if change.execute(keep(catalogue)).await? == 0 {
            return Err(conflict());
        }
        note_pull(&mut change, outcome).await?;
        say(&mut change, withdrawn, events).await?;
        counted(change).await
    }

    async fn note_pull(&self, outcome: &PullOutcome, event: Option<AuditEvent>) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        note_pull(&mut change, outcome).await?;
        change.record(event.as_slice()).await?;
        change.execute(Sql::new(COUNT)).await?;
        change.save().await
    }

    async fn note_registered(
        &self,
        registered: &RegisteredPartner,
        event: Option<AuditEvent>,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let folded = registered.server.as_str().to_ascii_lowercase();
        // A change is alone, so nobody adds the entry between this look and the note.
        if event.is_none() && change.row(Sql::new(TAKEN).bind(folded)).await?.is_some() {
            return Err(StoreError::Conflict {
                what: format!("server `{}`", registered.server),
            });
        }
        let sql = Sql::new(REGISTER)
            .bind(registered.server.as_str())
            .bind(&registered.place.partner)
            .bind(&registered.place.name)
            .bind(registered.version.as_str())
            .bind(registered.catalogue_version)
            .bind(&registered.content_hash)
            .bind(&registered.document_hash)
            .bind(registered.signed_by.as_deref())
            .bind(json_text("variables", &registered.variables)?)
            .bind(&registered.registered_by)
            .bind(registered.registered_at);
        change.execute(sql).await?;
        let sql = Sql::new(OFFERED).bind(registered.server.as_str());
        change.execute(sql).await?;
        change.record(event.as_slice()).await?;
        counted(change).await
    }

    async fn forget_registered(&self, server: &ServerName) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        forget(&mut change, server.as_str()).await?;
        change.publish().await
    }

    async fn note_offer(
        &self,
        server: &ServerName,
        document_hash: &str,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(OFFER)
            .bind(server.as_str())
            .bind(document_hash)
            .bind(event.at);
        if change.execute(sql).await? == 0 {
            return Ok(false);
        }
        change.record(&[event]).await?;
        change.save().await?;
        Ok(true)
    }

    async fn note_health(&self, found: &[PartnerHealth], events: &[AuditEvent]) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        for one in found {
            let sql = Sql::new(FOUND)
                .bind(&one.place.partner)
                .bind(&one.place.name)
                .bind(one.state.as_str())
                .bind(one.since)
                .bind(one.checked_at)
                .bind(&one.detail)
                .bind(&one.content_hash)
                .bind(one.tools_hash.as_deref())
                .bind(&one.evidence);
            change.execute(sql).await?;
        }
        change.record(events).await?;
        change.execute(Sql::new(COUNT)).await?;
        change.save().await
    }

    async fn withdraw_partner(&self, withdrawn: &Withdrawn, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        change.execute(withdraw(withdrawn)).await?;
        change.record(&[event]).await?;
        counted(change).await
    }

    async fn reinstate_partner(
        &self,
        (partner, name): (&str, Option<&str>),
        by: WithdrawnBy,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new("DELETE FROM partner_withdrawals WHERE partner = $1 AND name = $2 AND side = $3")
            .bind(partner)
            .bind(name.unwrap_or_default())
            .bind(by.as_str());
        if change.execute(sql).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("a withdrawal of partner `{partner}`"),
            });
        }
        change.record(&[event]).await?;
        counted(change).await
    }
}

/// Forgets that an entry was made of a catalogue, unless what it was made of is revoked.
pub(crate) async fn forget(change: &mut Change, server: &str) -> Result<(), StoreError> {
    let sql = Sql::new(FORGET).bind(server);
    if change.execute(sql).await? > 0 {
        change.execute(Sql::new(OFFERED).bind(server)).await?;
        change.execute(Sql::new(COUNT)).await?;
    }
    Ok(())
}

/// Another node was faster.
fn conflict() -> StoreError {
    StoreError::Conflict {
        what: "the partner catalogue".to_owned(),
    }
}

fn keep(catalogue: &KeptCatalogue) -> Sql {
    Sql::new(KEEP)
        .bind(catalogue.version)
        .bind(&catalogue.hash)
        .bind(&catalogue.body)
        .bind(catalogue.etag.as_deref())
        .bind(catalogue.pulled_at)
        .bind(&catalogue.signed_by)
}

/// What a catalogue withdraws, instead of what the one before it withdrew.
async fn say(change: &mut Change, withdrawn: &[Withdrawn], events: &[AuditEvent]) -> Result<(), StoreError> {
    let side = WithdrawnBy::Catalogue.as_str();
    let sql = Sql::new("DELETE FROM partner_withdrawals WHERE side = $1").bind(side);
    change.execute(sql).await?;
    for one in withdrawn {
        change.execute(withdraw(one)).await?;
    }
    // A statement takes so many values and no more, and a catalogue may withdraw thousands.
    for some in events.chunks(EVENTS_AT_ONCE) {
        change.record(some).await?;
    }
    Ok(())
}

/// Saves what calls depend on.
async fn counted(mut change: Change) -> Result<(), StoreError> {
    change.execute(Sql::new(COUNT)).await?;
    change.publish().await
}

async fn note_pull(change: &mut Change, outcome: &PullOutcome) -> Result<(), StoreError> {
    let sql = Sql::new(PULLED).bind(json_text("outcome", outcome)?);
    change.execute(sql).await.map(drop)
}

fn withdraw(one: &Withdrawn) -> Sql {
    Sql::new(WITHDRAW)
        .bind(&one.partner)
        .bind(one.name.as_deref().unwrap_or_default())
        .bind(one.by.as_str())
        .bind(one.what.as_str())
        .bind(&one.reason)
        .bind(&one.actor)
        .bind(one.at)
}

fn kept_of(row: &Row) -> Result<KeptCatalogue, StoreError> {
    Ok(KeptCatalogue {
        version: row.count("version")?,
        hash: row.text("hash")?,
        body: row.text("body")?,
        etag: row.optional_text("etag")?,
        pulled_at: row.moment("pulled_at")?,
        signed_by: row.text("signed_by")?,
    })
}

fn registered_of(row: &Row) -> Result<RegisteredPartner, StoreError> {
    Ok(RegisteredPartner {
        server: row.parsed("server")?,
        place: place_of(row)?,
        version: row.parsed("version")?,
        catalogue_version: row.count("catalogue_version")?,
        content_hash: row.text("content_hash")?,
        document_hash: row.text("document_hash")?,
        signed_by: row.optional_text("signed_by")?,
        variables: row.json("variables")?,
        registered_by: row.text("registered_by")?,
        registered_at: row.moment("registered_at")?,
    })
}

fn place_of(row: &Row) -> Result<PartnerPlace, StoreError> {
    Ok(PartnerPlace {
        partner: row.text("partner")?,
        name: row.text("name")?,
    })
}

fn health_of(row: &Row) -> Result<PartnerHealth, StoreError> {
    Ok(PartnerHealth {
        place: place_of(row)?,
        state: row.word("state", HealthState::from_word)?,
        since: row.moment("since")?,
        checked_at: row.moment("checked_at")?,
        detail: row.text("detail")?,
        content_hash: row.text("content_hash")?,
        tools_hash: row.optional_text("tools_hash")?,
        evidence: row.text("evidence")?,
    })
}

fn withdrawn_of(row: &Row) -> Result<Withdrawn, StoreError> {
    Ok(Withdrawn {
        partner: row.text("partner")?,
        name: Some(row.text("name")?).filter(|name| !name.is_empty()),
        what: row.word("what", Withdrawal::from_word)?,
        by: row.word("side", WithdrawnBy::from_word)?,
        reason: row.text("reason")?,
        actor: row.text("actor")?,
        at: row.moment("at")?,
    })
}

/// Reads the rows of [`REVOKED`], each server once.
pub(crate) fn revoked_of(rows: &[Row]) -> Result<Vec<RevokedServer>, StoreError> {
    let mut all: Vec<RevokedServer> = Vec::with_capacity(rows.len());
    for row in rows {
        let one = RevokedServer {
            server: row.parsed("server")?,
            reason: row.text("reason")?,
        };
        if all.last().is_none_or(|last| last.server != one.server) {
            all.push(one);
        }
    }
    Ok(all)
}
