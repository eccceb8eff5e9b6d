#!/usr/bin/env python3
"""Checks on real repositories that every way to scan one agrees with every other.

    tools/soak.py [--stanch PROGRAM] [--quick] REPOSITORY...

For each repository (worktree or bare; it is only read, copies lie in a temporary folder):

  engine     scanning only what deltas insert finds what scanning every object as a whole finds
  threads    one thread reports what all threads report
  objects    every object that `git cat-file --batch-all-objects` counts was scanned, or is listed as not read
  repacked   a copy that is packed otherwise (short chains, other order) gives the same findings
  loose      so does a copy whose objects are all loose (repositories of at most LOOSE_MOST objects)
  worktree   what `stanch scan` finds in the files of HEAD is in the history, value by value
  cache      a second run with a cache reports the same

A table on standard output; exit code 1 when something differs. Needs git and python3 (3.9 or newer).
"""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

LOOSE_MOST = 70_000

ENVIRONMENT = dict(
    os.environ,
    GIT_CONFIG_GLOBAL="/dev/null",
    GIT_CONFIG_NOSYSTEM="1",
    GIT_NO_LAZY_FETCH="1",
    # The same key for all copies, so that fingerprints can be compared.
    STANCH_FINGERPRINT_KEY="soak",
)


def git(folder, *args, check=True, **options):
    command = ["git", "-C", folder, *args]
    return subprocess.run(command, env=ENVIRONMENT, check=check, capture_output=True, **options)


def stanch(program, *args, cwd=None):
    """The report of a run, and what it wrote to standard error."""
    command = [program, *args, "--format", "json", "--no-progress", "--show-suppressed"]
    run = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, check=False)
    if run.returncode not in (0, 1, 2) or not run.stdout:
        raise RuntimeError(f"{' '.join(command)} ended with {run.returncode}: {run.stderr.decode(errors='replace')}")
    return json.loads(run.stdout), run.stderr.decode(errors="replace")


def essence(report):
    """What has to be equal: all findings with all they say, and what was not read."""
    return report["findings"], report["skipped"], report["summary"]["bytes"], report["summary"]["files"]


def placeless(report):
    """What stays when the same objects are stored otherwise."""
    lasting = ("rule", "path", "line", "column", "fingerprint", "confidence", "status", "commit")
    return sorted(tuple(str(finding.get(key)) for key in lasting) for finding in report["findings"])


def check_objects(program, repository):
    listed = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").stdout.split()
    report, errors = stanch(program, "history", repository, "--stats")
    visited = next(int(line.split()[1]) for line in errors.splitlines() if line.startswith("objects"))
    unread = {skip["what"] for skip in report["skipped"] if skip["incomplete"]}
    unread_objects = sum(any(oid.decode() in what for what in unread) for oid in listed) if unread else 0
    verdict = "same" if visited >= len(listed) - unread_objects and visited > 0 else "DIFFERENT"
    return verdict, f"{visited} of {len(listed)} objects, {len(unread)} listed as not read", report


def check_worktree(program, repository, history, folder):
    files = os.path.join(folder, "files")
    os.mkdir(files)
    archive = git(repository, "archive", "HEAD").stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        # Attributes may leave files out of an archive, never put others in.
        tar.extractall(files, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(files)
    report, _ = stanch(program, "scan", ".", "--no-ignore", cwd=files)
    known = {finding["fingerprint"] for finding in history["findings"]}
    # One value can be found by another rule where another of its places was looked at first.
    lost = [finding for finding in report["findings"] if finding["fingerprint"] not in known]
    shutil.rmtree(files)
    return lost, len(report["findings"])


def check(program, repository, quick):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        verdict, fact, history = check_objects(program, repository)
        rows.append(("objects", verdict, fact))

        _, errors = stanch(program, "history", repository, "--verify-engine")
        same = "found the same in every text" in errors
        rows.append(("engine", "same" if same else "DIFFERENT", errors.strip().splitlines()[-1][:100]))

        alone, _ = stanch(program, "history", repository, "--threads", "1")
        rows.append(compare("threads", essence(alone), essence(history), len(history["findings"])))

        cache = os.path.join(folder, "cache")
        for _ in range(2):
            cached, _ = stanch(program, "history", repository, "--cache", cache)
        rows.append(compare("cache", placeless(cached), placeless(history), len(cached["findings"])))

        lost, found = check_worktree(program, repository, history, folder)
        detail = f"{found} in files" + "".join(f"; lost {f['rule']} {f['path']}:{f['line']}" for f in lost[:3])
        rows.append(("worktree", "DIFFERENT" if lost else "same", detail))

        if not quick:
            rows += check_copies(program, repository, history, folder)
    return rows


def check_copies(program, repository, history, folder):
    rows = []
    source = git(repository, "rev-parse", "--absolute-git-dir", text=True).stdout.strip()
    copy = os.path.join(folder, "copy.git")
    shutil.copytree(source, copy, symlinks=True)
    before, _ = stanch(program, "history", copy)
    if git(copy, "repack", "-adf", "--depth=4", "--window=6", check=False).returncode == 0:
        after, _ = stanch(program, "history", copy)
        rows.append(compare("repacked", placeless(after), placeless(before), len(after["findings"])))
    else:
        rows.append(("repacked", "not done", "git cannot repack it"))
    packs = os.path.join(copy, "objects", "pack")
    count = sum(int(line.split()[1]) for line in git(copy, "count-objects", "-v", text=True).stdout.splitlines()
                if line.startswith(("count:", "in-pack:")))
    if count > LOOSE_MOST:
        rows.append(("loose", "not done", f"{count} objects"))
        return rows
    moved = os.path.join(folder, "packs")
    shutil.move(packs, moved)
    os.mkdir(packs)
    for name in sorted(os.listdir(moved)):
        if name.endswith(".pack"):
            with open(os.path.join(moved, name), "rb") as pack:
                git(copy, "unpack-objects", "-q", stdin=pack)
    loose, _ = stanch(program, "history", copy)
    rows.append(compare("loose", placeless(loose), placeless(before), len(loose["findings"])))
    return rows


def compare(name, one, other, count):
    return name, "same" if one == other else "DIFFERENT", f"{count} findings"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repositories", nargs="+", metavar="REPOSITORY")
    parser.add_argument("--stanch", default="stanch", help="the program (default: stanch on PATH)")
    parser.add_argument("--quick", action="store_true", help="no copies that are packed otherwise")
    options = parser.parse_args()
    program = shutil.which(options.stanch) or sys.exit(f"{options.stanch} is not a program")
    program = os.path.abspath(program)
    failed = False
    for repository in options.repositories:
        name = os.path.basename(os.path.abspath(repository))
        try:
            rows = check(program, os.path.abspath(repository), options.quick)
        except (OSError, RuntimeError, subprocess.CalledProcessError, ValueError) as error:
            rows = [("run", "FAILED", str(error)[:300])]
        for what, verdict, detail in rows:
            failed |= verdict in ("DIFFERENT", "FAILED")
            print(f"{name:20} {what:10} {verdict:10} {detail}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
