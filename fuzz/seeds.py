#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets: `python3 fuzz/seeds.py` (from anywhere).

Small inputs of every kind that a target knows, from which a fuzzer finds its way. Nothing in them looks like a secret:
where one is wanted, the bytes 1 to 4 stand for it (`expanded` in src/matcher/fuzzing.rs). The targets for containers
are fed with tests/data/archives as well.
"""

import base64
import bz2
import gzip
import hashlib
import io
import lzma
import pathlib
import quopri
import shutil
import struct
import tarfile
import zipfile
import zlib

SEEDS = pathlib.Path(__file__).resolve().parent / "seeds"


def put(target, name, data):
    path = SEEDS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def halves(first, second):
    return u16(len(first)) + first + second


# Repositories


def fanout(oids):
    return b"".join(u32(sum(oid[0] <= n for oid in oids)) for n in range(256))


def git_tables():
    for which, size in [(0, 20), (1, 32)]:
        digest = (lambda b: hashlib.sha1(b).digest()) if size == 20 else (lambda b: hashlib.sha256(b).digest())
        oids = sorted(bytes([n]) * size for n in (1, 0x70, 0xFF))
        v1 = fanout(oids) + b"".join(u32(12 + i) + oid for i, oid in enumerate(oids)) + b"\1" * size
        v2 = b"\xfftOc" + u32(2) + fanout(oids) + b"".join(oids) + u32(7) * 3
        v2 += u32(12) + u32(0x80000000) + u32(99) + u64(1 << 33) + b"\1" * size
        put("git_tables", f"idx1-{size}", bytes([which]) + v1 + digest(v1))
        put("git_tables", f"idx2-{size}", bytes([which]) + v2 + digest(v2))

        chunks = {
            b"PNAM": b"pack-a.idx\0pack-b.idx\0",
            b"OIDF": fanout(oids),
            b"OIDL": b"".join(oids),
            b"OOFF": u32(0) + u32(12) + u32(1) + u32(0x80000000) + u32(1) + u32(44),
            b"LOFF": u64(1 << 33),
        }
        at = 12 + 12 * (len(chunks) + 1)
        midx = b"MIDX\1" + bytes([1 if size == 20 else 2, len(chunks), 0]) + u32(2)
        for name, body in chunks.items():
            midx += name + u64(at)
            at += len(body)
        midx += u32(0) + u64(at) + b"".join(chunks.values())
        put("git_tables", f"midx-{size}", bytes([2 | which]) + midx + digest(midx))

        def entry(path, version, stage=0, previous=b"", extended=False):
            stat = u32(0) * 6 + u32(0o100644) + u32(0) * 3
            flags = len(path) | stage << 12 | (0x4000 if extended else 0)
            out = stat + b"\5" * size + u16(flags) + (u16(0x2000) if extended else b"")
            if version == 4:
                return out + bytes([len(previous)]) + path + b"\0"
            return out + path + b"\0" * (8 - (len(out) + len(path)) % 8)

        def index(version, entries, extensions=b""):
            body = b"DIRC" + u32(version) + u32(len(entries)) + b"".join(entries) + extensions
            return body + digest(body)

        def extension(name, body):
            return name + u32(len(body)) + body

        trees = b"\0" + b"3 1\n" + b"\6" * size + b"d\0" + b"-1 0\n"
        two = index(2, [entry(b"a", 2), entry(b"d/b", 2), entry(b"d/c", 2, 1)], extension(b"TREE", trees))
        three = index(3, [entry(b"a", 3, extended=True)], extension(b"sdir", b"") + extension(b"UNTR", b"x"))
        four = index(4, [entry(b"d/b", 4), entry(b"c", 4, previous=b"b")])
        bitmap = u32(1) + u32(2) + u64(1 << 33) + u64(1) + u32(0)
        link = extension(b"link", b"\7" * size + bitmap + bitmap)
        split = index(2, [entry(b"", 2), entry(b"e", 2)], link)
        for name, data in [("index2", two), ("index3", three), ("index4", four)]:
            put("git_tables", f"{name}-{size}", bytes([4 | which]) + halves(data, b""))
        put("git_tables", f"split-{size}", bytes([4 | which]) + halves(split, two))
    marker = u64(1 | 2 << 1 | 1 << 33)
    put("git_tables", "bitmap", b"\6" + u16(300) + u32(192) + u32(2) + marker + u64(5) + u32(0))


def git_packs():
    pack = b"PACK" + u32(2) + u32(2)
    pack += bytes([0x30 | 5]) + zlib.compress(b"abcde")
    pack += bytes([0x60 | 7, len(pack) - 12]) + zlib.compress(bytes([5, 5, 0x90, 3, 2]) + b"xy")
    pack += hashlib.sha1(pack).digest()
    put("git_packs", "entries", b"\0" + pack)
    put("git_packs", "entries-sha256", b"\1" + pack[:12] + bytes([0xF0 | 1, 0x12]) + b"\7" * 32 + zlib.compress(b"x"))
    delta = bytes([6, 8, 0x91, 2, 4, 2]) + b"XY" + bytes([0x90, 2])
    put("git_packs", "delta", b"\2" + halves(b"abcdef", delta))
    put("git_packs", "delta-long", b"\2" + halves(b"a" * 300, bytes([0xAC, 2, 0xAC, 4, 0xB0, 0x2C, 1, 0xB0, 0, 1])))
    for kind, body in [("blob", b"abc"), ("tree", b""), ("commit", b"tree x\n\n")]:
        loose = f"{kind} {len(body)}\0".encode() + body
        put("git_packs", f"loose-{kind}", b"\4" + zlib.compress(loose))
        put("git_packs", f"content-{kind}", b"\6" + loose)
    put("git_packs", "recover", b"\x08" + pack)
    script = bytes([3, 5, 0]) + b"abcde" + bytes([6, 7, 14]) + bytes([5, 5, 0x90, 3, 2]) + b"xy"
    script += bytes([7, 5, 0]) + bytes([5, 1, 1]) + b"zz"
    put("git_packs", "written", b"\x0a" + script)
    put("git_packs", "written-sha256", b"\x0b" + script)


def git_texts():
    oid = "0123456789abcdef0123456789abcdef01234567"
    who = "A B <a@b> 1714559400 +0130"
    commit = f"tree {oid}\nparent {oid}\nauthor {who}\ncommitter {who}\nencoding latin1\n"
    put("git_texts", "commit", b"\0" + f"{commit}gpgsig -----BEGIN\n x\n\nsubject\n\nbody\n".encode())
    put("git_texts", "tag", b"\1" + f"object {oid}\ntype commit\ntag v1\ntagger {who}\n\nnotes\n".encode())
    put("git_texts", "tree", b"\2" + b"100644 a\0" + b"\5" * 20 + b"40000 d\0" + b"\6" * 20)
    put("git_texts", "tree-sha256", b"\3" + b"100755 a\0" + b"\5" * 32)
    put("git_texts", "signature", b"\4" + who.encode())
    config = '[core]\n\tbare = false # no\n\tworktree = "/a b"\\\n/c\n[remote "o]x"]\n\tpromisor\n'
    put("git_texts", "config", b"\5" + config.encode() + b"[extensions]\nobjectFormat=sha256\n\tbroken\\")
    put("git_texts", "reflog", b"\6" + f"{oid} {oid} {who}\tcommit: x\n{oid} refs/heads/main\n".encode())
    put("git_texts", "alternates", b"\6" + rb'/a:"/b\"c\101":/d')
    put("git_texts", "lines", b"\7" + halves(b"a\nb\n\nc", b"b\nx\na\nc\n"))


def git_names():
    oid = "0123456789abcdef0123456789abcdef01234567"
    packed = f"# pack-refs with: peeled fully-peeled sorted\n{oid} refs/heads/main\n{oid} refs/tags/v1\n^{oid}\r\n{oid}  refs/tags/v2 \n"
    put("git_names", "packed", b"\0" + packed.encode())
    put("git_names", "names", b"\0HEAD refs/heads/a.b/c refs/../x refs//x refs/a\\..\\b /etc/passwd")
    put("git_names", "direct", b"\1" + oid.encode() + b"\n")
    put("git_names", "symbolic", b"\1ref: refs/heads/main\n")
    expressions = ["HEAD~1", "@", "main^2", "v1^{}", "v1^{commit}", "main^{tree}", "HEAD@{1}", "main@{0}~1^0", "origin", "blob"]
    expressions += ["origin/main..main", "main...side", "^side main", "main^!", "--all --not side", "--branches --tags --remotes=origin", "v1-2-gabcdef"]
    for n, text in enumerate(expressions):
        put("git_names", f"expression-{n}", b"\2" + text.encode())


def git_trees():
    def entry(mode, name, n):
        return mode + b" " + name + b"\0" + bytes([n]) * 20

    old = entry(b"100644", b"a", 1) + entry(b"100644", b"a.b", 2) + entry(b"40000", b"a", 3) + entry(b"120000", b"c", 4)
    new = entry(b"100755", b"a", 1) + entry(b"100644", b"a0", 2) + entry(b"100644", b"c", 5) + entry(b"160000", b"d", 6)
    put("git_trees", "trees", b"\0" + halves(old, new))
    files = [(0x00, b"a"), (0x14, b"d.x"), (0x20, b"d/b"), (0x31, b"d/e/f"), (0x43, b"d/e/f"), (0x0C, b"sub"), (0x10, b"d0")]
    script = b"".join(bytes([kind, len(path)]) + path for kind, path in files)
    put("git_trees", "index", b"\2" + script)
    put("git_trees", "index-alone", b"\3" + script)
    put("git_trees", "index-sparse", b"\2" + script + bytes([0x00, 0xC2]) + b"e/")


def histories():
    def oid(n):
        return bytes([n]) * 20

    def n32(*numbers):
        return b"".join(struct.pack("<I", n) for n in numbers)

    def n64(n):
        return struct.pack("<Q", n)

    body = n32(2, 0, 2) + struct.pack("<HH", 1, 256)
    body += n32(3) + oid(1) + n64(10) + n32(0) + oid(2) + n64(20) + n32(1) + oid(9) + n64(2) + n32(0xFFFFFFFF)
    body += b"\1"
    body += n32(2) + oid(6) + oid(4) + n64(1) + n32(1) + oid(7) + oid(7) + oid(9) + n64(2) + n32(2) + oid(6) + oid(8)
    body += n32(2, 4) + b"name" + n32(0)
    # One blob, under a pad that the target does not know; its names; folders with it, and with a folder with it.
    body += n64(7) + n32(1) + oid(77) + n32(0) + n64(8) + n32(1) + oid(80) + n32(2, 1, 0o100755, 0, 0, 0o100644, 0)
    body += n32(3, 0, 1, 0, 0o100644, 0, 2, 0, 0o40000, 1, 1, 0o100644, 0)
    # What rules have candidates, what was seen, and the blob in which it was.
    body += n32(1, 2) + struct.pack("<HH", 4, 300) + n32(1) + n64(9) + n32(1, 0) + n64(5) + n32(1, 0, 1, 0)
    put("histories", "cache", b"\0" + body)
    nothing = n32(1, 0, 0) + b"\0" + n32(0, 0) + n64(0) + n32(0, 0) + n64(0) + n32(0, 0, 1, 0, 0, 0, 0)
    put("histories", "cache-empty", b"\0" + nothing)
    entries = [b"100644 " + name + b"\0" + oid(n) for n, name in enumerate([b"a", b"b", b"c", b"dd"])]
    tree = b"".join(entries)
    at, end = len(entries[0]), len(tree)
    script = bytes([0, 0, at, len(entries[1])]) + entries[1][:-1] + b"x" + bytes([0, 2 * at, end - 2 * at, 0])
    put("histories", "tree", b"\2" + halves(tree, script))
    added = b"100644 aa\0" + oid(9)
    put("histories", "tree-added", b"\2" + halves(tree, bytes([0, 0, at, len(added)]) + added + bytes([0, at, end - at, 0])))
    # A name stands twice, as git's order has it: a file and a folder.
    twice = b"100644 a\0" + oid(1) + b"100644 a.b\0" + oid(2) + b"40000 a\0" + oid(3)
    kept = len(twice) - 20
    script = bytes([0, 0, kept, 20]) + oid(4)
    put("histories", "tree-twice", b"\2" + halves(twice, script))
    put("histories", "tree-made-twice", b"\2" + halves(twice[:kept - 8], bytes([0, 0, kept - 8, 28]) + twice[kept - 8 :] + script))


# Policy


def configs():
    ours = """
[scan]
min_confidence = "high"
max_file_size = "10 MB"
exclude = ["/vendor/", "!*.md"]
baseline = "known.toml"
max_age_days = 90
[extend]
useDefault = true
disabledRules = ["github-pat"]
path = "b.toml"
[[rules]]
id = "corp-token"
description = "Token of the gateway"
regex = '(?i)\\bcorp_([a-z0-9]{12})\\b'
category = "token"
severity = "high"
entropy = 3.5
keywords = ["corp_"]
secretGroup = 1
[[rules.allowlists]]
condition = "AND"
regexTarget = "line"
regexes = ['example']
paths = ['^docs/']
stopwords = ["sample"]
[[overrides]]
id = "generic-password"
enabled = false
[[allowlists]]
targetRules = ["corp-token"]
commits = ["0123456789abcdef"]
"""
    theirs = """
title = "x"
[extend]
useDefault = true
path = "b.toml"
[[rules]]
id = "two"
description = 'It''s'
regex = '''[[:alpha:]]{2,}\\Q.*\\E"x'''
path = '\\.env$'
tags = ["a", "b"]
[[rules.required]]
id = "corp-token"
withinLines = 3
[rules.allowlist]
regexes = ['''a{b''']
[allowlist]
description = "global"
paths = ['''(^|/)test/''']
stopwords = ["x"]
"""
    beside = "\n#----\n[[rules]]\nid = \"corp-token\"\nregex = 'corp-[0-9]{4}'\n"
    put("configs", "ours", b"\0" + ours.encode() + beside.encode())
    put("configs", "theirs", b"\1" + theirs.encode() + beside.encode())
    put("configs", "circle", b"\0" + b"[extend]\npath = 'b.toml'\n\n#----\n[extend]\npath = 'a.toml'\n")
    for name, text in [("size", "10 KiB"), ("go", r"[\w&&[^\d]]{2}\Q.*\E\x{1F600}(?P<n>a|b){,3}"), ("word", "min_confidense")]:
        put("configs", name, b"\3" + text.encode())


def baselines():
    salt = "ab" * 32
    entry = '{ rule = "github-pat", status = "false-positive", reason = "from the docs", by = "Ann"'
    line = f'{"0c" * 16} = {entry}, on = 2024-05-01, since = 2024-04-01, expires = 2024-06-01, where = ["docs/api.md"], history = true, only_rules = ["github-pat"], only_paths = ["/docs/"] }}'
    other = f'"{"1d" * 16}" = {{ rule = "x", on = "2024-05-01" }}'
    head = f'# a note\nversion = 1\nsalt = "{salt}"\n\n[entries]\n#00\n'
    put("baselines", "ours", "\0" + head + line + "\n#01\n# why\n" + line.replace("0c", "1c", 1).replace("0c", "1c") + "\n")
    put("baselines", "edited", "\0" + head + line + "\n" + other + "\n")
    hashed = hashlib.sha1(b"value-of-one").hexdigest()
    secrets = f'{{"version": "1.5.0", "plugins_used": [{{"name": "X"}}], "filters_used": [], "results": {{"a/b.txt": [{{"type": "Secret Keyword", "filename": "a/b.txt", "hashed_secret": "{hashed}", "is_verified": false, "is_secret": true, "line_number": 1}}]}}}}'
    put("baselines", "detect-secrets", b"\1" + secrets.encode())
    leaks = '[{"RuleID": "github-pat", "StartLine": 2, "Secret": "value-of-two", "Match": "value-of-two", "File": "a\\\\b.txt", "Commit": "", "Fingerprint": "a:b:2"}]'
    put("baselines", "gitleaks", b"\1" + leaks.encode())
    put("baselines", "ignored", b"\2" + ("# note\nsrc/a.py:jwt:12\n" + "0" * 40 + ":b:c.txt:jwt:3\nnonsense\n").encode())
    markers = "# stanch:allow github-pat, why not\nx\ny # gitleaks:allow\n# pragma: allowlist nextline secret\nz // pragma: whitelist secret\n"
    put("baselines", "markers", b"\3" + markers.encode())


# Texts


def decoders():
    plain = b"some plain words, a few of them, and then some more of these words"
    texts = {
        "base64": base64.b64encode(plain),
        "base64url": base64.urlsafe_b64encode(plain + b"???>>>"),
        "wrapped": base64.encodebytes(plain * 3).replace(b"\n", b"\n    "),
        "twice": base64.b64encode(base64.b64encode(plain)),
        "hex": plain.hex().encode(),
        "gzip": base64.b64encode(gzip.compress(plain, mtime=0)),
        "zlib": base64.b64encode(zlib.compress(plain)),
        "percent": b"q=some%20words%3D%e2%82%ac&x=" + b"y" * 70,
        "unicode": rb'"\u0073\x6fme \ud83d\ude00 \u{61} \U00000062 \101 \n"',
        "entities": b"say &quot;so&quot; &#115;&#x6f;me &lowbar; words &amp; more",
        "quoted": quopri.encodestring(b"a line with = and \xc3\xa4 " * 4),
        "concat": b'x = "some words" + "and"\n    + "more" . \'of\' "them";\n"a\\\nb"',
        "jwt": b"a." + base64.urlsafe_b64encode(b'{"a":"b"}') + b".xxxxxxxxxxxx",
        "zip": base64.b64encode(zipped()),
        "mail": b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(plain) + b"\n--x--\n",
    }
    for name, text in texts.items():
        put("decoders", name, b"\0before " + text + b" after\n")
        put("decoders", f"{name}-regions", b"\1" + bytes([0, 20, 0, 9]) + b"before " + text + b" after\n")
        put("decoders", f"{name}-reach", b"\2before " + text + b" after\n")
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        text = "\ufeffsome words, \u043a\u043b\u044e\u0447 \U0001f600\r\n"
        put("decoders", encoding, b"\3" + text.encode(encoding))
        put("decoders", f"{encoding}-bare", b"\3" + text[1:].encode(encoding))


ASSIGNMENTS = rb"""password = "%1"
"db_password": '%1', client-secret => %4
<password>%1</password> <add key="apiKey" value="%4"/>
export API_TOKEN=%4; mysql -u root -p%1 --password %1
curl -u bob:%1 https://bob:%1@example.com/ -H "Authorization: Bearer %4"
postgres://bob:%1@host/db jdbc:oracle:thin:bob/%1@host
CREATE USER x IDENTIFIED BY '%1'; ConvertTo-SecureString "%1" -AsPlainText
{"kty":"oct","k":"%4"} kubectl create secret generic x --from-literal=password=%1
htpasswd -b f bob %1; net user bob %1 /add; echo %1 | docker login --password-stdin
login("bob", "%1"); WIFI:T:WPA;S:x;P:%1;;
secret: |
  %4
token = os.environ["TOKEN"]
"""


def assignments():
    lines = ASSIGNMENTS.replace(b"%1", b"\1").replace(b"%4", b"\4")
    for n, line in enumerate(lines.splitlines(keepends=True)):
        put("assignments", f"line-{n}", bytes([0x80 | n % 6]) + line)
    put("assignments", "all", b"\1" + lines)


def rules():
    for n, (pattern, text) in enumerate(
        [
            (r"\b(abc_[ab]{2,5})\b", "x abc_aab abc_a-abc_bbbbb"),
            (r"(?i)(?:^|[^b])bca=([abc]{1,4}|x)$?", "BCA=abc\nbbca=x"),
            (r"[ab_]{0,6}cab[abc]{1,3}|cc_b", "ab_cabab cc_b"),
            (r"bbb[ab]+c", "abbbabac"),
            (r"(?m)^aab\b.{0,4}$", "aab xy\naab\n"),
            (r"tok_[a-z0-9]{8,400}(?:=|$)", "tok_" + "a1" * 20 + "="),
        ]
    ):
        put("rules", f"own-{n}", b"\0" + pattern.encode() + b"\0" + text.encode())
    text = b"github_token gitlab glpat- sk_live AKIA xoxb- -----BEGIN api_key password = secret PASSWD: token="
    put("rules", "occurrences", b"\1\0\0" + text)
    put("rules", "part", b"\1\x10\x08" + text)
    base = b"api_key = '\4'\npassword: \1\ntoken = \2\n"
    script = bytes([0, 0, 20, 3]) + b"xyz" + bytes([0, 30, 60, 4]) + b"key=" + bytes([0, 5, 200, 0])
    put("rules", "delta", b"\2" + u16(len(base)) + base + script * 4)
    for rule in range(0, 600, 60):
        value = b"a1" * 20
        put("rules", f"context-{rule}", b"\3" + u16(rule) + b"\1_api_key = \"" + value + b"\"\n\2: token " + value[:20] + b";")


def contents():
    lines = ASSIGNMENTS.replace(b"%1", b"\1").replace(b"%4", b"\4").splitlines(keepends=True)
    put("contents", "assignments", b"\0" + b"".join(lines[:4]))
    put("contents", "several", b"\1GITHUB_TOKEN=\2\nAWS_ACCESS_KEY_ID=\3\nAWS_SECRET_ACCESS_KEY=\4\n")
    put("contents", "encoded", b"\3{\"a\": \"" + base64.b64encode(b"some plain words") + b"\", \"b\": \"" + base64.b64encode(gzip.compress(b"x: y\n", mtime=0)) + b"\"}")
    put("contents", "npmrc", b"\6//registry.example.com/:_authToken=\4\n")
    put("contents", "key", b"\7-----BEGIN OPENSSH PRIVATE KEY-----\n\4\4\n-----END OPENSSH PRIVATE KEY-----\n")
    put("contents", "htpasswd", b"\x08bob:$apr1$x$\1\n")
    put("contents", "notebook", b"\x09" + b'{"cells": [{"source": ["password = \\"\1\\"\\n"]}]}')
    put("contents", "utf16", b"\0" + "{}word = words\r\n".format("pass").encode("utf-16"))
    put("contents", "zip", b"\x0a" + zipped())


def reports():
    nasty = [b"%0A::error file=x::owned", b"\r\n##vso[task.setvariable]y", b"<script>alert(1)</script>", b"=cmd|' /C'!A0", b"]]>", b"\x1b[2J", "\u202egpj\u2069".encode(), b"`|[x](y)![z](w)`", b"\xff\xfe", b"a\1b", b"</script><!--", b"'\"<>&"]

    def text(n):
        piece = nasty[n % len(nasty)]
        return bytes([len(piece)]) + piece

    for n in range(len(nasty)):
        place = bytes([1, 2, 0]) + text(n) + bytes([0, 9, 1]) + text(n + 1) + bytes([1, n])
        person = bytes([7]) + text(n) + text(n + 2) + bytes([9, 9])
        life = b"\0" + person + b"\0" + person + b"\1\2" + text(n) + text(n + 3) + b"\0\3\2\1\0\5"
        finding = b"\0" + text(n) + bytes([n, n, n]) + place + text(n) + text(n + 1) + b"\1" + place
        finding += b"\0" + person + b"\0" + life + b"\1" + place + bytes([n % 4]) + text(n) + text(n) + text(n) + b"\1" + text(n)
        put("reports", f"{n:02}", bytes([0xD0 | n & 0xF]) + finding + text(n) + text(n) + bytes([8, 8]))
    put("reports", "nothing", b"\0")


# Containers


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, method in [("a.txt", zipfile.ZIP_STORED), ("d/b.txt", zipfile.ZIP_DEFLATED)]:
            info = zipfile.ZipInfo(name, (2024, 5, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, b"some words\n" * 9)
    return out.getvalue()


def tarred(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, body in files:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return out.getvalue()[: -8 * 512]


def archives():
    words = b"some words\n" * 9
    tar = tarred([("manifest.json", b"[]"), ("x" * 120, words), ("l.tar", tarred([("a", words)]))])
    zstd = b"\x28\xb5\x2f\xfd\x20" + bytes([len(words)]) + struct.pack("<I", 1 | len(words) << 3)[:3] + words
    for name, data in {
        "a.zip": zipped(),
        "a.tar": tar,
        "a.tar.gz": gzip.compress(tar, mtime=0),
        "a.gz": gzip.compress(words, mtime=0) + gzip.compress(words, mtime=0),
        "a.bz2": bz2.compress(words),
        "a.xz": lzma.compress(words),
        "a.lzma": lzma.compress(words, format=lzma.FORMAT_ALONE),
        "a.zst": zstd,
        "a.bin": b"\x7fELF\0\0words in a program\0" + zipped(),
    }.items():
        put("archives", name, data)


def documents():
    png = b"\x89PNG\r\n\x1a\n"
    for name, body in [(b"IHDR", b"\0" * 13), (b"tEXt", b"Comment\0words"), (b"zTXt", b"P\0\0" + zlib.compress(b"words")), (b"IEND", b"")]:
        png += u32(len(body)) + name + body + u32(zlib.crc32(name + body))
    put("documents", "a.png", png + b"behind the image\n")
    stream = zlib.compress(b"BT /F1 12 Tf (some words) Tj [(more) -20 (words)] TJ <feff0041> Tj ET")
    pdf = b"%PDF-1.4\n1 0 obj\n<</Length " + str(len(stream)).encode() + b"/Filter/FlateDecode>>\nstream\n" + stream + b"\nendstream\nendobj\ntrailer<<>>\n"
    put("documents", "a.pdf", pdf)


def messages():
    lines = ["scan --staged --format json", "history --range A..B --since 2024-01-31 --threads 2", "baseline check --stale", "--version", "hook run pre-push -- origin"]
    for n, line in enumerate(lines):
        put("messages", f"arguments-{n}", b"\0" + line.encode())
    for n, text in enumerate(["2024-01-31", "2024-01-31T12:00:00+02:00", "2 weeks ago", "P1M", "3.days.ago", "90d", "-1d"]):
        put("messages", f"time-{n}", b"\1" + text.encode())
    path = b"a/\xe2\x80\xae\x1b[2Jb.toml\n"
    wrong = "\n\t[scan] # \u202e\u009b\r\nmin_confidense = 'high'\nmax_file_size = 'ten'\n[[rules]]\nid = \"a\u0085b\"\nregex = '('\n"
    put("messages", "config", b"\4" + path + wrong.encode())
    put("messages", "config-theirs", b"\3" + path + b"[[rules]]\nid = 'x'\nregex = \"a(?=b)\"\n[allowlist]\nregexes = ['(']\n")
    put("messages", "baseline", b"\2" + path + b"version = 1\nsalt = 'x'\n[entries]\n\xe2\x80\xae = 3\n")


def main():
    shutil.rmtree(SEEDS, ignore_errors=True)
    for write in (git_tables, git_packs, git_texts, git_names, git_trees, histories, configs, baselines, decoders, assignments, rules, contents, reports, archives, documents, messages):
        write()


if __name__ == "__main__":
    main()
