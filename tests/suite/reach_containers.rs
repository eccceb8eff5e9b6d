//! Places of the reach tests in which a secret stands in a container.

use super::archive_support::{bzip2, gzip, tar, xz, zip, zstd};
use super::reach::Place;
use zip::CompressionMethod as Method;

/// A file in which the token stands on line 3 in column 8.
fn env(token: &str) -> Vec<u8> {
    format!("first\nsecond\nkey = \"{token}\"\nlast\n").into_bytes()
}

fn member(name: &str, bytes: Vec<u8>, container: &[&str]) -> Place {
    Place::new(name, bytes).on_lines(3..=3).in_columns(8..=8).inside(container)
}

/// Containers that are made here.
pub fn made(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = Vec::new();
    for (method, name) in [
        (Method::Stored, "stored.zip"),
        (Method::Deflated, "app.jar"),
        (Method::Bzip2, "bzip2.zip"),
        (Method::Zstd, "zstd.zip"),
        (Method::Xz, "xz.zip"),
    ] {
        let files: [(&str, &[u8]); 2] =
            [("META-INF/MANIFEST.MF", b"x"), ("conf/app.properties", &env(&token()))];
        places.push(member(name, zip(&files, method), &["conf/app.properties"]));
    }
    let files = |token: &str| tar(&[("x", &[b'x'; 3000]), ("etc/app.conf", &env(token))]);
    places.push(member("a.tar", files(&token()), &["etc/app.conf"]));
    places.push(member("a.tar.gz", gzip(&files(&token())), &["etc/app.conf"]));
    places.push(member("a.tar.bz2", bzip2(&files(&token())), &["etc/app.conf"]));
    places.push(member("a.tar.xz", xz(&files(&token())), &["etc/app.conf"]));
    places.push(member("a.tar.zst", zstd(&files(&token())), &["etc/app.conf"]));
    places.push(member("a.gz", gzip(&env(&token())), &["(gzip)"]));
    places.push(member("a.bz2", bzip2(&env(&token())), &["(bzip2)"]));
    places.push(member("a.xz", xz(&env(&token())), &["(xz)"]));
    places.push(member("a.zst", zstd(&env(&token())), &["(zstd)"]));
    let two = [gzip(b"first\nsec"), gzip(&env(&token())[9..])].concat();
    places.push(member("two-members.gz", two, &["(gzip)"]));
    places.push(member("behind.gz", [gzip(b"x"), env(&token())].concat(), &["(behind gzip)"]));
    places.push(member("behind.tar", [tar(&[("a", b"b")]), env(&token())].concat(), &["(behind tar)"]));
    let utf16: Vec<u8> =
        String::from_utf8(env(&token())).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
    places.push(
        member("utf16.zip", zip(&[("w.ini", &utf16)], Method::Deflated), &["w.ini"]).decoded(&["utf-16le"]),
    );
    let base64 = data_encoding::BASE64.encode(&env(&token())).into_bytes();
    let place = Place::new("base64.zip", zip(&[("b64.txt", &base64)], Method::Deflated)).on_lines(1..=1);
    places.push(place.decoded(&["base64"]).inside(&["b64.txt"]));
    let inner = zip(&[("deep/.env", &env(&token()))], Method::Deflated);
    let outer = zip(&[("pkg.tar.gz", &gzip(&tar(&[("lib/inner.jar", &inner)])))], Method::Deflated);
    places.push(member("nested.zip", outer, &["pkg.tar.gz", "lib/inner.jar", "deep/.env"]));
    let program =
        [b"\x7fELF\0\0\0\0".repeat(50), zip(&[(".env", &env(&token()))], Method::Deflated)].concat();
    places.push(member("installer.bin", program, &[".env"]));
    places.extend(images(token));
    places.extend(programs(token));
    places
}

/// Images of docker and OCI: layers, configuration, history.
fn images(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let config = |token: &str| {
        format!(
            "{{\"config\":{{\"Env\":[\"PATH=/bin\",\"KEY={token}\"]}},\n\"history\":[{{\"created_by\":\"RUN x\"}}]}}"
        )
    };
    let history = |token: &str| {
        format!(
            "{{\"config\":{{\"Env\":[\"PATH=/bin\"]}},\n\"history\":[{{\"created_by\":\"RUN curl {token}\"}}]}}"
        )
    };
    let layer = |token: &str| tar(&[("app/.env", &env(token))]);
    let image = |config: &str, layer: &[u8]| {
        tar(&[("manifest.json", b"[]"), ("blobs/sha256/c0", config.as_bytes()), ("blobs/sha256/1a", layer)])
    };
    let empty = tar(&[("etc/hostname", b"x")]);
    let c0 = |place: Place| place.inside(&["blobs/sha256/c0"]);
    vec![
        member("docker-save.tar", image("{}", &layer(&token())), &["blobs/sha256/1a", "app/.env"]),
        member("oci-gzip.tar", image("{}", &gzip(&layer(&token()))), &["blobs/sha256/1a", "app/.env"]),
        member("oci-zstd.tar", image("{}", &zstd(&layer(&token()))), &["blobs/sha256/1a", "app/.env"]),
        c0(Place::new("image-env.tar", image(&config(&token()), &empty)).on_lines(1..=1).in_columns(36..=36)),
        c0(Place::new("image-history.tar", image(&history(&token()), &empty))
            .on_lines(2..=2)
            .in_columns(36..=36)),
    ]
}

/// Strings of programs.
fn programs(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let narrow = [b"\x7fELF\x02\x01\x01\0\0\0\x01\x02\0", token().as_bytes(), b"\0\xff\xfe\x01\0"].concat();
    let utf16: Vec<u8> = token().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let code: Vec<u8> = (0..600u32).flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    let wide = [&b"MZ\x90\0\x03\0\0\0"[..], &code, &utf16, b"\0\0\xff\xff"].concat();
    vec![Place::new("program", narrow), Place::new("program.exe", wide).inside(&["(utf-16 strings)"])]
}

/// The samples of `tests/data/archives`, which all have the same token.
pub fn samples() -> Vec<Place> {
    let sample = |name: &str| {
        let path = format!("{}/tests/data/archives/{name}", env!("CARGO_MANIFEST_DIR"));
        Place::new(name, std::fs::read(path).unwrap())
    };
    let env =
        |name: &str, container: &[&str]| sample(name).on_lines(3..=3).in_columns(8..=8).inside(container);
    vec![
        env("lzma2.7z", &["conf/.env"]),
        env("lzma.7z", &["conf/.env"]),
        env("copy.7z", &["conf/.env"]),
        env("bzip2.7z", &["conf/.env"]),
        env("deflate.7z", &["conf/.env"]),
        env("bcj.7z", &["conf/.env"]),
        env("delta.7z", &["conf/.env"]),
        env("names.ar", &[".env"]),
        env("long.ar", &["a-name-of-more-than-sixteen-bytes.env"]),
        env("newc.cpio", &["conf/.env"]),
        env("odc.cpio", &["conf/.env"]),
        env("sample.deb", &["data.tar.xz", "./etc/sample.conf"]),
        env("sample.rpm", &["./etc/sample.conf"]),
        sample("sample.rpm").inside(&["(header)"]),
        sample("sample.sqlite").on_lines(123..=124).inside(&["users"]),
        sample("sample.sqlite").on_lines(1..=1).in_columns(5002..=5002).inside(&["big"]),
        sample("sample.sqlite").inside(&["(free pages)"]),
        sample("sample.sqlite").inside(&["(free space)"]),
        sample("Sample.class").inside(&["(constants)"]),
        sample("sample.pyc").inside(&["(constants)"]),
        sample("sample.pdf").on_lines(1..=1).inside(&["(text of object 7)"]),
        sample("sample.docx").on_lines(2..=2).in_columns(7..=7).inside(&["(text of word/document.xml)"]),
        sample("sample.png").in_columns(5..=5).inside(&["(tEXt Comment)"]),
        sample("sample.png").in_columns(5..=5).inside(&["(zTXt Packed)"]),
        sample("sample.png").in_columns(5..=5).inside(&["(iTXt International)"]),
        sample("sample.png").in_columns(5..=5).inside(&["(exif)"]),
        sample("sample.jpg").in_columns(5..=5).inside(&["(comment)"]),
        sample("sample.jpg").in_columns(5..=5).inside(&["(exif)"]),
        sample("sample.webp").in_columns(5..=5).inside(&["(exif)"]),
        sample("sample.tiff").in_columns(5..=5).inside(&["(exif)"]),
        env("sample.pack", &["(blob 0efd123a6157387c2c190c15e79e2a158ee513c9)"]),
        env("sample.bundle", &["(blob 0efd123a6157387c2c190c15e79e2a158ee513c9)"]),
        sample("sample.bundle")
            .on_lines(5..=5)
            .in_columns(10..=10)
            .inside(&["(commit 6abb0cc05984d7d811c0d22efad57e9d9ca83d34)"]),
    ]
}
