#!/usr/bin/env python3
"""Makes the samples in this folder with the programs that such files come from in life.

Needs 7z, rpmbuild, cpio, ar, dpkg-deb, git, javac, sqlite3 (module), reportlab, pillow and python-docx.
The token is put together here, so that no scanner takes this file for a leak.
"""
import os, pathlib, py_compile, shutil, sqlite3, subprocess, sys, tempfile

TOKEN = "tok_" + "".join(f"{big}{i % 10}{small}{(i + 1) % 10}" for i, big, small in
                         zip(range(1, 18, 2), "ACEGIKMOQ", "bdfhjlnpr"))
LEAK = f'first\nsecond\nkey = "{TOKEN}"\nlast\n'
# For containers that other scanners open: the line must not look like a credential to them.
ENV = LEAK.replace("key", "web")
HERE = pathlib.Path(__file__).parent.resolve()
WORK = pathlib.Path(tempfile.mkdtemp())
os.chdir(WORK)


def run(*command, **options):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


def sevenz():
    pathlib.Path("conf").mkdir()
    pathlib.Path("conf/.env").write_text(ENV)
    pathlib.Path("conf/other.txt").write_text("nothing here\n" * 50)
    pathlib.Path("conf/empty").write_text("")
    for name, options in {
        "lzma2": ["-m0=lzma2"],
        "lzma": ["-m0=lzma", "-mhc=off"],
        "copy": ["-m0=copy"],
        "bzip2": ["-m0=bzip2"],
        "deflate": ["-m0=deflate"],
        "bcj": ["-m0=bcj", "-m1=lzma2"],
        "delta": ["-m0=delta:4", "-m1=lzma"],
        "solid-off": ["-ms=off"],
        "encrypted": ["-psesame"],
        "ppmd": ["-m0=ppmd"],
    }.items():
        run("7z", "a", *options, HERE / f"{name}.7z", "conf")


def packages():
    run("ar", "rc", HERE / "names.ar", "conf/.env", "conf/other.txt")
    pathlib.Path("a-name-of-more-than-sixteen-bytes.env").write_text(ENV)
    run("ar", "rc", HERE / "long.ar", "a-name-of-more-than-sixteen-bytes.env", "conf/other.txt")
    for kind in ["newc", "odc"]:
        with open(HERE / f"{kind}.cpio", "wb") as out:
            subprocess.run(["cpio", "-o", "-H", kind], input=b"conf/other.txt\nconf/.env\n", stdout=out,
                           stderr=subprocess.DEVNULL, check=True)
    deb = pathlib.Path("deb")
    (deb / "DEBIAN").mkdir(parents=True)
    (deb / "etc").mkdir()
    (deb / "DEBIAN/control").write_text("Package: sample\nVersion: 1\nArchitecture: all\n"
                                        "Maintainer: A <a@example.com>\nDescription: sample\n")
    (deb / "etc/sample.conf").write_text(LEAK)
    run("dpkg-deb", "-Zxz", "--root-owner-group", "-b", "deb", HERE / "sample.deb")
    spec = f"""Name: sample
Version: 1
Release: 1
Summary: sample
License: MIT
BuildArch: noarch
%define _source_payload w9.gzdio
%define _binary_payload w9.gzdio
%description
sample
%install
mkdir -p %{{buildroot}}/etc
cp {WORK}/deb/etc/sample.conf %{{buildroot}}/etc/sample.conf
%post
echo script {TOKEN}
%files
/etc/sample.conf
"""
    pathlib.Path("sample.spec").write_text(spec)
    run("rpmbuild", "-bb", "--define", f"_topdir {WORK}/rpm", "--define", "_build_id_links none", "sample.spec")
    shutil.copy(next(pathlib.Path("rpm/RPMS/noarch").glob("*.rpm")), HERE / "sample.rpm")


def database():
    path = HERE / "sample.sqlite"
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path)
    base.execute("pragma page_size=1024")
    base.execute("pragma secure_delete=off")
    base.execute("create table users (id integer primary key, name text, secret text)")
    base.execute("create table big (body text)")
    base.execute("create table gone (body text)")
    base.execute("create index by_name on users (name)")
    for i in range(200):
        base.execute("insert into users (name, secret) values (?, ?)", (f"user{i}", TOKEN if i == 123 else f"s{i}"))
    base.execute("insert into big values (?)", ("x" * 5000 + " " + TOKEN + " " + "y" * 3000,))
    for i in range(50):
        base.execute("insert into gone values (?)", (f"row {i} {TOKEN[:-2]}Z9 {'z' * 100}",))
    base.commit()
    base.execute("drop table gone")
    base.execute("insert into users (name, secret) values ('deleted', ?)", (TOKEN[:-2] + "X7",))
    base.commit()
    base.execute("delete from users where name = 'deleted'")
    base.commit()
    base.close()


def programs():
    pathlib.Path("Sample.java").write_text(
        'class Sample { static final String KEY = "%s"; long big = 1L << 40; String s() { return "k" + big; } }' % TOKEN)
    run("javac", "Sample.java")
    shutil.copy("Sample.class", HERE / "Sample.class")
    pathlib.Path("sample.py").write_text(f'KEY = "{TOKEN}"\ndef f(x):\n    return "{TOKEN[:-2]}F5" + x\n')
    py_compile.compile("sample.py", cfile=str(HERE / "sample.pyc"), doraise=True)


def documents():
    from docx import Document
    from reportlab.pdfgen import canvas

    page = canvas.Canvas(str(HERE / "sample.pdf"), pageCompression=1, invariant=1)
    page.drawString(72, 700, f"token: {TOKEN}")
    page.save()
    document = Document()
    paragraph = document.add_paragraph("key = ")
    for part in [TOKEN[:7], TOKEN[7:20], TOKEN[20:]]:
        paragraph.add_run(part).bold = part == TOKEN[7:20]
    document.save(HERE / "sample.docx")


def images():
    from PIL import Image, PngImagePlugin

    picture = Image.new("RGB", (8, 8), (10, 20, 30))
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", f"key {TOKEN}")
    info.add_text("Packed", f"key {TOKEN[:-2]}B2" + " " * 40, zip=True)
    info.add_itxt("International", f"key {TOKEN[:-2]}C3" + " " * 40, zip=True)
    exif = Image.Exif()
    exif[0x010E] = f"key {TOKEN[:-2]}D4"
    picture.save(HERE / "sample.png", pnginfo=info, exif=exif)
    exif[0x9C9C] = f"key {TOKEN[:-2]}E5".encode("utf-16le")
    picture.save(HERE / "sample.jpg", exif=exif, comment=f"key {TOKEN}".encode())
    picture.save(HERE / "sample.webp", exif=exif)
    picture.save(HERE / "sample.tiff", exif=exif)


def packs():
    run("git", "init", "-q", "-b", "main", "repo")
    env = dict(os.environ, GIT_AUTHOR_DATE="2001-01-01T00:00:00Z", GIT_COMMITTER_DATE="2001-01-01T00:00:00Z")
    name = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    filler = "".join(f"line {i} of some length\n" for i in range(200))
    for i, text in enumerate([filler, filler + LEAK, filler + "last\n", LEAK]):
        pathlib.Path("repo/file").write_text(text)
        run("git", "add", "file", cwd="repo")
        run("git", *name, "commit", "-qm", f"commit {i} {TOKEN[:-2]}M{i}", cwd="repo", env=env)
    run("git", "gc", "-q", cwd="repo")
    shutil.copy(next(pathlib.Path("repo/.git/objects/pack").glob("*.pack")), HERE / "sample.pack")
    run("git", "bundle", "create", HERE / "sample.bundle", "--all", cwd="repo")
    run("git", "bundle", "create", HERE / "thin.bundle", "main~2..main", cwd="repo")


for make in [sevenz, packages, database, programs, documents, images, packs]:
    make()
shutil.rmtree(WORK)
