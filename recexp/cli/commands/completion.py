"""bash|zsh: print a script for tab completion of commands, groups and options"""

from argparse import Namespace
from collections.abc import Iterator

from recexp.cli.parsing import Parser

BASH = """\
_recexp() {
    local IFS=$'\\n' words=("${COMP_LINE:0:$COMP_POINT}")
    local last="${words[0]##* }" cur="${COMP_WORDS[COMP_CWORD]}"
    [[ "$cur" == "=" ]] && cur=""
    COMPREPLY=($(recexp completion words -- "${words[0]#* }" 2>/dev/null))
    local cut=$(( ${#last} - ${#cur} ))
    local i; for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]="${COMPREPLY[i]:$cut}"; done
    [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *[=.] ]] && compopt -o nospace
}
complete -o default -F _recexp recexp"""
ZSH = """\
#compdef recexp
_recexp() {
    local line="${LBUFFER#* }"
    local -a found
    found=("${(@f)$(recexp completion words -- "$line" 2>/dev/null)}")
    compadd -Q -S '' -- "${found[@]}"
}
compdef _recexp recexp"""


def parser() -> Parser:
    """Return what reads the command's words."""
    return Parser(
        "completion",
        __doc__,
        example='eval "$(recexp completion bash)"',
        words=(1, 2),
        notes="Add the example to ~/.bashrc; for zsh, replace bash by zsh and add it to ~/.zshrc after compinit.",
    )


def run(given: Namespace) -> Iterator[str]:
    """Yield the script, or what completes a half-typed line."""
    kind, *line = given.words
    if kind == "words" and line:
        from recexp.cli.completion import candidates

        yield from candidates(line[0].split(" "))
    elif kind in ("bash", "zsh") and not line:
        yield BASH if kind == "bash" else ZSH
    else:
        parser().error(f"got {' '.join(given.words)}")
