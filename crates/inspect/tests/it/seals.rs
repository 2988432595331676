//! Sealed secrets: opened only by the key and for the purpose that they were sealed with.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU8, Ordering};

use portreeve_core::random::Rng;
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_inspect::{SealError, Sealer};

#[derive(Debug)]
struct Counting(AtomicU8);

impl Rng for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&SecretKey::new([byte; 32])).unwrap()
}

const FOR: [&str; 3] = ["secret", "github", "installation-1"];

#[test]
fn what_was_sealed_opens_with_the_same_key_for_the_same_thing_alone() {
    let rng = Counting(AtomicU8::new(1));
    let secret = Secret::new("correct horse \u{1f40e}");
    let sealed = sealer(7).seal(&secret, &FOR, &rng).unwrap();
    assert!(!sealed.contains("horse"));
    assert_eq!(sealer(7).open(&sealed, &FOR).unwrap(), secret);
    assert_eq!(sealer(8).open(&sealed, &FOR), Err(SealError));
    for other in [
        ["secret", "gitlab", "installation-1"],
        ["secret", "github", "installation-2"],
        ["secretg", "ithub", "installation-1"],
    ] {
        assert_eq!(sealer(7).open(&sealed, &other), Err(SealError), "{other:?}");
    }
}

#[test]
fn a_changed_seal_does_not_open() {
    let rng = Counting(AtomicU8::new(1));
    let sealed = sealer(7).seal(&Secret::new("value"), &FOR, &rng).unwrap();
    for place in 0..sealed.len() {
        let mut bytes = sealed.clone().into_bytes();
        bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(
            sealer(7).open(&changed, &FOR),
            Err(SealError),
            "{place}: {changed}"
        );
    }
    for broken in [
        "",
        "1.",
        "1.00",
        "2.",
        "1.zz",
        sealed.get(..sealed.len() - 2).unwrap(),
        "\u{e9}",
    ] {
        assert_eq!(sealer(7).open(broken, &FOR), Err(SealError), "{broken}");
    }
}

#[test]
fn the_same_secret_is_sealed_in_another_way_each_time() {
    let rng = Counting(AtomicU8::new(1));
    let all: HashSet<_> = (0..50)
        .map(|_| sealer(7).seal(&Secret::new("value"), &FOR, &rng).unwrap())
        .collect();
    assert_eq!(all.len(), 50);
}

#[test]
fn neither_the_sealer_nor_its_key_is_printed() {
    assert_eq!(format!("{:?}", sealer(7)), "Sealer([secret key])");
}
