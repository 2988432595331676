//! What runs beside the listeners, as far as it takes more than a line to join.

use std::sync::Arc;

use portreeve_insight::{DeliveryJob, DeliveryMetrics, Webhooks};
use portreeve_registry::{AssessJob, AssessParts, IconJob, IconParts, Registry};
use prometheus_client::registry::Registry as MetricsRegistry;

use super::Ground;
use crate::config::Config;

impl Ground {
    /// The job that judges; none where the configuration says so.
    pub(super) fn assess(&self, config: &Config, registry: &Arc<Registry>) -> Option<AssessJob> {
        let parts = |repeat| AssessParts {
            registry: Arc::clone(registry),
            locks: Arc::clone(&self.shared.locks),
            holder: self.store.node().to_string(),
            repeat,
            imported: config.assessment.imported(),
        };
        config.assessment.repeat().map(parts).map(AssessJob::new)
    }

    pub(super) fn deliveries(
        &self,
        config: &Config,
        webhooks: &Webhooks,
        metrics: &mut MetricsRegistry,
    ) -> DeliveryJob {
        let holder = self.store.node().to_string();
        let metrics = DeliveryMetrics::new(metrics);
        DeliveryJob::new(webhooks, holder, config.webhooks.retries(), metrics)
    }

    /// The job that fetches icons.
    pub(super) fn icons(&self, registry: &Arc<Registry>) -> IconJob {
        IconJob::new(IconParts {
            registry: Arc::clone(registry),
            locks: Arc::clone(&self.shared.locks),
            holder: self.store.node().to_string(),
        })
    }
}
