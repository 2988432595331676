//! The journal alone: lines, one writer, restarts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use portreeve_core::ports::Journal as _;
use portreeve_store::{AuditError, ChainHead, FileJournal, JournalSync, node_identity};
use portreeve_testkit::store_fixtures::{CountingRng, SteppingClock, event};

fn open(data: &std::path::Path) -> FileJournal {
    FileJournal::open(data, JournalSync::Os, ChainHead::EMPTY).unwrap()
}

fn lines(data: &std::path::Path) -> Vec<String> {
    let mut paths: Vec<_> = fs::read_dir(data.join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some())
        .collect();
    paths.sort();
    let text: String = paths
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert!(text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_line_is_chained_to_the_one_before() {
    let data = tempfile::tempdir().unwrap();
    let journal = open(data.path());
    let (first, second) = (event("one"), event("two"));
    journal.append(&first).unwrap();
    journal.append(&second).unwrap();

    let mut previous = vec![0_u8; 32];
    for (line, (number, event)) in lines(data.path()).iter().zip([(1_u64, first), (2, second)]) {
        let [sequence, hash, body] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert_eq!(sequence, number.to_string());
        assert_eq!(body, serde_json::to_string(&event).unwrap());
        let mut bytes = previous.clone();
        bytes.extend(number.to_be_bytes());
        bytes.extend(body.as_bytes());
        previous = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes)
            .as_ref()
            .to_vec();
        let hex: String = previous.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, hex);
    }
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data.path().join("journal")), 0o700);
    assert_eq!(mode(&data.path().join("journal/00000000000000000001.log")), 0o600);
}

#[test]
fn many_threads_write_one_chain() {
    let data = tempfile::tempdir().unwrap();
    let journal = Arc::new(open(data.path()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..200).for_each(|_| journal.append(&event("call")).unwrap()));
        }
    });
    let sequences: Vec<u32> = lines(data.path())
        .iter()
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(sequences, (1..=1_600).collect::<Vec<_>>());
}

#[test]
fn a_journal_has_one_writer() {
    let data = tempfile::tempdir().unwrap();
    let journal = open(data.path());
    let error = FileJournal::open(data.path(), JournalSync::Os, ChainHead::EMPTY).unwrap_err();
    assert!(matches!(error, AuditError::InUse { .. }), "{error}");
    drop(journal);
    open(data.path());
}

#[test]
fn a_restart_goes_on_where_the_chain_ended() {
    let data = tempfile::tempdir().unwrap();
    for sync in [JournalSync::Os, JournalSync::EachWrite, JournalSync::Os] {
        let journal = FileJournal::open(data.path(), sync, ChainHead::EMPTY).unwrap();
        journal.append(&event("call")).unwrap();
    }
    let starts: Vec<_> = lines(data.path())
        .iter()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(starts, ["1", "2", "3"]);
}

#[test]
fn a_node_keeps_its_identity() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("deep/data");
    let read = || node_identity(&path, &SteppingClock::default(), &CountingRng);
    let node = read().unwrap();
    assert_eq!(read().unwrap(), node);
    fs::write(path.join("node.id"), "something else").unwrap();
    assert!(matches!(read().unwrap_err(), AuditError::Node { .. }));
}
