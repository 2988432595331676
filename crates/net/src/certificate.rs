//! The one thing that is read of a certificate here: when it ends. Whether it may be trusted is rustls' to say.
//!
//! After: `connect` tells it of the certificates that a server showed.

use portreeve_core::time::Timestamp;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version field, which only certificates of version 1 leave out.
const VERSION: u8 = 0xa0;

/// When a certificate (RFC 5280, DER) ends; `None` when it cannot be read.
pub(crate) fn ends_at(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = within(der, SEQUENCE)?;
    let (mut fields, _) = within(certificate, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        fields = value(fields)?.2;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        fields = value(fields)?.2;
    }
    let (validity, _) = within(fields, SEQUENCE)?;
    let (_, _, rest) = value(validity)?;
    let (tag, text, _) = value(rest)?;
    moment(tag, std::str::from_utf8(text).ok()?)
}

/// The content of the first value, if it has this tag, and what follows it.
fn within(bytes: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = value(bytes)?;
    (tag == expected).then_some((content, rest))
}

/// Tag, content and rest.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match usize::from(first) {
        short @ 0..=0x7f => (short, rest),
        // Longer than four bytes of length is nothing that was read here.
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(long - 0x80)?;
            let length = digits
                .iter()
                .fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` up to 2049, `YYYYMMDDHHMMSSZ` after that.
fn moment(tag: u8, text: &str) -> Option<Timestamp> {
    let whole = match tag {
        UTC_TIME => {
            let century = if text.get(..2)? < "50" { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let digits = whole.strip_suffix('Z')?;
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    Timestamp::parse(&format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14)
    ))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::ends_at;

    fn certificate(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["acme.example".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 6, 15);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_of_a_certificate_is_read_in_both_forms() {
        for year in [2026, 2049, 2050, 2999] {
            let ends = ends_at(&certificate(year)).map(|at| at.to_string());
            assert!(
                ends.is_some_and(|at| at.starts_with(&format!("{year}-06-15T00:00:00"))),
                "{year}"
            );
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_end_never_and_break_nothing() {
        let whole = certificate(2030);
        for length in 0..whole.len() {
            let _ = ends_at(&whole[..length]);
        }
        for place in 0..whole.len() {
            let mut broken = whole.clone();
            broken[place] ^= 0xff;
            let _ = ends_at(&broken);
        }
        assert_eq!(ends_at(b""), None);
        assert_eq!(ends_at(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
