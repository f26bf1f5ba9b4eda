#!/usr/bin/env bash
# What action.yml runs: topolint, and one comment on the pull request that is edited in place. Whatever comes from
# outside is in variables and never part of a command's text; the token is in no argument, curl reads it.
# It runs in the bash 3.2 of macOS, too.
set -eo pipefail

topolint=${BINARY:-$ROOT/bin/topolint}
folder=$(mktemp -d "$RUNNER_TEMP/topolint.XXXXXX")
changes=$folder/changes.json body=$folder/body.md answer=$folder/answer.json

# The first line of the comment, by which it is found again.
marker='<!-- topolint:diff -->'

# What every command looks at.
subject=()
if [[ -n $CONFIG ]]; then subject+=("--config=$CONFIG"); fi
subject+=(--)
while IFS= read -r path; do
  if [[ -n $path ]]; then subject+=("$path"); fi
done <<< "$PATHS"

if [[ $SINCE == auto ]]; then SINCE=$BASE; fi

check() {
  local flags=(--format=auto)
  if [[ -n $FAIL_ON ]]; then flags+=("--fail-on=$FAIL_ON"); fi
  if [[ -n $SINCE ]]; then flags+=("--since=$SINCE"); fi
  # Code scanning opens an alert for what is suppressed, too.
  if [[ -n $SARIF ]]; then flags+=("--report=sarif=$SARIF" --no-suppressed); fi
  "$topolint" check "${flags[@]}" "${subject[@]}"
}

# Method, path in the repository, and a file to send. Anything but an answer that is fine is a failure.
api() {
  local data=()
  if [[ -n $3 ]]; then data=(--data-binary "@$3"); fi
  printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" |
    curl --config - --silent --show-error --fail --max-time 60 --output "$answer" --request "$1" "${data[@]}" \
      --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' \
      "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/$2"
}

# Sets `ours` to the number of ours, if there is one. A person who quotes it has not written it.
find_comment() {
  local page count
  for ((page = 1; ; page++)); do
    api GET "issues/$NUMBER/comments?per_page=100&page=$page" || return
    ours=$(jq -r --arg marker "$marker" 'map(select(
      .user.login == "github-actions[bot]" and (.body // "" | startswith($marker))).id) | first // empty' "$answer") ||
      return
    count=$(jq length "$answer") || return
    if [[ -n $ours || $count -lt 100 ]]; then return; fi
  done
}

is_clean() {
  jq -e '[.new, .worse, .fixed, .topologies[].edits] | all(. == [])' "$changes" > "$answer"
}

# GitHub takes 65,536 characters.
too_long() {
  [[ $(jq -Rs length "$body") -gt 65536 ]]
}

# GitHub drops a summary of more than 1 MiB as a whole.
summarize() {
  local taken more
  touch "$GITHUB_STEP_SUMMARY"
  taken=$(wc -c < "$GITHUB_STEP_SUMMARY") more=$(wc -c < "$body")
  if ((taken + 1 + more <= 1048576)); then
    { echo && cat "$body"; } >> "$GITHUB_STEP_SUMMARY"
  else
    echo '::notice title=topolint::The job summary is full: nothing is added to it'
  fi
}

shortened() {
  head -n 2 "$body"
  printf '\nThe rest does not fit into a comment: [the summary of the run](%s) has it.\n' \
    "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
}

# Writes, edits or removes the comment.
publish() {
  local text=$body sent=$folder/sent.json
  find_comment || return
  if is_clean; then
    if [[ -n $ours ]]; then api DELETE "issues/comments/$ours"; fi
    return
  fi
  if too_long; then
    text=$folder/short.md
    shortened > "$text"
  fi
  jq -Rs '{body: .}' "$text" > "$sent" || return
  if [[ -n $ours ]]; then
    api PATCH "issues/comments/$ours" "$sent" || return
  else
    api POST "issues/$NUMBER/comments" "$sent" || return
  fi
  if [[ $text != "$body" ]]; then summarize; fi
}

report_change() {
  local flags=("--against=${SINCE:-$BASE}" --fail-on=never)
  "$topolint" diff "${flags[@]}" --format=json "${subject[@]}" > "$changes" || return
  "$topolint" diff "${flags[@]}" --format=markdown "${subject[@]}" > "$body" 2> "$folder/said-before" || return
  if publish; then return; fi
  echo '::notice title=topolint::The comment could not be kept up to date (on pull requests from forks the token may' \
    'only read): what it says goes to the job summary'
  summarize
}

code=0
check || code=$?
if [[ $code -lt 2 && $COMMENT == true && -n $NUMBER ]]; then report_change || code=$?; fi
rm -rf "$folder"
exit "$code"
