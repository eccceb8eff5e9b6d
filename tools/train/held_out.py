#!/usr/bin/env python3
"""What the whole program reports on projects that its trees have not seen, and how sure it is of it.

Joins what generic_dump --held-out judged with what `stanch scan --min-confidence low` found by other rules; counts as
train.py does, but takes nothing for granted: what no rule found is missed.
"""
import argparse
import json

from train import Labels, by_category, measure, show

LEVELS = ("low", "medium", "high")


def by_rules(path):
    """Findings of other rules than the detector's, one row for each line of theirs."""
    rows = []
    for line in open(path):
        found = json.loads(line)
        if "rule" not in found or found.get("line") is None:
            continue
        last = min(found.get("end_line") or found["line"], found["line"] + 400)
        name = found["path"].removeprefix("./").removeprefix("data/")
        rows.append((found["confidence"], found["rule"], name, found["line"], last))
    return rows


def expand(rows, labels):
    """A row for a finding of many lines: those with a true unit, or else the first labelled one."""
    out = []
    for confidence, rule, path, first, last in rows:
        lines = range(first, last + 1)
        on = [n for n in lines if (path, n) in labels.at] or [n for n in lines if (path, n) in labels.false][:1] or [first]
        out += [dict(path=path, line=n, rule=rule, confidence=confidence) for n in on]
    return out


def precision(labels, rows, level, lowest):
    """Of one level, and of it and those above: share of reported lines that are true, unlabelled ones being false."""
    take = [LEVELS.index(r["confidence"]) in ((level,) if not lowest else range(level, 3)) for r in rows]
    places = {(r["path"], r["line"]) for r, t in zip(rows, take) if t}
    true = sum(p in labels.at for p in places)
    false = sum(p in labels.false for p in places)
    return len(places), true / max(1, true + false), true / max(1, len(places))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", required=True), parser.add_argument("--generic", required=True)
    parser.add_argument("--rules", required=True), parser.add_argument("--categories", action="store_true")
    parser.add_argument("--out", help="write the joined findings at medium and above, for a scorer")
    a = parser.parse_args()
    labels = Labels(a.lines + "/labels.jsonl")
    generic = [json.loads(line) for line in open(a.generic)]
    kinds = {row["rule"] for row in generic}
    rules = expand([r for r in by_rules(a.rules) if r[1] not in kinds], labels)
    rows = generic + rules
    shown = [r["confidence"] != "low" for r in rows]
    show("held out, medium and above", r := measure(labels, rows, shown, by_format=False))
    show("held out, low and above", measure(labels, rows, [True] * len(rows), by_format=False))
    for name, some in (("generic", generic), ("all rules", rows)):
        for level in (2, 1, 0):
            n, labelled, strict = precision(labels, some, level, False)
            print(f"  {name:9s} {LEVELS[level]:6s} {n:5d} lines, precision {labelled:.3f} of labelled lines, {strict:.3f} if unlabelled ones are false")
    if a.categories:
        by_category(labels, r["hit"])
    if a.out:
        with open(a.out, "w") as out:
            for row, take in zip(rows, shown):
                if take:
                    out.write(json.dumps(row | dict(end_line=row["line"])) + "\n")


if __name__ == "__main__":
    main()
