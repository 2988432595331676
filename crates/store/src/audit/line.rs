//! One line of the journal: `<sequence> <hash> <event>\n`. Written by `journal`, read by `reader` and `verify`.

use std::io::Write as _;

use super::hash::ChainHash;

/// A record as it stands in the journal and in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its place in the chain.
    pub(crate) sequence: i64,
    /// The hash that it claims.
    pub(crate) hash: ChainHash,
    /// The event, exactly as it was hashed.
    pub(crate) body: String,
}

/// Writes a line into a buffer.
pub(crate) fn write(buffer: &mut Vec<u8>, sequence: i64, hash: &ChainHash, body: &[u8]) {
    // Writing to a Vec cannot fail.
    let _ = write!(buffer, "{sequence} {hash} ");
    buffer.extend_from_slice(body);
    buffer.push(b'\n');
}

/// Reads a line without its end. `None`: it is not a record.
pub(crate) fn parse(line: &[u8]) -> Option<Record> {
    let text = std::str::from_utf8(line).ok()?;
    let (sequence, rest) = text.split_once(' ')?;
    let (hash, body) = rest.split_once(' ')?;
    Some(Record {
        sequence: sequence.parse().ok().filter(|sequence| *sequence > 0)?,
        hash: ChainHash::parse(hash)?,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{ChainHash, Record, parse, write};

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let hash = ChainHash::GENESIS.next(7, b"{\"a\": 1}");
        let mut line = Vec::new();
        write(&mut line, 7, &hash, b"{\"a\": 1}");
        assert_eq!(line.pop(), Some(b'\n'));
        let record = Record {
            sequence: 7,
            hash,
            body: "{\"a\": 1}".to_owned(),
        };
        assert_eq!(parse(&line), Some(record));
    }

    #[test]
    fn what_is_not_a_record_is_not_read() {
        for line in ["", "7", "7 ab {}", "-1 00 {}", "x 00 {}"] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
        assert_eq!(parse(&[0xff, b' ']), None);
    }
}
