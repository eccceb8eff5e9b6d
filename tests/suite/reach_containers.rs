//! Places of the reach tests in which a secret stands in a container.

use super::archive_support::{bzip2, gzip, tar, xz, zip, zstd};
use super::reach::Place;
use zip::CompressionMethod as Method;

/// A file in which the token stands on line 3 in column 8.
fn env(token: &str) -> Vec<u8> {
    format!("first\nsecond\nkey = \"{token}\"\nlast\n").into_bytes()
}

fn member(name: &str, bytes: Vec<u8>, container: &[&str]) -> Place {
    Place::new(name, bytes, (3, 8)).inside(container)
}

/// A file of LZMA alone, as `xz --format=lzma` writes it.
fn lzma(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let options = liblzma::stream::LzmaOptions::new_preset(6).unwrap();
    let stream = liblzma::stream::Stream::new_lzma_encoder(&options).unwrap();
    let mut out = Vec::new();
    liblzma::read::XzEncoder::new_stream(bytes, stream).read_to_end(&mut out).unwrap();
    out
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
    places.push(member("a.lzma", lzma(&env(&token())), &["(lzma)"]));
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
    // Behind 20 bytes: in the 27th character.
    let place = Place::new("base64.zip", zip(&[("b64.txt", &base64)], Method::Deflated), (1, 27));
    places.push(place.decoded(&["base64"]).inside(&["b64.txt"]));
    let inner = zip(&[("deep/.env", &env(&token()))], Method::Deflated);
    let outer = zip(&[("pkg.tar.gz", &gzip(&tar(&[("lib/inner.jar", &inner)])))], Method::Deflated);
    places.push(member("nested.zip", outer, &["pkg.tar.gz", "lib/inner.jar", "deep/.env"]));
    let program =
        [b"\x7fELF\0\0\0\0".repeat(50), zip(&[(".env", &env(&token()))], Method::Deflated)].concat();
    places.push(member("installer.bin", program, &[".env"]));
    places.extend(images(token));
    places.extend(programs(token));
    places.extend(zips(token));
    places
}

/// What is a zip archive by another name: programs and documents.
fn zips(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let zip = |name: &str, bytes: &[u8]| zip(&[("mimetype", b"x"), (name, bytes)], Method::Deflated);
    let mut places = Vec::new();
    let inner = "WEB-INF/classes/app.properties";
    places.push(member("app.war", zip(inner, &env(&token())), &[inner]));
    let lib = zip("META-INF/service.conf", &env(&token()));
    let chain = ["WEB-INF/lib/lib.jar", "META-INF/service.conf"];
    places.push(member("lib.war", zip(chain[0], &lib), &chain));
    places.push(member("app.apk", zip("assets/config.json", &env(&token())), &["assets/config.json"]));
    // Strings of compiled code, after a length and before a zero byte.
    let dex =
        [b"dex\n035\0\x01\x02\x03\x04\x05\x06\x07\x08\x28", token().as_bytes(), b"\0\x05\0\xff"].concat();
    places.push(Place::new("dex.apk", zip("classes.dex", &dex), (2, 14)).inside(&["classes.dex"]));
    // Android's compiled XML has its strings in UTF-16.
    let wide: Vec<u8> = token().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let attributes: Vec<u8> = (0..600u32).flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    let xml = [b"\x03\0\x08\0\xf0\x01\0\0", wide.as_slice(), b"\0\0\x02\x01", &attributes].concat();
    let chain = ["AndroidManifest.xml", "(utf-16 strings)"];
    places.push(Place::new("manifest.apk", zip(chain[0], &xml), (1, 1)).inside(&chain));
    places.push(member(
        "pkg-1.0-py3-none-any.whl",
        zip("pkg/settings.py", &env(&token())),
        &["pkg/settings.py"],
    ));
    places.extend(documents(token, &zip));
    places
}

/// Office and OpenDocument files. The secret is cut by markup; its place is that in the text without it, in which a
/// paragraph or cell is a line.
fn documents(token: &mut dyn FnMut() -> String, zip: &dyn Fn(&str, &[u8]) -> Vec<u8>) -> Vec<Place> {
    let mut places = Vec::new();
    let mut document = |name: &str, part: &str, make: &dyn Fn(&str, &str) -> String, at: (u64, u64)| {
        let token = token();
        let (left, right) = token.split_at(17);
        let bytes = zip(part, make(left, right).as_bytes());
        places.push(Place::new(name, bytes, at).inside(&[&format!("(text of {part})")]));
    };
    let runs = |left: &str, right: &str, run: &str, text: &str| {
        let run = |part: &str| format!("<{run}><{text}>{part}</{text}></{run}>");
        [run(left), run(right)].concat()
    };
    document(
        "letter.docx",
        "word/document.xml",
        &|l, r| format!("<w:p><w:t>first</w:t></w:p><w:p>{}</w:p>", runs(l, r, "w:r", "w:t")),
        (2, 1),
    );
    document(
        "table.xlsx",
        "xl/sharedStrings.xml",
        &|l, r| format!("<sst><si><t>first</t></si><si>{}</si><si><t>x</t></si></sst>", runs(l, r, "r", "t")),
        (2, 1),
    );
    document(
        "inline.xlsx",
        "xl/worksheets/sheet1.xml",
        &|l, r| format!("<c t=\"n\"><v>12</v></c><c t=\"inlineStr\"><is>{}</is></c>", runs(l, r, "r", "t")),
        (2, 1),
    );
    document(
        "comment.xlsx",
        "xl/comments1.xml",
        &|l, r| {
            format!(
                "<comment><text><t>a</t></text></comment><comment><text>{}</text></comment>",
                runs(l, r, "r", "t")
            )
        },
        (2, 1),
    );
    document(
        "talk.pptx",
        "ppt/slides/slide1.xml",
        &|l, r| format!("<a:p><a:r><a:t>first</a:t></a:r></a:p><a:p>{}</a:p>", runs(l, r, "a:r", "a:t")),
        (2, 1),
    );
    document(
        "letter.odt",
        "content.xml",
        &|l, r| {
            format!(
                "<text:p>first</text:p><text:p>key<text:s/>is<text:tab/>{l}<text:span>{r}</text:span></text:p>"
            )
        },
        (3, 1),
    );
    document(
        "table.ods",
        "content.xml",
        &|l, r| {
            format!(
                "<table:table-cell><text:p>1</text:p></table:table-cell><text:p>{l}<text:span>{r}</text:span></text:p>"
            )
        },
        (2, 1),
    );
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
    // As docker wrote them before it wrote the layout of OCI.
    let first_version =
        tar(&[("4fd1/VERSION", b"1.0"), ("4fd1/json", b"{}"), ("4fd1/layer.tar", &layer(&token()))]);
    let c0 = |place: Place| place.inside(&["blobs/sha256/c0"]);
    vec![
        member("docker-save.tar", image("{}", &layer(&token())), &["blobs/sha256/1a", "app/.env"]),
        member("oci-gzip.tar", image("{}", &gzip(&layer(&token()))), &["blobs/sha256/1a", "app/.env"]),
        member("oci-zstd.tar", image("{}", &zstd(&layer(&token()))), &["blobs/sha256/1a", "app/.env"]),
        member("docker-save-1.tar", first_version, &["4fd1/layer.tar", "app/.env"]),
        c0(Place::new("image-env.tar", image(&config(&token()), &empty), (1, 36))),
        c0(Place::new("image-history.tar", image(&history(&token()), &empty), (2, 36))),
    ]
}

/// Strings of programs.
fn programs(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let narrow = [b"\x7fELF\x02\x01\x01\0\0\0\x01\x02\0", token().as_bytes(), b"\0\xff\xfe\x01\0"].concat();
    let utf16: Vec<u8> = token().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let code: Vec<u8> = (0..600u32).flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    let wide = [&b"MZ\x90\0\x03\0\0\0"[..], &code, &utf16, b"\0\0\xff\xff"].concat();
    vec![
        // Binary data are one text, in which a byte is a character at most.
        Place::new("program", narrow, (1, 14)),
        Place::new("program.exe", wide, (1, 1)).inside(&["(utf-16 strings)"]),
    ]
}

/// The samples of `tests/data/archives`, which all have the same token.
pub fn samples() -> Vec<Place> {
    let sample = |name: &str, at: (u64, u64), container: &str| {
        let path = format!("{}/tests/data/archives/{name}", env!("CARGO_MANIFEST_DIR"));
        let members: Vec<&str> = container.split('!').collect();
        Place::new(name, std::fs::read(path).unwrap(), at).inside(&members)
    };
    let blob = |id: &str| format!("(blob {id})");
    let commit = |id: &str| format!("(commit {id})");
    let mut places = vec![
        sample("lzma2.7z", (3, 8), "conf/.env"),
        sample("lzma.7z", (3, 8), "conf/.env"),
        sample("copy.7z", (3, 8), "conf/.env"),
        sample("bzip2.7z", (3, 8), "conf/.env"),
        sample("deflate.7z", (3, 8), "conf/.env"),
        sample("bcj.7z", (3, 8), "conf/.env"),
        sample("delta.7z", (3, 8), "conf/.env"),
        sample("solid-off.7z", (3, 8), "conf/.env"),
        sample("names.ar", (3, 8), ".env"),
        sample("long.ar", (3, 8), "a-name-of-more-than-sixteen-bytes.env"),
        sample("newc.cpio", (3, 8), "conf/.env"),
        sample("odc.cpio", (3, 8), "conf/.env"),
        sample("sample.deb", (3, 8), "data.tar.xz!./etc/sample.conf"),
        sample("sample.rpm", (3, 8), "./etc/sample.conf"),
        // The strings of its header, one a line: here a script that runs after the installation.
        sample("sample.rpm", (17, 13), "(header)"),
        // Records of a table, one a line.
        sample("sample.sqlite", (124, 10), "users"),
        sample("sample.sqlite", (1, 5002), "big"),
        // What was deleted: strings of pages that are free, and of free space within pages, one a line.
        sample("sample.sqlite", (1, 9), "(free pages)"),
        sample("sample.sqlite", (80, 9), "(free space)"),
        // Strings of compiled code, one a line.
        sample("Sample.class", (12, 1), "(constants)"),
        sample("sample.pyc", (1, 1), "(constants)"),
        sample("sample.pyc", (2, 1), "(constants)"),
        sample("sample.pdf", (1, 8), "(text of object 7)"),
        // The same, as the stream shows it that draws the page.
        sample("sample.pdf", (2, 30), "(object 7)"),
        sample("sample.docx", (2, 7), "(text of word/document.xml)"),
        sample("sample.png", (1, 5), "(tEXt Comment)"),
        sample("sample.png", (1, 5), "(zTXt Packed)"),
        sample("sample.png", (1, 5), "(iTXt International)"),
        sample("sample.png", (1, 5), "(exif)"),
        sample("sample.jpg", (1, 5), "(comment)"),
        // Values of EXIF, one a line.
        sample("sample.jpg", (1, 5), "(exif)"),
        sample("sample.jpg", (2, 5), "(exif)"),
        sample("sample.webp", (1, 5), "(exif)"),
        sample("sample.tiff", (1, 5), "(exif)"),
    ];
    for name in ["sample.pack", "sample.bundle"] {
        places.extend([
            sample(name, (3, 8), &blob("0efd123a6157387c2c190c15e79e2a158ee513c9")),
            sample(name, (203, 8), &blob("81d2e427d46908bfc580e365a5e8cf112e9661f2")),
            sample(name, (5, 10), &commit("6abb0cc05984d7d811c0d22efad57e9d9ca83d34")),
        ]);
    }
    places
}
