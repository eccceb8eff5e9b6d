#!/usr/bin/env python3
"""Runs gitleaks and stanch with one gitleaks configuration over repositories and says where they differ.

    tools/compare-gitleaks.py --gitleaks BIN --stanch BIN --config gitleaks.toml [--mode dir|git] REPO...

Working trees (`dir`) are compared by (rule, file, line, value), histories (`git`) by (rule, value): gitleaks names a value
once for each commit that adds it, stanch once with its life. A leak that only one of the two reports is put into a class
when something that can be seen explains it; `unexplained` is what is left, and makes the exit code 1.

Reports with whole values are written to a private temporary folder, which is removed; what is printed is redacted.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time


def run(command, cwd, report, limit):
    """Runs a scanner. Returns its leaks and seconds."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=limit)
    seconds = time.monotonic() - started
    if not os.path.exists(report):
        sys.exit(f"{command[0]}: exit code {done.returncode}, and no report:\n{done.stderr.decode(errors='replace')}")
    with open(report, "rb") as file:
        return json.loads(file.read().decode("utf-8", "replace")) or [], seconds


def gitleaks(args, repo, folder):
    report = os.path.join(folder, "gitleaks.json")
    command = [args.gitleaks, args.mode, ".", "--config", args.config, "--no-banner", "--exit-code", "0",
               "--report-format", "json", "--report-path", report, "--log-level", "error"]
    return run(command, repo, report, args.timeout)


def stanch(args, repo, folder):
    report = os.path.join(folder, "stanch.json")
    what = ["scan", ".", "--no-ignore"] if args.mode == "dir" else ["history"]
    command = [args.stanch, *what, "--config", args.config, "--no-baseline", "--show-secrets", "--show-suppressed",
               "--min-confidence", "low", "--quiet", "--no-progress", f"--format=gitleaks={report}",
               f"--format=json={report}.full"]
    leaks, seconds = run(command, repo, report, args.timeout)
    with open(report + ".full", "rb") as file:
        full = json.loads(file.read())
    return leaks, full, seconds


def normal(path):
    return path[2:] if path.startswith("./") else path


def key(leak, mode):
    value = leak["Secret"]
    if mode == "git":
        return leak["RuleID"], value
    return leak["RuleID"], normal(leak["File"]), leak["StartLine"], value


def decoded(leak):
    """Whether gitleaks found a value in text that it decoded."""
    return any(tag.startswith("decoded:") for tag in leak.get("Tags") or [])


class Side:
    """What one of the two reported, by several keys."""

    def __init__(self, leaks, mode):
        self.leaks = {}
        for leak in leaks:
            self.leaks.setdefault(key(leak, mode), leak)
        self.values = {leak["Secret"] for leak in leaks}
        self.rule_values = {(leak["RuleID"], leak["Secret"]) for leak in leaks}
        self.places = collections.defaultdict(list)
        for leak in leaks:
            self.places[normal(leak["File"])].append(leak)


def overlaps(a, b):
    return a["Secret"] in b["Secret"] or b["Secret"] in a["Secret"] or a["Match"] in b["Match"] or b["Match"] in a["Match"]


def explain_theirs(leak, ours, statuses):
    """Why stanch does not report what gitleaks does."""
    rule, value = leak["RuleID"], leak["Secret"]
    if (rule, value) in statuses:
        return f"suppressed here: {statuses[rule, value]}"
    here = ours.places[normal(leak["File"])]
    if any(other["RuleID"] != rule and overlaps(leak, other) for other in here):
        return "one finding for a value at a place: another rule has it"
    if value in ours.values or any(value in other or other in value for other in ours.values):
        if (rule, value) in ours.rule_values:
            return "the same rule and value at another place"
        return "the value is reported, by another rule or with other bounds"
    if decoded(leak):
        # It also reports what a value that was reported decodes to, and what one piece of a longer text does.
        return "text that gitleaks decoded"
    if leak["Commit"] and "\n" in leak["Match"]:
        return "several lines: gitleaks joins the lines that one commit adds"
    if "\ufffd" in value:
        return "bytes that are not UTF-8"
    return "unexplained"


def explain_ours(leak, theirs, full):
    """Why gitleaks does not report what stanch does."""
    rule, value = leak["RuleID"], leak["Secret"]
    for finding in full:
        if finding["rule"] == rule and finding.get("secret") == value:
            if finding.get("container"):
                return "inside a container"
            if finding.get("decoded"):
                return "encoded text: " + "+".join(finding["decoded"])
            if finding.get("message_kind"):
                return "a message: " + finding["message_kind"]
    if (rule, value) in theirs.rule_values:
        return "the same rule and value at another place"
    if value in theirs.values:
        return "the value is reported, by another rule"
    if leak["Commit"] and ("\n" in leak["Match"] or "\\n" in leak["Match"]):
        return "several lines: gitleaks sees those that one commit adds"
    here = theirs.places[normal(leak["File"])]
    if any(overlaps(leak, other) for other in here):
        return "the value is reported, with other bounds"
    return "unexplained"


def shown(leak):
    value = leak["Secret"]
    where = f"{normal(leak['File'])}:{leak['StartLine']}"
    commit = f"{leak['Commit'][:10]} " if leak.get("Commit") else ""
    return f"{leak['RuleID']}  {commit}{where}  {value[:4]!r}… ({len(value)} characters)"


def report(title, classes, limit):
    for why, leaks in sorted(classes.items(), key=lambda item: -len(item[1])):
        rules = collections.Counter(leak["RuleID"] for leak in leaks)
        most = ", ".join(f"{rule} {n}" for rule, n in rules.most_common(5))
        print(f"  {title}: {len(leaks)}  {why}  [{most}]")
        for leak in leaks[: limit if why == "unexplained" else min(limit, 3)]:
            print(f"      {shown(leak)}")


def compare(args, repo):
    with tempfile.TemporaryDirectory() as folder:
        theirs, their_time = gitleaks(args, repo, folder)
        ours, full, our_time = stanch(args, repo, folder)
    # The report lists suppressed findings, too: they count as not reported, with their reason.
    statuses = {(f["rule"], f.get("secret")): why(f["status"]) for f in full["findings"] if f["status"] != "new"}
    reported = [leak for leak in ours if (leak["RuleID"], leak["Secret"]) not in statuses]
    a, b = Side(theirs, args.mode), Side(reported, args.mode)
    both = a.leaks.keys() & b.leaks.keys()
    only_a, only_b = collections.defaultdict(list), collections.defaultdict(list)
    for one in a.leaks.keys() - both:
        only_a[explain_theirs(a.leaks[one], b, statuses)].append(a.leaks[one])
    for one in b.leaks.keys() - both:
        only_b[explain_ours(b.leaks[one], a, full["findings"])].append(b.leaks[one])
    name = os.path.basename(os.path.abspath(repo))
    print(f"{name} ({args.mode}): gitleaks {len(a.leaks)} in {their_time:.1f} s, stanch {len(b.leaks)} in {our_time:.1f} s, "
          f"both {len(both)}; different values: {len(a.values)} and {len(b.values)}, both {len(a.values & b.values)}")
    report("only gitleaks", only_a, args.show)
    report("only stanch", only_b, args.show)
    return "unexplained" in only_a or "unexplained" in only_b


def why(status):
    if isinstance(status, dict):
        return ", ".join(f"{k} {v}" for k, v in status.items() if isinstance(v, str))
    return str(status)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gitleaks", default="gitleaks")
    parser.add_argument("--stanch", default="stanch")
    parser.add_argument("--config", required=True, type=os.path.abspath)
    parser.add_argument("--mode", choices=["dir", "git"], default="dir")
    parser.add_argument("--show", type=int, default=5, metavar="N", help="examples of each class")
    parser.add_argument("--timeout", type=int, default=500, metavar="SECONDS")
    parser.add_argument("repo", nargs="+", type=os.path.abspath)
    args = parser.parse_args()
    return 1 if any([compare(args, repo) for repo in args.repo]) else 0


if __name__ == "__main__":
    sys.exit(main())
