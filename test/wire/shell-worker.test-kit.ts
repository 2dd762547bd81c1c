/**
 * A worker of forty lines of shell. What it does in a stage is a line of shell in the environment, `on_STAGE` (with `_` for what no name
 * of a variable has); without one it outputs, under label 0, the task and the inputs that it was told.
 */
export const shellWorker = {
  name: "bin/worker.sh",
  contents: `#!/bin/sh
# One message and its answer.
say() {
  printf '%s %s %s\\n' "$1" "\${#2}" "$2" >&2
  read -r kind length answer
}
# A number or a text of the task.
of_task() { printf '%s' "$task" | sed -n "s/.*\\"$1\\":\\"\\{0,1\\}\\([^\\",]*\\).*/\\1/p"; }
# out LABEL NAME TEXT: a file, and that it is an output.
out() {
  mkdir -p "out-$$"
  printf '%s' "$3" >"out-$$/$2"
  say OUTPUT "[$1,\\"out-$$/$2\\",$(wc -c <"out-$$/$2" | tr -d ' ')]"
}
# The end of an attempt, by a message that gets no answer.
end() {
  printf '%s %s %s\\n' "$1" "\${#2}" "$2" >&2
  read -r nothing
  exit 0
}
say WORKER "{\\"pid\\":$$,\\"version\\":\\"1.1\\"}"
say TASK '""'
task=$answer
taskid=$(of_task taskid)
stage=$(of_task stage | tr -c "A-Za-z0-9\\n" _)
say INPUT '""'
inputs=$answer
eval "does=\\"\\\${on_$stage:-}\\""
if [ -n "$does" ]; then eval "$does"; else out 0 said "{\\"task\\":$task,\\"inputs\\":$inputs}"; fi
end DONE '""'
`,
};
