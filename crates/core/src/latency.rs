//! Latency histograms: log-linear buckets, eight to the octave, so that a percentile is at most 13 % too high.

/// How many buckets there are; the last one holds everything above about 9.5 hours.
pub const BUCKETS: u8 = 248;

/// The bucket of a duration in microseconds.
pub fn bucket_of(micros: u64) -> u8 {
    if micros < 8 {
        return u8::try_from(micros).unwrap_or(0);
    }
    let octave = 63 - micros.leading_zeros();
    let within = (micros >> (octave - 3)) & 7;
    let index = u64::from(octave - 2) * 8 + within;
    u8::try_from(index.min(u64::from(BUCKETS) - 1)).unwrap_or(BUCKETS - 1)
}

/// The largest duration, in microseconds, that falls into a bucket.
pub fn upper_bound(bucket: u8) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < 8 {
        return bucket;
    }
    let octave = bucket / 8 + 2;
    let within = bucket % 8;
    ((8 + within + 1) << (octave - 3)) - 1
}

/// The value below which a share of the counted durations lies, in microseconds. `counts` are (bucket, count) pairs
/// in ascending order of bucket; `percent` is 0 to 100.
pub fn percentile(counts: &[(u8, u64)], percent: u64) -> Option<u64> {
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    if total == 0 {
        return None;
    }
    let wanted = (total * percent).div_ceil(100).max(1);
    let mut seen = 0;
    for (bucket, count) in counts {
        seen += count;
        if seen >= wanted {
            return Some(upper_bound(*bucket));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_within_its_bucket() {
        let mut last = 0;
        for micros in (0..5_000_u64).chain((5_000..40_000_000).step_by(977)) {
            let bucket = bucket_of(micros);
            assert!(bucket >= last, "{micros} us went back to bucket {bucket}");
            assert!(
                upper_bound(bucket) >= micros,
                "{micros} us lies above bucket {bucket}"
            );
            assert!(
                bucket == 0 || upper_bound(bucket - 1) < micros,
                "{micros} us belongs below bucket {bucket}"
            );
            last = bucket;
        }
    }

    #[test]
    fn a_percentile_is_at_most_an_eighth_too_high() {
        let counts: Vec<_> = (1..=100_u64).map(|ms| (bucket_of(ms * 1_000), 1)).collect();
        let p95 = percentile(&counts, 95).unwrap_or_default();
        assert!((95_000..107_000).contains(&p95), "p95 of 1 to 100 ms is {p95} us");
        assert_eq!(percentile(&[], 95), None);
    }
}
