#!/usr/bin/env python3
"""Train the trees of src/verdict/model.rs on labelled lines, measure them honestly, and write them as integers.

Run by run.sh; see README.md. Projects are the first folder of a path; no fold splits one.
"""
import argparse
import collections
import json
import struct

import lightgbm
import numpy

# Labelled, but hardly a secret: they count neither way.
NEUTRAL = {"UUID", "Nonce", "Salt", "AWS S3 Bucket", "Firebase Domain"}
# Found by rules that know the format, not by the detector.
BY_FORMAT = {
    "PEM Private Key", "AWS Client ID", "JSON Web Token", "AWS Multi", "Google Multi", "Twilio Credentials", "Google API Key",
    "Azure Access Token", "Anthropic API Key", "Github Token", "Slack Token", "NKEY Seed", "BASE64 Private Key",
    "BASE64 encoded PEM Private Key", "MailGun API Key", "Grafana Service Account Token", "Grafana Provisioned API Key",
}
SCALE = 1024
TREES = 255
GATE_TREES = 24
CORPUS_WEIGHT = 2.0
FOLDS = 8
PARAMETERS = dict(
    objective="binary", learning_rate=0.05, num_leaves=20, min_data_in_leaf=15, feature_fraction=0.2, bagging_fraction=0.8,
    bagging_freq=1, lambda_l2=5.0, max_depth=24, verbose=-1, num_threads=1, deterministic=True, force_row_wise=True, seed=1,
)


class Labels:
    """The labelled lines, as score-lines.py reads them."""

    def __init__(self, path):
        rows = [json.loads(line) for line in open(path)]
        self.true = collections.defaultdict(set)
        for row in rows:
            if row["truth"] == "T":
                self.true[row["path"], row["line_start"], row["line_end"]].update(row["category"].split(":"))
        self.at = collections.defaultdict(list)
        for unit in self.true:
            for line in range(unit[1], unit[2] + 1):
                self.at[unit[0], line].append(unit)
        self.false = {}
        for row in rows:
            if row["truth"] != "T":
                for line in range(row["line_start"], row["line_end"] + 1):
                    if (row["path"], line) not in self.at:
                        self.false.setdefault((row["path"], line), (row["path"], row["line_start"]))


def measure(labels, rows, chosen, projects=None, by_format=True):
    """Counts as score-lines.py does; units of formats count as found with by_format."""
    hit, false, unlabelled = set(), set(), set()
    for row, take in zip(rows, chosen):
        place = row["path"], row["line"]
        if not take or projects is not None and project(row) not in projects:
            continue
        if place in labels.at:
            hit.update(labels.at[place])
        elif place in labels.false:
            false.add(labels.false[place])
        else:
            unlabelled.add(place)
    tp = fn = 0
    for unit, categories in labels.true.items():
        if categories <= NEUTRAL or projects is not None and unit[0].split("/")[0] not in projects:
            continue
        found = unit in hit or by_format and categories & BY_FORMAT
        tp, fn = tp + bool(found), fn + (not found)
    f = lambda wrong: 2 * tp / max(1, 2 * tp + wrong + fn)
    return dict(tp=tp, fn=fn, fp=len(false), unl=len(unlabelled), precision=tp / max(1, tp + len(false)), recall=tp / max(1, tp + fn),
                f1=f(len(false)), f1_plus=f(len(false) + len(unlabelled)), hit=hit)


def show(name, r):
    print(f"{name:28s} TP {r['tp']:4d} FN {r['fn']:4d} FP {r['fp']:4d} UNL {r['unl']:4d}  P {r['precision']:.3f}  R {r['recall']:.3f}"
          f"  F1 {r['f1']:.3f}  F1+ {r['f1_plus']:.3f}", flush=True)


def project(row):
    return row["path"].split("/")[0]


class Extra:
    """The corpus of our own: always in training, never measured."""

    def __init__(self, path, width):
        rows = [json.loads(line) for line in open(path)] if path else []
        rows = [row for row in rows if row["truth"] is not None and not row["never"]]
        self.x = numpy.array([row["features"] for row in rows], dtype=numpy.float32).reshape(-1, width)
        self.y = numpy.array([int(row["truth"]) for row in rows], dtype=int)
        self.weight = numpy.full(len(rows), CORPUS_WEIGHT)


def fit(x, y, weight, seed=1, extra=None):
    if extra is not None:
        x, y, weight = numpy.vstack([x, extra.x]), numpy.hstack([y, extra.y]), numpy.hstack([weight, extra.weight])
    return lightgbm.train(PARAMETERS | dict(seed=seed), lightgbm.Dataset(x, y, weight=weight), TREES)


def split(groups, seed=1):
    """The fold of each project."""
    names = sorted(set(groups))
    numpy.random.RandomState(seed).shuffle(names)
    return {name: i % FOLDS for i, name in enumerate(names)}


def write_folds(folder, x, y, weight, groups, keep, levels, extra):
    """Writes a whole model for each fold, made of the other folds only, for generic_dump --held-out."""
    fold = split(groups)
    folds = numpy.array([fold[g] for g in groups])
    for k in range(FOLDS):
        other = folds != k
        model = fit(x[other], y[other], weight[other], extra=extra)
        final = model.predict(x[other], raw_score=True)
        gate, least = fit_gate(x[other], (final >= levels[0]) & keep[other])
        write(gate, least, model, f"{folder}/fold-{k}.bin", levels, x.shape[1])
    json.dump(fold, open(folder + "/folds.json", "w"))


def out_of_fold(x, y, weight, groups, seed=1, extra=None):
    """Log-odds for each row from trees that saw no row of its project."""
    fold = split(groups, seed)
    folds = numpy.array([fold[g] for g in groups])
    odds = numpy.zeros(len(y))
    for k in range(FOLDS):
        trees = fit(x[folds != k], y[folds != k], weight[folds != k], seed, extra)
        odds[folds == k] = trees.predict(x[folds == k], raw_score=True)
    return odds, folds


def precision_of(y, weight, mask):
    return y[mask].sum() / max(1, weight[mask].sum())


def fit_gate(x, accepted):
    """A small model that turns away what the trees would not accept; tuned to lose next to nothing of it."""
    small = PARAMETERS | dict(num_leaves=16, learning_rate=0.3, feature_fraction=0.5)
    gate = lightgbm.train(small, lightgbm.Dataset(x, accepted.astype(int)), GATE_TREES)
    odds = gate.predict(x, raw_score=True)
    least = float(numpy.quantile(odds[accepted], 0.005)) - 0.2
    print(f"gate: lets {(odds >= least).mean():.1%} of the candidates through, {(odds >= least)[accepted].mean():.2%} of those that the trees accept")
    return gate, least


def write(gate, gate_least, model, path, levels, count):
    """The layout is documented in src/verdict/model.rs."""
    trees = []
    for info in gate.dump_model()["tree_info"] + model.dump_model()["tree_info"]:
        nodes = []

        def visit(node):
            at = len(nodes)
            if "leaf_value" in node:
                nodes.append((255, max(-32768, min(32767, round(node["leaf_value"] * SCALE))), 0))
                return
            nodes.append(None)
            assert node["decision_type"] == "<=" and node["split_feature"] < 255
            visit(node["left_child"])
            right = len(nodes)
            visit(node["right_child"])
            nodes[at] = (node["split_feature"], int(numpy.floor(node["threshold"])), right)

        visit(info["tree_structure"])
        trees.append(nodes)
    body = b"STM2" + struct.pack("<4H", count, GATE_TREES, len(trees), 0)
    body += struct.pack("<4i", *(round(v * SCALE) for v in (gate_least, *levels)))
    for nodes in trees:
        body += struct.pack("<B", len(nodes)) + b"".join(struct.pack("<BhB", *node) for node in nodes)
    assert len(body) <= 65536
    open(path, "wb").write(body)
    print(f"{path}: {len(body)} bytes, {len(trees)} trees")


def calibrate(labels, rows, odds, y, weight, levels):
    low, medium, high = levels
    for name, a, b in (("high", high, 99), ("medium", medium, high), ("low", low, medium)):
        mask = (odds >= a) & (odds < b) & (weight > 0)
        r = measure(labels, rows, mask, by_format=False)
        print(f"  {name:7s} alone: {mask.sum():5d} findings, precision {precision_of(y, weight, mask):.3f}"
              f"   and above: {precision_of(y, weight, (odds >= a) & (weight > 0)):.3f}")


def by_category(labels, hit):
    count = collections.defaultdict(lambda: [0, 0])
    for unit, categories in labels.true.items():
        for c in categories - NEUTRAL:
            count[c][0] += unit in hit
            count[c][1] += 1
    for c, (found, n) in sorted(count.items(), key=lambda item: -item[1][1])[:30]:
        print(f"    {c:30s} {found:4d}/{n:4d} {found / n:6.1%}")


def ablation(x, y, weight, groups, labels, rows, names, level):
    families = {
        "without classes of value": [i for i, n in enumerate(names) if n in VALUE],
        "without placeholder words": [names.index("placeholder")],
        "without distinct, changes, runs": [names.index(n) for n in ("distinct", "changes", "longest-run", "longest-letters", "camel")],
        "without words of the name": [i for i, n in enumerate(names) if n.startswith(("name:", "head:"))],
        "without words around": [i for i, n in enumerate(names) if n.startswith(("line:", "around:"))],
        "without the file's kind": [names.index("language"), names.index("role")],
    }
    for name, columns in families.items():
        z = x.copy()
        z[:, columns] = 0
        odds, _ = out_of_fold(z, y, weight, groups)
        show(name, best(labels, rows, odds))
    if all("value" in row for row in rows):
        z = numpy.hstack([x, numpy.array([letters(row["value"]) for row in rows])])
        odds, _ = out_of_fold(z, y, weight, groups)
        show("with letter statistics", best(labels, rows, odds))


VALUE = {"length", "upper", "lower", "digits", "symbols", "spaces", "non-ascii", "classes", "changes", "distinct", "longest-run", "hex", "base64",
         "identifier", "dotted", "path", "url", "number", "camel", "snake", "first-class", "last-class", "longest-letters", "hash-shape"}


def letters(value):
    """Letter statistics, for the ablation only: share of vowels, entropy, mean log frequency of letters."""
    frequency = dict(zip("etaoinshrdlcumwfgypbvkjxqz", (12.7, 9.1, 8.2, 7.5, 7, 6.7, 6.3, 6.1, 6, 4.3, 4, 2.8, 2.8, 2.4, 2.4, 2.2, 2, 2, 1.9, 1.5, 1, .8, .15, .15, .1, .07)))
    low = [c for c in value.lower() if c in frequency]
    counts = numpy.array(list(collections.Counter(value).values())) / max(1, len(value))
    return [100 * sum(c in "aeiou" for c in low) / max(1, len(low)), -100 * float((counts * numpy.log2(counts)).sum()) if len(counts) else 0,
            100 * float(numpy.mean([numpy.log(frequency[c]) for c in low])) if low else 0]


def best(labels, rows, odds):
    keep = numpy.array([row["never"] is None for row in rows])
    return max((measure(labels, rows, (odds >= t) & keep) for t in numpy.arange(-1.6, 0.6, 0.1)), key=lambda r: r["f1"] + r["f1_plus"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", required=True)
    parser.add_argument("--candidates", required=True)
    parser.add_argument("--corpus", help="candidates of tests/suite/generic_corpus")
    parser.add_argument("--model")
    parser.add_argument("--names", help="names of the features, one a line")
    parser.add_argument("--low", type=float, default=-0.62), parser.add_argument("--medium", type=float, default=-0.45)
    parser.add_argument("--high", type=float, default=1.6)
    parser.add_argument("--scores", help="write the out-of-fold log-odds here (numpy)")
    parser.add_argument("--folds", help="write a model for each fold into this folder, and do nothing else")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--seeds", type=int, default=1, help="how many ways to split projects into folds")
    a = parser.parse_args()
    labels = Labels(a.lines + "/labels.jsonl")
    rows = [json.loads(line) for line in open(a.candidates)]
    x = numpy.array([row["features"] for row in rows], dtype=numpy.float32)
    on = [labels.at.get((row["path"], row["line"]), []) for row in rows]
    y = numpy.array([int(any(not labels.true[u] <= NEUTRAL for u in units)) for units in on])
    weight = numpy.array([0.0 if units and not t else 1.0 for units, t in zip(on, y)])
    groups = [project(row) for row in rows]
    keep = numpy.array([row["never"] is None for row in rows])
    print(f"{len(rows)} candidates in {len(set(groups))} projects, {y.sum()} on true lines, {(~keep & (y > 0)).sum()} of them dropped before the trees")
    print("the finder alone:"), show("  every candidate", measure(labels, rows, numpy.ones(len(rows), bool)))
    levels = a.low, a.medium, a.high
    extra = Extra(a.corpus, x.shape[1])
    print(f"{len(extra.y)} candidates of the corpus, {extra.y.sum()} true")
    if a.folds:
        return write_folds(a.folds, x, y, weight, groups, keep, levels, extra)
    for seed in range(1, a.seeds + 1):
        odds, folds = out_of_fold(x, y, weight, groups, seed, extra)
        show(f"unseen projects, split {seed}", r := measure(labels, rows, (odds >= a.medium) & keep))
        for t in (-1.5, -0.9, -0.8, -0.7, -0.25):
            show(f"    at {t}", measure(labels, rows, (odds >= t) & keep))
        calibrate(labels, rows, numpy.where(keep, odds, -99), y, weight, levels)
        if a.scores and seed == 1:
            numpy.save(a.scores, odds)
        per = [measure(labels, rows, (odds >= a.medium) & keep, {g for g, f in zip(groups, folds) if f == k}) for k in range(FOLDS)]
        print("    folds, F1: " + " ".join(f"{p['f1']:.3f}" for p in per))
    by_category(labels, r["hit"])
    model = fit(x, y, weight, extra=extra)
    show("seen projects", measure(labels, rows, (model.predict(x, raw_score=True) >= a.medium) & keep))
    if a.ablation:
        names = [line.strip() for line in open(a.names)] if a.names else None
        if names:
            ablation(x, y, weight, groups, labels, rows, names, a.medium)
    if a.model:
        final = model.predict(x, raw_score=True)
        gate, least = fit_gate(x, (final >= a.low) & keep)
        write(gate, least, model, a.model, levels, x.shape[1])


if __name__ == "__main__":
    main()
