//! Figures of webhooks, for operators.

use std::sync::atomic::AtomicI64;

use portreeve_core::name::WebhookName;
use portreeve_core::ports::OutboxCounts;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    webhook: String,
    outcome: &'static str,
}

/// The metrics. Labels are names that administrators gave, and words of our own.
#[derive(Debug, Clone)]
pub struct DeliveryMetrics {
    attempts: Family<Labels, Counter>,
    waiting: Gauge<i64, AtomicI64>,
    dead: Gauge<i64, AtomicI64>,
}

impl DeliveryMetrics {
    /// Metrics, registered.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            attempts: Family::default(),
            waiting: Gauge::default(),
            dead: Gauge::default(),
        };
        registry.register(
            "portreeve_webhook_attempts",
            "Attempts of this node to deliver an event: delivered, failed (tried again), dead (tried no more)",
            metrics.attempts.clone(),
        );
        registry.register(
            "portreeve_webhook_deliveries_waiting",
            "Deliveries of the installation that wait for an attempt",
            metrics.waiting.clone(),
        );
        registry.register(
            "portreeve_webhook_deliveries_dead",
            "Deliveries of the installation that nobody tries any more",
            metrics.dead.clone(),
        );
        metrics
    }

    pub(super) fn tried(&self, webhook: &WebhookName, outcome: &'static str) {
        let labels = Labels {
            webhook: webhook.to_string(),
            outcome,
        };
        self.attempts.get_or_create(&labels).inc();
    }

    pub(super) fn counted(&self, counts: OutboxCounts) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.waiting.set(number(counts.waiting));
        self.dead.set(number(counts.dead));
    }
}
