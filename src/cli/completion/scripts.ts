/**
 * What `disco completion SHELL` prints. The scripts know nothing of the commands: at a key press they ask the program that is
 * being completed (`disco __complete`, `ddfs __complete`), so that they need not be printed again after an update.
 */
export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** Job names have `@` and `:`, at which bash splits words: what stands before the last of them is on the line already. */
const bash = `# bash completion of disco. In ~/.bashrc: source <(disco completion bash)
_disco() {
  local line=\${COMP_LINE:0:COMP_POINT} cur rest kept entry value ending
  local -a words=() found=()
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur=\${words[\${#words[@]}-1]}
  rest=$cur
  [[ $COMP_WORDBREAKS == *=* ]] && rest=\${rest##*=}
  [[ $COMP_WORDBREAKS == *@* ]] && rest=\${rest##*@}
  [[ $COMP_WORDBREAKS == *:* ]] && rest=\${rest##*:}
  kept=\${cur%"$rest"}
  COMPREPLY=()
  while IFS= read -r entry; do
    if [[ $entry == :files* ]]; then
      compopt -o filenames 2> /dev/null
      if [[ $entry == ":files" ]]; then
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$rest")
      else
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "$rest")
        for ending in \${entry#:files}; do
          while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -X "!*.$ending" -- "$rest")
        done
      fi
      continue
    fi
    found+=("$entry")
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2> /dev/null)
  for entry in "\${found[@]}"; do
    value=\${entry%%$'\\t'*}
    [[ $value == *= ]] && compopt -o nospace 2> /dev/null
    COMPREPLY+=("\${value#"$kept"}")
  done
}
complete -o nosort -F _disco disco disco-mapreduce ddfs 2> /dev/null || complete -F _disco disco disco-mapreduce ddfs
`;

const zsh = `#compdef disco disco-mapreduce ddfs
# zsh completion of disco. In ~/.zshrc, after compinit: source <(disco completion zsh)
_disco() {
  local entry value description
  local -a found endings
  local wants_files=0
  while IFS= read -r entry; do
    if [[ $entry == :files* ]]; then
      wants_files=1
      endings=(\${=entry#:files})
      continue
    fi
    value=\${entry%%$'\\t'*}
    description=
    [[ $entry == *$'\\t'* ]] && description=\${entry#*$'\\t'}
    found+=("\${value//:/\\\\:}\${description:+:$description}")
  done < <("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2> /dev/null)
  if (( wants_files )); then
    if (( \${#endings} )); then _files -g "*.(\${(j:|:)endings})"; else _files; fi
    return
  fi
  local -a plain=() open=()
  for entry in $found; do
    if [[ $entry == *=(|:*) ]]; then open+=("$entry"); else plain+=("$entry"); fi
  done
  (( \${#plain} )) && _describe -V disco plain
  (( \${#open} )) && _describe -V disco open -S ''
}
if [[ $funcstack[1] == _disco ]]; then _disco "$@"; else compdef _disco disco disco-mapreduce ddfs; fi
`;

const fish = `# fish completion of disco. In ~/.config/fish/config.fish: disco completion fish | source
function __disco_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for entry in (command $words[1] __complete -- $words[2..-1] "$current" 2> /dev/null)
        if string match -q ':files*' -- $entry
            set -l endings (string split ' ' -- $entry)[2..-1]
            if test (count $endings) -eq 0
                __fish_complete_path "$current"
            else
                __fish_complete_directories "$current" ''
                for file in (complete -C"'' $current")
                    set -l name (string split \\t -- $file)[1]
                    contains -- (string replace -r '.*\\.' '' -- $name) $endings; and echo $name
                end
            end
        else
            echo $entry
        end
    end
end
complete -c disco -k -f -a '(__disco_complete)'
complete -c disco-mapreduce -k -f -a '(__disco_complete)'
complete -c ddfs -k -f -a '(__disco_complete)'
`;

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };

export function completionScript(shell: Shell): string {
  return scripts[shell];
}
