#!/usr/bin/env bash
# Compares whole processes: stanch, other secret scanners, and what the machine can do at all (git, rg).
#
#   benches/compare.sh [-n RUNS] [-k staged,worktree,history] FOLDER
#
# FOLDER is a git repository, or a folder of repositories. They are only read: staged changes are made in a copy
# of its own. Everything runs interleaved in one go on one machine: round after round, each command once a round;
# the table shows medians and ratios. A command that fails, or ends otherwise than its kind may, is shown with its
# exit code and never counts as a time.
#
# Programs are taken from PATH; a variable names another place:
#   STANCH GIT RG BETTERLEAKS GITLEAKS KINGFISHER DETECT_SECRETS
# A peer that is not there is left out, and said so. Needs bash, git and python3 (3.8 or newer).
set -euo pipefail

runs=5
kinds=staged,worktree,history
usage() {
    sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}
while getopts n:k:h option; do
    case $option in
    n) runs=$OPTARG ;;
    k) kinds=$OPTARG ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))
[ $# -eq 1 ] && [ -d "$1" ] || usage
folder=$(cd "$1" && pwd)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Nobody's settings, and no daemon, takes part.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_NO_LAZY_FETCH=1
export GIT_OPTIONAL_LOCKS=0 NO_COLOR=1 HOME="$work/home"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE STANCH_FINGERPRINT_KEY GITLEAKS_CONFIG GITLEAKS_CONFIG_TOML
mkdir -p "$HOME"

find_program() { # NAME DEFAULT: prints the program's path; nothing when it is not there
    local wanted=${!1:-}
    if [ -n "$wanted" ]; then
        command -v "$wanted" || { echo "compare.sh: $1=$wanted is not a program" >&2 && exit 2; }
    else
        command -v "$2" || true
    fi
}
git=$(find_program GIT git)
rg=$(find_program RG rg)
betterleaks=$(find_program BETTERLEAKS betterleaks)
gitleaks=$(find_program GITLEAKS gitleaks)
kingfisher=$(find_program KINGFISHER kingfisher)
detect_secrets=$(find_program DETECT_SECRETS detect-secrets)
stanch=$(find_program STANCH stanch)
if [ -z "$stanch" ] && [ -x "$here/target/release/stanch" ]; then stanch=$here/target/release/stanch; fi
[ -n "$stanch" ] || { echo "compare.sh: no stanch: build it, or name it with STANCH=" >&2 && exit 2; }
stanch=$(cd "$(dirname "$stanch")" && pwd)/$(basename "$stanch")

repositories=()
if "$git" -C "$folder" rev-parse --git-dir >/dev/null 2>&1 && [ -e "$folder/.git" -o -e "$folder/HEAD" ]; then
    repositories+=("$folder")
else
    for repository in "$folder"/*/; do
        if [ -e "$repository/.git" ] || [ -e "$repository/HEAD" ]; then repositories+=("${repository%/}"); fi
    done
fi
[ ${#repositories[@]} -gt 0 ] || { echo "compare.sh: no git repository in $folder" >&2 && exit 2; }

# A word that no file has, this one included.
absent=zqx
absent+=jkvb

# One job a line, fields separated by tabs: group, name, exit codes that count, folder, command.
jobs=$work/jobs
: >"$jobs"
job() { printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$jobs"; }
q() { printf "'%s'" "${1//\'/\'\\\'\'}"; } # quoted, for a shell and for shlex
peer() { # PROGRAM GROUP NAME CODES FOLDER COMMAND: a job, if the program is there
    if [ -n "$1" ]; then shift && job "$@"; fi
}

left_out() { echo "compare.sh: $1 has no commit that can be checked out, no staged change there" >&2; }
staged() { # REPOSITORY: a copy with one small change staged
    local name copy file
    name=$(basename "$1")
    copy=$work/staged-$name
    "$git" clone -q --no-hardlinks --shared "$1" "$copy" 2>/dev/null || { left_out "$1" && return; }
    file=$("$git" -C "$copy" ls-files | sed -n 1p)
    [ -n "$file" ] || { left_out "$1" && return; }
    printf 'one more line\n' >>"$copy/$file"
    "$git" -C "$copy" add "$file"
    local group="staged: $name"
    job "$group" stanch 0,1 "$copy" "$(q "$stanch") scan --staged"
    job "$group" "git diff --cached" 0 "$copy" "$(q "$git") diff --cached"
    peer "$betterleaks" "$group" betterleaks 0,9 "$copy" "$(q "$betterleaks") git --staged --no-banner --exit-code=9 ."
    peer "$gitleaks" "$group" gitleaks 0,9 "$copy" "$(q "$gitleaks") git --pre-commit --staged --no-banner --exit-code=9 ."
    peer "$kingfisher" "$group" kingfisher 0,200,205 "$copy" \
        "$(q "$kingfisher") scan --staged --no-validate --no-update-check ."
    peer "$detect_secrets" "$group" detect-secrets 0,1 "$copy" \
        "$(q "$(dirname "${detect_secrets:-x}")/detect-secrets-hook") $(q "$file")"
}

worktree() { # FOLDER
    local group="worktree: $(basename "$1")"
    job "$group" stanch 0,1 "$1" "$(q "$stanch") scan --allow-incomplete ."
    if [ -n "$rg" ]; then job "$group" rg 1 "$1" "$(q "$rg") -j2 -uu -c $absent"; fi
    peer "$kingfisher" "$group" kingfisher 0,200,205 "$1" \
        "$(q "$kingfisher") scan --git-history=none --no-validate --no-update-check ."
    peer "$betterleaks" "$group" betterleaks 0,9 "$1" "$(q "$betterleaks") filesystem --no-banner --exit-code=9 ."
    peer "$gitleaks" "$group" gitleaks 0,9 "$1" "$(q "$gitleaks") dir --no-banner --exit-code=9 ."
    peer "$detect_secrets" "$group" detect-secrets 0 "$1" "$(q "$detect_secrets") scan ."
}

history() { # REPOSITORY
    local group="history: $(basename "$1")"
    job "$group" stanch 0,1 "$1" "$(q "$stanch") history --allow-incomplete ."
    job "$group" "git cat-file" 0 "$1" "$(q "$git") cat-file --batch-all-objects --batch --unordered"
    peer "$kingfisher" "$group" kingfisher 0,200,205 "$1" \
        "$(q "$kingfisher") scan --git-history=full --no-validate --no-update-check ."
    peer "$betterleaks" "$group" betterleaks 0,9 "$1" "$(q "$betterleaks") git --no-banner --exit-code=9 ."
    peer "$gitleaks" "$group" gitleaks 0,9 "$1" "$(q "$gitleaks") git --no-banner --exit-code=9 ."
}

case ,$kinds, in *,staged,*) for r in "${repositories[@]}"; do staged "$r"; done ;; esac
case ,$kinds, in *,worktree,*) worktree "$folder" ;; esac
case ,$kinds, in *,history,*) for r in "${repositories[@]}"; do history "$r"; done ;; esac
[ -s "$jobs" ] || { echo "compare.sh: nothing to run" >&2 && exit 2; }

for program in betterleaks gitleaks kingfisher detect_secrets rg; do
    [ -n "${!program}" ] || echo "compare.sh: $program is not there, left out" >&2
done

python3 - "$jobs" "$runs" <<'PYTHON'
import os, platform, shlex, statistics, subprocess, sys, time

jobs = [line.rstrip("\n").split("\t") for line in open(sys.argv[1], encoding="utf-8")]
runs = int(sys.argv[2])
times = {i: [] for i in range(len(jobs))}
memory = {i: 0 for i in range(len(jobs))}
failed = {}


def run(i):
    """Runs a job once; returns seconds and peak memory in KiB, or None after noting why it does not count."""
    _, name, codes, folder, command = jobs[i]
    with open(os.devnull, "rb") as nothing, open(os.devnull, "wb") as away:
        began = time.perf_counter()
        child = subprocess.Popen(shlex.split(command), cwd=folder, stdin=nothing, stdout=away, stderr=away)
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - began
    child.returncode = code = os.waitstatus_to_exitcode(status) if hasattr(os, "waitstatus_to_exitcode") else status >> 8
    if str(code) not in codes.split(","):
        failed[i] = code
        return None
    return took, usage.ru_maxrss


def show(seconds):
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


for group in dict.fromkeys(job[0] for job in jobs):
    members = [i for i in range(len(jobs)) if jobs[i][0] == group]
    for i in members:  # warms the page cache, and finds out who fails
        print(f"compare.sh: {group}: {jobs[i][1]}", file=sys.stderr)
        run(i)
    for _ in range(runs):
        for i in members:
            if i not in failed and (result := run(i)):
                times[i].append(result[0])
                memory[i] = max(memory[i], result[1])

print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores; {runs} runs each, interleaved; medians\n")
for group in dict.fromkeys(job[0] for job in jobs):
    members = [i for i in range(len(jobs)) if jobs[i][0] == group]
    median = {i: statistics.median(times[i]) for i in members if i not in failed and times[i]}
    ours = next((median[i] for i in members if jobs[i][1] == "stanch" and i in median), None)
    print(f"### {group}\n")
    print("| | median | fastest | ÷ stanch | peak memory |\n|---|---:|---:|---:|---:|")
    for i in members:
        name = jobs[i][1]
        if i in median:
            ratio = f"{median[i] / ours:.2f}" if ours else "–"
            print(f"| {name} | {show(median[i])} | {show(min(times[i]))} | {ratio} | {memory[i] / 1024:.0f} MiB |")
        else:
            print(f"| {name} | failed, exit code {failed.get(i)} | – | – | – |")
    print()
print("Commands, each run in the folder named:\n\n```sh")
for _, _, _, folder, command in jobs:
    print(f"(cd {folder} && {command})")
print("```")
sys.exit(1 if any(jobs[i][1] == "stanch" for i in failed) else 0)
PYTHON
