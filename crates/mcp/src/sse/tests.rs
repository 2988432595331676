//! The reader against every way of cutting a stream, and against the line ends that the standard allows.

use super::*;

fn read_all(chunks: &[&[u8]]) -> Vec<Event> {
    let mut reader = Reader::new(1_000_000);
    let mut events = Vec::new();
    for chunk in chunks {
        reader.feed(chunk);
        while let Some(event) = reader.next_event().unwrap() {
            events.push(event);
        }
    }
    events
}

const STREAM: &[u8] = b"\xef\xbb\xbf: hello\n\nid: 1\nretry: 5\ndata: \n\nevent: message\r\ndata: {\"a\":1}\r\n\r\ndata:x\rdata: y\r\r\
data: last\n\ndata: cut";

#[test]
fn events_are_read_by_the_standard() {
    let events = read_all(&[STREAM]);
    let data: Vec<_> = events.iter().map(|event| event.data.as_deref()).collect();
    assert_eq!(
        data,
        [None, None, Some(&b"{\"a\":1}"[..]), Some(b"x\ny"), Some(b"last")]
    );
    assert_eq!(
        events.get(1).and_then(|event| event.id.as_deref()),
        Some(&b"1"[..])
    );
    assert_eq!(
        events.get(2).and_then(|event| event.name.as_deref()),
        Some(&b"message"[..])
    );
}

#[test]
fn how_the_stream_is_cut_does_not_matter() {
    let meaning = |events: Vec<Event>| {
        events
            .into_iter()
            .map(|event| (event.data, event.id))
            .collect::<Vec<_>>()
    };
    let whole = meaning(read_all(&[STREAM]));
    for cut in 1..STREAM.len() {
        let (head, tail) = STREAM.split_at(cut);
        assert_eq!(meaning(read_all(&[head, tail])), whole, "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
    assert_eq!(meaning(read_all(&bytes)), whole);
}

#[test]
fn an_event_above_the_limit_is_refused() {
    let mut reader = Reader::new(100);
    reader.feed(&[b'x'; 101]);
    assert_eq!(reader.next_event(), Err(TooLarge { limit: 100 }));
}

#[test]
fn other_data_keeps_the_other_lines() {
    let mut reader = Reader::new(1_000);
    reader.feed(b"id: 7\nevent: message\ndata: {\"id\":1}\nretry: 3\n\n");
    let event = reader.next_event().unwrap().unwrap();
    assert_eq!(
        event.with_data(b"{\"id\":9}"),
        &b"id: 7\nevent: message\nretry: 3\ndata: {\"id\":9}\n\n"[..]
    );
}

proptest::proptest! {
    #[test]
    fn what_is_written_reads_back(lines in proptest::collection::vec("[^\r\n]{1,40}", 1..4)) {
        let data = lines.join("\n");
        let mut reader = Reader::new(10_000);
        reader.feed(&message(data.as_bytes()));
        let event = reader.next_event().unwrap().unwrap();
        proptest::prop_assert_eq!(event.data.unwrap(), data.as_bytes());
        proptest::prop_assert!(!reader.has_rest());
    }
}
