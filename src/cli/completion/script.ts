import type { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { wordsOf } from './words.ts';
import type { Words } from './words.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** Descriptions are ours; quotes are all that a shell could take amiss in them. */
const plain = (text: string): string => text.replaceAll(/['"`$\\:[\]]/g, '');

const FILE_OPTIONS = ['--config', '--socket'] as const;

/** Which of the words before the cursor are commands: options and what is no command are passed over. */
const bash = (all: readonly Words[]): string => {
  const cases = all.map(({ path, words, argument }) => {
    const address = argument === 'file' || argument === undefined ? '' : ` addresses=${argument}`;
    const file = argument === 'file' ? ' files=1' : '';
    return `    '${path}') words='${words.map(({ word }) => word).join(' ')}'${address}${file} ;;`;
  });
  const commands = all.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `# bash completion of companion: source <(companion completion bash)
_companion() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path='' words='' addresses='' files='' word prefix i
  # bash takes : for a border of words; an IPv6 address is one word all the same
  if declare -F _get_comp_words_by_ref >/dev/null; then _get_comp_words_by_ref -n : cur; fi
  case "\${COMP_WORDS[COMP_CWORD-1]}" in ${FILE_OPTIONS.join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;; esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${path:+$path }\${COMP_WORDS[i]}"
    case "$word" in ${commands.join('|')}) path="$word" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ -n $files ]]; then COMPREPLY+=($(compgen -f -- "$cur")); fi
  if [[ -n $addresses && $cur != -* ]]; then
    COMPREPLY+=($(companion complete "$addresses" "$cur" 2>/dev/null))
    if [[ $cur == *:* ]]; then
      prefix="\${cur%"\${cur##*:}"}"
      for ((i = 0; i < \${#COMPREPLY[@]}; i++)); do COMPREPLY[i]="\${COMPREPLY[i]#"$prefix"}"; done
    fi
  fi
}
complete -F _companion companion
`;
};

const zsh = (all: readonly Words[]): string => {
  const cases = all.map(({ path, words, argument }) => {
    const described = words.map(({ word, about }) => `'${word}:${plain(about)}'`).join(' ');
    const address = argument === 'file' || argument === undefined ? '' : ` addresses=${argument}`;
    const file = argument === 'file' ? ' files=1' : '';
    return `    '${path}') words_of=(${described})${address}${file} ;;`;
  });
  const commands = all.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `#compdef companion
# zsh completion of companion: source <(companion completion zsh)
_companion() {
  local path_of='' addresses='' files='' word i
  local -a words_of found
  case "\${words[CURRENT-1]}" in ${FILE_OPTIONS.join('|')}) _files; return ;; esac
  for ((i = 2; i < CURRENT; i++)); do
    word="\${path_of:+$path_of }\${words[i]}"
    case "$word" in ${commands.join('|')}) path_of="$word" ;; esac
  done
  case "$path_of" in
${cases.join('\n')}
  esac
  _describe 'companion' words_of
  [[ -n $files ]] && _files
  if [[ -n $addresses && \${words[CURRENT]} != -* ]]; then
    found=(\${(f)"$(companion complete "$addresses" "\${words[CURRENT]}" 2>/dev/null)"})
    (( \${#found} )) && compadd -- $found
  fi
  return 0
}
if [[ $funcstack[1] == _companion ]]; then _companion "$@"; else compdef _companion companion; fi
`;
};

const fish = (all: readonly Words[]): string => {
  const lines = all.flatMap(({ path, words, argument }) => {
    const when = `-n '__companion_at "${path}"'`;
    const own = words.map(({ word, about }) => {
      const name = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      const files = (FILE_OPTIONS as readonly string[]).includes(word) ? ' -r -F' : '';
      return `complete -c companion ${when} ${name}${files} -d '${plain(about)}'`;
    });
    if (argument === 'file') own.push(`complete -c companion ${when} -F`);
    else if (argument !== undefined)
      own.push(`complete -c companion ${when} -a '(companion complete ${argument} (commandline -ct) 2>/dev/null)'`);
    return own;
  });
  const commands = all.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `# fish completion of companion: companion completion fish | source
function __companion_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$path $word")
    if contains -- $next ${commands.join(' ')}
      set path $next
    end
  end
  test "$path" = "$argv[1]"
end
complete -c companion -f
${lines.join('\n')}
`;
};

const SCRIPTS: Readonly<Record<Shell, (all: readonly Words[]) => string>> = { bash, zsh, fish };

/** The completion script of a shell. Words are in the script; the service is asked for addresses only. */
export const completionScript = (shell: Shell, program: Command): string => SCRIPTS[shell](wordsOf(program));

/** `companion completion SHELL`. */
export const printScript = (shell: Shell, program: Command): Promise<number> => {
  process.stdout.write(completionScript(shell, program));
  return Promise.resolve(EXIT.ok);
};
