//! Places of the reach tests in files that others do not look into, or only at the surface: mail, captures,
//! notebooks, and what is generated, vendored or minified.

use data_encoding::BASE64;
use zip::CompressionMethod as Method;

use super::archive_support::{tar, zip};
use super::reach::Place;
use super::reach_text::wrapped;

/// All of them.
pub fn made(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = mail(token);
    places.extend(data(token));
    places.extend(passed_over(token));
    places
}

const HEADERS: &str =
    "From bob@example.com Mon Jan  1 00:00:00 2001\nFrom: bob@example.com\nMIME-Version: 1.0\n";

/// A mail, five lines of headers and the body in base64, 76 characters a line.
fn in_base64(body: &[u8]) -> Vec<u8> {
    let body = wrapped(&BASE64.encode(body), 76, "\n");
    format!("{HEADERS}Content-Transfer-Encoding: base64\n\n{body}\n").into_bytes()
}

fn mail(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = Vec::new();
    let plain = format!("{HEADERS}Subject: key\n\nthe key is {}\n", token());
    places.push(Place::new("plain.mbox", plain.into_bytes(), (6, 12)));
    // Behind 24 bytes: in the 33rd character.
    let body = format!("Dear all,\r\n\r\nthe key is {}\r\n{}", token(), "bye ".repeat(40));
    places.push(Place::new("base64.mbox", in_base64(body.as_bytes()), (6, 33)).decoded(&["base64"]));
    let (token, boundary) = (token, "--b1\nContent-Type: text/plain\nContent-Transfer-Encoding:");
    let key = token();
    let quoted = format!(
        "{HEADERS}Content-Type: multipart/mixed; boundary=b1\n\n{boundary} quoted-printable\n\nkey=3D{}=\n{}\n--b1--\n",
        &key[..30],
        &key[30..]
    );
    places.push(Place::new("quoted.eml", quoted.into_bytes(), (10, 7)).decoded(&["quoted-printable"]));
    let attached = format!(
        "{HEADERS}Content-Type: multipart/mixed; boundary=b1\n\n{boundary} base64\n\n{}\n--b1--\n",
        wrapped(&BASE64.encode(format!("key={} {}", token(), "bye ".repeat(40)).as_bytes()), 76, "\n")
    );
    // Behind four bytes: the sixth character has its first bits.
    places.push(Place::new("multipart.eml", attached.into_bytes(), (10, 6)).decoded(&["base64"]));
    let attached = zip(&[("conf/.env", format!("a\nb = {}\n", token()).as_bytes())], Method::Deflated);
    // What stands in an encoded container is where the container begins.
    places.push(
        Place::new("attachment.eml", in_base64(&attached), (6, 1))
            .decoded(&["base64"])
            .inside(&["conf/.env"]),
    );
    places
}

/// Captures, notebooks, texts with archives in them.
fn data(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = Vec::new();
    let har = |text: &str, encoding: &str| {
        format!(
            "{{\"log\":{{\"entries\":[{{\"response\":{{\"content\":{{\"text\":\"{text}\"{encoding}}}}}}}]}}}}\n"
        )
    };
    // Behind eleven bytes: the fifteenth character has its first bits.
    let body = BASE64.encode(format!("{{\"token\": \"{}\"}}", token()).as_bytes());
    let place = Place::new("capture.har", har(&body, ",\"encoding\":\"base64\"").into_bytes(), (1, 66));
    places.push(place.decoded(&["base64"]));
    let body = format!("{{\\\"token\\\": \\\"{}\\\"}}", token());
    places.push(Place::new("plain.har", har(&body, "").into_bytes(), (1, 66)));
    let notebook =
        |output: &str| format!("{{\"cells\":[{{\"outputs\":[{{\"data\":{{\n {output}\n}}}}]}}]}}\n");
    let text = format!("\"text/plain\": [\"value {}\\n\"]", token());
    places.push(Place::new("notebook.ipynb", notebook(&text).into_bytes(), (2, 24)));
    let picture = format!("\"image/png\": \"{}\"", BASE64.encode(&png(&format!("key {}", token()))));
    let place = Place::new("picture.ipynb", notebook(&picture).into_bytes(), (2, 16));
    places.push(place.decoded(&["base64"]).inside(&["(tEXt Comment)"]));
    let packed = tar(&[("a", format!("x\nb = {}\n", token()).as_bytes())]);
    let place = Place::new("tar.txt", format!("tar: {}\n", BASE64.encode(&packed)).into_bytes(), (1, 6));
    places.push(place.decoded(&["base64"]).inside(&["a"]));
    places
}

/// A picture of no pixels with a comment.
fn png(comment: &str) -> Vec<u8> {
    let chunk = |kind: &str, data: &[u8]| {
        let body = [kind.as_bytes(), data].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&body);
        [&(data.len() as u32).to_be_bytes()[..], &body, &sum.sum().to_be_bytes()].concat()
    };
    let text = [b"Comment\0", comment.as_bytes()].concat();
    let head = chunk("IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    [b"\x89PNG\r\n\x1a\n".to_vec(), head, chunk("tEXt", &text), chunk("IEND", b"")].concat()
}

/// Files that many scanners leave out by their name.
fn passed_over(token: &mut dyn FnMut() -> String) -> Vec<Place> {
    let mut places = Vec::new();
    let mut file = |name: &str, before: &str, after: &str, at: (u64, u64)| {
        places.push(Place::new(name, format!("{before}{}{after}", token()).into_bytes(), at));
    };
    file("app.js.map", "{\"version\":3,\"sourcesContent\":[\"const key = '", "';\"]}", (1, 46));
    file("Cargo.lock", "[[package]]\nname = \"x\"\nsource = \"git+https://", "@example.com/x\"\n", (3, 23));
    file(
        "package-lock.json",
        "{\"packages\": {\"x\": {\n \"resolved\": \"https://a:",
        "@e.com/x\"}}}",
        (2, 25),
    );
    file("yarn.lock", "x@1:\n  resolved \"https://e.com/x?token=", "\"\n", (2, 35));
    file("go.sum", "e.com/x v1 h1:abc=\n# ", "\n", (2, 3));
    file("logo.svg", "<svg><!-- ", " --></svg>\n", (1, 11));
    file("app.min.js", &format!("{}var k=\"", "a=1;".repeat(20_000)), "\";", (1, 80_008));
    file("node_modules/x/index.js", "module.exports = '", "';\n", (1, 19));
    file("vendor/e.com/x/x.go", "package x\n\nconst key = \"", "\"\n", (3, 14));
    file("__snapshots__/x.test.js.snap", "exports[`x 1`] = `\n\"", "\"\n`;\n", (2, 2));
    file("tests/fixtures/x.json", "{\n  \"key\": \"", "\"\n}\n", (2, 11));
    file("dist/bundle.css", "a{b:c}/*", "*/", (1, 9));
    places
}
