//! Derived keys, MACs, signatures.

use aws_lc_rs::hkdf;
use portreeve_core::ports::CheckpointSigner as _;
use portreeve_core::secret::SecretKey;
use portreeve_inspect::{Ed25519Signer, Keyring, Mac};

#[test]
fn derivation_is_hkdf_sha_256() {
    let master = [7; 32];
    let info = [b"cursor".as_slice()];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"portreeve keyring v1").extract(&master);
    let mut expected = [0; 32];
    extracted
        .expand(&info, hkdf::HKDF_SHA256)
        .unwrap()
        .fill(&mut expected)
        .unwrap();
    assert_eq!(
        Keyring::new(SecretKey::new(master)).derive("cursor").expose(),
        &expected
    );
}

#[test]
fn every_purpose_and_every_master_has_its_own_key() {
    let ring = Keyring::new(SecretKey::new([7; 32]));
    let other = Keyring::new(SecretKey::new([8; 32]));
    assert_eq!(ring.derive("audit"), ring.derive("audit"));
    assert_ne!(ring.derive("audit"), ring.derive("cursor"));
    assert_ne!(ring.derive("audit"), other.derive("audit"));
    assert!(!format!("{ring:?}").contains('7'));
}

/// RFC 4231 has no test with a 32-byte key; this one was computed with OpenSSL.
#[test]
fn macs_verify_and_notice_changes() {
    let mac = Mac::new(&SecretKey::new([0x0b; 32]));
    assert_eq!(
        mac.hex(b"Hi There"),
        "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"
    );
    let tag = mac.tag(b"statement");
    assert!(mac.verify(b"statement", &tag));
    assert!(!mac.verify(b"statemenT", &tag));
    assert!(!mac.verify(b"statement", &tag[..31]));
    assert!(!mac.verify(b"statement", b""));
    assert_eq!(format!("{mac:?}"), "Mac([secret key])");
}

/// RFC 8032, section 7.1, test 2.
#[test]
fn signatures_are_ed25519() {
    let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    let signer = Ed25519Signer::from_seed(&SecretKey::new(bytes(seed).try_into().unwrap()));
    assert_eq!(
        signer.public_key(),
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    let signature = signer.sign(&[0x72]);
    assert_eq!(
        signature,
        bytes(concat!(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ))
    );
    let other = Ed25519Signer::from_seed(&SecretKey::new([1; 32]));
    assert!(other.verify(signer.public_key(), &[0x72], &signature));
    assert!(!other.verify(signer.public_key(), &[0x73], &signature));
    assert!(!other.verify(other.public_key(), &[0x72], &signature));
    for nonsense in ["", "zz", "3d4", "ü", "00"] {
        assert!(!other.verify(nonsense, &[0x72], &signature));
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap())
        .collect()
}
