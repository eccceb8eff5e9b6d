use super::*;
use std::io::Write;

fn zlib(bytes: &[u8], level: flate2::Compression) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), level);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// The first 64 KiB are free, however well they are compressed; then a byte may become a hundred.
#[test]
fn how_much_a_payload_may_be() {
    let best = flate2::Compression::best();
    for len in [8, 64 << 10, 500_000] {
        let data = zlib(&vec![b'a'; len], best);
        let most = (64 << 10) + 100 * data.len();
        let mut budget = Budget { bytes: 1 << 20, exhausted: false };
        let out = expand(&data, Compressed::Zlib, &mut budget).unwrap();
        assert_eq!((out.len(), budget.exhausted), (len.min(most), len > most), "{len}");
        assert_eq!(budget.bytes, (1 << 20) - out.len(), "{len}");
    }
    let short = zlib(b"1234567", best);
    assert_eq!(expand(&short, Compressed::Zlib, &mut Budget::for_text(100)), None);
}

/// What is cut off after a mebibyte goes on in the next piece of the file; a shorter one is cut off by whoever wrote it.
#[test]
fn long_data_that_end_in_the_middle() {
    let data = zlib(&vec![b'x'; LONG + 1000], flate2::Compression::none());
    for (len, exhausted) in [(LONG - 1, false), (LONG, true), (LONG + 1, true), (data.len(), false)] {
        let mut budget = Budget { bytes: 8 << 20, exhausted: false };
        assert!(expand(&data[..len], Compressed::Zlib, &mut budget).is_some());
        assert_eq!(budget.exhausted, exhausted, "{len}");
    }
    // Damage is no end.
    let mut damaged = data;
    damaged[2] = 7;
    let mut budget = Budget { bytes: 8 << 20, exhausted: false };
    assert_eq!((expand(&damaged, Compressed::Zlib, &mut budget), budget.exhausted), (None, false));
}
