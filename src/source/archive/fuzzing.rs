//! What fuzz targets call: every kind of container, opened under tight limits.

use std::time::Duration;

use super::{Kind, Limits, Member, open_reader, recognise};
use crate::finding::Skipped;
use crate::source::reader::PIECE;

const LIMITS: Limits = Limits {
    depth: 4,
    total_bytes: 4 << 20,
    ratio: 100,
    ratio_free_bytes: 1 << 20,
    members: 2000,
    memory: 8 << 20,
    time: Duration::from_secs(20),
};

/// Archives, compressed files and packages.
pub fn archives(data: &[u8]) {
    if !is_document(data) {
        open(&mended(data));
    }
}

/// Documents, databases, programs, images, packs.
pub fn documents(data: &[u8]) {
    if is_document(data) {
        open(data);
    }
}

fn is_document(data: &[u8]) -> bool {
    match recognise(data) {
        Some(kind) if kind.is_streamed() => false,
        Some(kind) => !matches!(kind, Kind::Zip | Kind::SevenZ),
        None => false,
    }
}

/// A container whose checksums are right, so that fuzzing gets behind them: only xz has some that matter.
fn mended(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    if data.starts_with(b"\xfd7zXZ\0") && data.len() >= 32 {
        let crc = crc32fast::hash(&data[6..8]).to_le_bytes();
        data[8..12].copy_from_slice(&crc);
        let block = (usize::from(data[12]) + 1) * 4;
        if data[12] != 0 && data.len() >= 12 + block {
            let crc = crc32fast::hash(&data[12..12 + block - 4]).to_le_bytes();
            data[12 + block - 4..12 + block].copy_from_slice(&crc);
        }
    }
    data
}

/// Opens a container both ways and holds it to the limits.
pub fn open(data: &[u8]) {
    let by_slice = opened(data.len(), |sink, skipped| super::open(data, &LIMITS, sink, skipped));
    let mut reader = data;
    let by_reader = opened(data.len(), |sink, skipped| {
        open_reader(&mut reader, data.len() as u64, &LIMITS, sink, skipped);
    });
    // Only of what is in memory the end is looked at before the beginning.
    if by_slice.skipped == 0 && by_reader.skipped == 0 && by_slice.binaries + by_reader.binaries == 0 {
        assert_eq!(by_slice.bytes, by_reader.bytes);
        assert_eq!(by_slice.members, by_reader.members);
    }
}

#[derive(Default)]
struct Opened {
    members: u64,
    bytes: u64,
    binaries: u64,
    skipped: usize,
}

type Sink<'s> = dyn FnMut(Member<'_>) + 's;

fn opened(len: usize, open: impl FnOnce(&mut Sink<'_>, &mut Vec<Skipped>)) -> Opened {
    let mut seen = Opened::default();
    let mut skipped = Vec::new();
    open(
        &mut |member| {
            let piece = member.piece;
            assert!(piece.own.start <= piece.own.end && piece.own.end <= piece.bytes.len());
            assert!(piece.next <= piece.own.end && piece.bytes.len() <= PIECE * 2);
            seen.members += 1;
            seen.bytes += piece.own.len() as u64;
            seen.binaries += u64::from(member.binary);
        },
        &mut skipped,
    );
    // The outermost file itself can be a member; what bites is noticed one read later.
    let most = LIMITS.total_bytes + len as u64 + LIMITS.memory as u64;
    assert!(seen.bytes <= most, "{} bytes of {len}", seen.bytes);
    assert!(
        skipped.len() as u64 <= 4 * LIMITS.members + len as u64,
        "{} skips of {len} bytes",
        skipped.len()
    );
    assert!(skipped.iter().all(|skip| !skip.reason.is_empty()));
    seen.skipped = skipped.len();
    seen
}
