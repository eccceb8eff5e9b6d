#!/bin/sh
# Scans what a CI run is about: the commits of a pull request or a push, or, on a schedule, everything.
#
#     stanch-ci [ARGUMENT]...        arguments go to `stanch history`
#
# Knows GitHub Actions, GitLab CI, Azure Pipelines, Bitbucket Pipelines and Jenkins by their variables;
# elsewhere say what to scan. The exit code is stanch's: 0 clean, 1 secrets, 2 error or incomplete.
#
#     STANCH_BASE            commit that a change starts from; together with STANCH_HEAD this decides
#     STANCH_HEAD            last commit of the change (default: the one that is checked out)
#     STANCH_POLICY_REV      commit to take the policy from (default: the base, for changes)
#     STANCH_DEFAULT_BRANCH  the branch that pushes to other branches are compared with
#     STANCH_MODE            auto, or history: everything, whatever the run is about
#     STANCH_SARIF           also write SARIF to this file (default on GitHub and Azure: stanch.sarif)
#     STANCH                 the program (default: stanch)
#
# What these variables and those of the CI system hold is data, whoever chose it: names of branches are
# turned into commit ids by exact look-up, only ids go further, and no value is printed or evaluated.
set -eu
export GIT_NO_LAZY_FETCH=1 LC_ALL=C

range=
policy=

say() { printf 'stanch-ci: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

git_() { git -c safe.directory='*' "$@" 2>/dev/null; }

# Whether this is a whole commit id.
is_id() {
    case $1 in '' | *[!0-9a-f]*) return 1 ;; esac
    [ ${#1} -eq 40 ] || [ ${#1} -eq 64 ]
}

# Whether this is the id of a commit that this clone holds.
has() { is_id "$1" && git_ cat-file -e "$1^{commit}"; }

# The commit that a branch of the server had when it was last fetched; nothing if there is none.
tip() {
    case $1 in '') return 0 ;; esac
    git_ show-ref --verify --hash "refs/remotes/origin/${1#refs/heads/}" || true
}

default_branch() {
    name=${STANCH_DEFAULT_BRANCH:-${CI_DEFAULT_BRANCH:-}}
    if [ -z "$name" ]; then
        name=$(git_ symbolic-ref refs/remotes/origin/HEAD) || name=
        name=${name#refs/remotes/origin/}
    fi
    printf '%s' "${name:-main}"
}

# A change that wants to go into a branch: TARGET-BRANCH BASE HEAD. Only what it adds counts, and the
# policy is the target's, so that the change cannot excuse itself.
change() {
    has "$3" || die "the change's last commit is not in this clone; fetch all history (depth 0)"
    target=$(tip "$1")
    range=$3
    if has "$2"; then policy=$2 range="$range ^$2"; fi
    if has "$target"; then policy=$target range="$range ^$target"; fi
    [ -n "$policy" ] || die "the branch that the change is for is not in this clone; fetch all history (depth 0)"
}

# A push: BRANCH BEFORE HEAD. On the default branch, what came since BEFORE; on another, what the default
# branch lacks. Where that cannot be told, everything that the branch holds.
push() {
    has "$3" || die "the pushed commit is not in this clone; fetch all history (depth 0)"
    range=$3
    main=$(default_branch)
    if [ "${1#refs/heads/}" = "$main" ]; then
        if has "$2"; then range="$range ^$2"; fi
        return
    fi
    target=$(tip "$main")
    if has "$target"; then policy=$target range="$range ^$target"; fi
}

checked_out() { git_ rev-parse --verify HEAD || die "there is no commit here"; }

github() {
    branch=${GITHUB_REF:-}
    case ${GITHUB_EVENT_NAME:-} in
    pull_request | pull_request_target | merge_group)
        head=${STANCH_EVENT_HEAD:-}
        if [ -z "$head" ]; then
            # The merge of the change and its base is what is checked out, except here:
            [ "$GITHUB_EVENT_NAME" != pull_request_target ] ||
                die "pull_request_target: use the action, or set STANCH_BASE and STANCH_HEAD"
            head=${GITHUB_SHA:-}
        fi
        change "${GITHUB_BASE_REF:-}" "${STANCH_EVENT_BASE:-}" "$head"
        ;;
    push) push "$branch" "${STANCH_EVENT_BASE:-}" "${GITHUB_SHA:-}" ;;
    esac
}

gitlab() {
    if [ -n "${CI_MERGE_REQUEST_IID:-}" ]; then
        change "${CI_MERGE_REQUEST_TARGET_BRANCH_NAME:-}" "${CI_MERGE_REQUEST_DIFF_BASE_SHA:-}" \
            "${CI_MERGE_REQUEST_SOURCE_BRANCH_SHA:-${CI_COMMIT_SHA:-}}"
    elif [ -n "${CI_EXTERNAL_PULL_REQUEST_IID:-}" ]; then
        change "${CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME:-}" \
            "${CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA:-}" "${CI_COMMIT_SHA:-}"
    elif [ "${CI_PIPELINE_SOURCE:-}" = push ]; then
        push "${CI_COMMIT_BRANCH:-}" "${CI_COMMIT_BEFORE_SHA:-}" "${CI_COMMIT_SHA:-}"
    fi
}

azure() {
    case ${BUILD_REASON:-} in
    PullRequest)
        head=${SYSTEM_PULLREQUEST_SOURCECOMMITID:-}
        # What is checked out is the merge, which may be newer than that.
        has "$head" || head=${BUILD_SOURCEVERSION:-}
        change "${SYSTEM_PULLREQUEST_TARGETBRANCH:-}" '' "$head"
        ;;
    IndividualCI | BatchedCI) push "${BUILD_SOURCEBRANCH:-}" '' "${BUILD_SOURCEVERSION:-}" ;;
    esac
}

annotations=text
sarif=${STANCH_SARIF:-}
if [ "${GITHUB_ACTIONS:-}" = true ]; then
    system=github annotations=github sarif=${STANCH_SARIF-stanch.sarif}
elif [ -n "${GITLAB_CI:-}" ]; then
    system=gitlab
elif [ -n "${TF_BUILD:-}" ]; then
    system=azure annotations=azure sarif=${STANCH_SARIF-stanch.sarif}
elif [ -n "${BITBUCKET_BUILD_NUMBER:-}" ]; then
    system=bitbucket
elif [ -n "${JENKINS_URL:-}" ]; then
    system=jenkins
else
    system=other
fi

case ${STANCH_MODE:-auto} in
history) ;;
auto)
    if [ -n "${STANCH_BASE:-}" ]; then
        has "$STANCH_BASE" || die "STANCH_BASE is not the whole id of a commit in this clone"
        change '' "$STANCH_BASE" "${STANCH_HEAD:-$(checked_out)}"
    else
        case $system in
        github | gitlab | azure) "$system" ;;
        bitbucket)
            if [ -n "${BITBUCKET_PR_ID:-}" ]; then
                change "${BITBUCKET_PR_DESTINATION_BRANCH:-}" '' "${BITBUCKET_COMMIT:-}"
            else
                push "${BITBUCKET_BRANCH:-}" '' "${BITBUCKET_COMMIT:-}"
            fi
            ;;
        jenkins)
            if [ -n "${CHANGE_TARGET:-}" ]; then
                change "$CHANGE_TARGET" '' "${GIT_COMMIT:-$(checked_out)}"
            else
                push "${BRANCH_NAME:-}" "${GIT_PREVIOUS_COMMIT:-}" "${GIT_COMMIT:-$(checked_out)}"
            fi
            ;;
        other) die "this CI system is not known: set STANCH_BASE, or STANCH_MODE=history" ;;
        esac
    fi
    ;;
*) die "STANCH_MODE is neither auto nor history" ;;
esac

if [ -n "${STANCH_POLICY_REV:-}" ]; then
    has "$STANCH_POLICY_REV" || die "STANCH_POLICY_REV is not the whole id of a commit in this clone"
    policy=$STANCH_POLICY_REV
fi

# From the last to the first, because each goes before what is there.
set -- --no-progress "$@"
if [ -n "$policy" ]; then set -- --policy-rev "$policy" "$@"; fi
if [ -n "$range" ]; then set -- --range "$range" "$@"; fi
if [ -n "$sarif" ]; then set -- --format "sarif=$sarif" "$@"; fi
summary=
case $system in
github)
    if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
        summary=$(mktemp)
        trap 'rm -f "$summary"' EXIT
        set -- --format "markdown=$summary" "$@"
    fi
    ;;
gitlab)
    set -- --format gitlab=gl-secret-detection-report.json --format codequality=gl-code-quality-report.json "$@"
    ;;
esac

code=0
"${STANCH:-stanch}" history --format "$annotations" "$@" || code=$?
if [ -n "$summary" ]; then cat "$summary" >>"$GITHUB_STEP_SUMMARY"; fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then
    printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
fi
what="everything that the repository holds"
if [ -n "$range" ]; then what="the commits in question"; fi
case $code in
0) say "no new secrets in $what" ;;
1) say "secrets were found in $what" ;;
2) say "error, or not everything could be read: this is no clean result" ;;
esac
exit "$code"
