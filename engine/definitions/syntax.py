"""What the YAML parser says of a file it cannot read, in words for the person who must mend it (codes Y)."""

from typing import Final

from ruamel.yaml.error import MarkedYAMLError, StringMark

from engine.definitions.problem import Place, Problem

_QUOTES: Final = {
    "'": "put all of the value in quotes; inside single quotes, write '' for '",
    '"': 'put all of the value in quotes; inside double quotes, write \\" for "',
}
_OPENING: Final = {"}": "{", "]": "["}


def place_of(path: str, mark: StringMark) -> Place:
    """The parser's mark (counted from 0) as a place."""
    return Place(path, mark.line + 1, mark.column + 1)


def syntax_problem(path: str, text: str, error: MarkedYAMLError, long_quote: Place | None) -> Problem:
    """The one problem that stopped the parser.

    ``long_quote`` is where the last value starts, if it is in quotes and goes over several lines: then the mark that
    is missing is probably its own, far above the line where the parser noticed.
    """
    mark = error.problem_mark or error.context_mark
    place = place_of(path, mark) if mark else Place(path)
    said, context = str(error.problem or "this cannot be read"), str(error.context or "")
    opened = place_of(path, error.context_mark) if error.context_mark else place
    character = text[mark.index : mark.index + 1] if mark else ""
    if character == "\t":
        return Problem(place, "Y006", "a tab cannot indent or separate here", "use spaces")
    if "quoted scalar" in context and "end of stream" in said:
        hint = "add the same mark at the end of the text"
        return Problem(opened, "Y007", "this quotation mark is never closed", hint)
    if long_quote is not None:
        message = f"the text in quotes that starts here ends only in line {place.line}"
        return Problem(long_quote, "Y007", message, "add a quotation mark where the text ends")
    if "simple key" in context and error.context_mark:
        message = "a key needs a colon with a space after it"
        return Problem(opened, "Y009", message, "write key: value; put a text that goes over lines in quotes")
    if character == "," and said.startswith("expected the node content"):
        return Problem(place, "Y008", "there is no value before this comma", "remove the comma")
    if context.startswith("while parsing a flow"):
        kind, sign = ("bracket", "]") if "sequence" in context else ("brace", "}")
        hint = f"the {kind} opened in line {opened.line}, column {opened.column} is not closed before this"
        return Problem(place, "Y008", f'a comma or the closing "{sign}" is missing before this', hint)
    before = text[: mark.index].rstrip(" ")[-1:] if mark else ""
    if before in _QUOTES and ("<block end>" in said or "simple key" in said):
        return Problem(place, "Y007", "the text in quotes ends before this", _QUOTES[before])
    return _misplaced(place, said, character)


def _misplaced(place: Place, said: str, character: str) -> Problem:
    if character in _OPENING:
        return Problem(place, "Y008", f'nothing is open that this "{character}" could close', "remove it")
    if "unknown escape" in said:
        hint = r"write \\ for a backslash, or put the text in single quotes"
        return Problem(place, "Y020", f'"\\{character}" means nothing in double quotes', hint)
    if "comment or a line break" in said:
        hint = "begin the text on the next line, further to the right"
        return Problem(place, "Y009", "after | or > nothing stands in the same line", hint)
    if "undefined tag handle" in said:
        return Problem(
            place, "Y016", "tags are not read", "remove the tag; a text that begins with ! belongs in quotes"
        )
    if "mapping values are not allowed" in said:
        hint = "check the indentation, or put the text in quotes if the colon belongs to it"
        return Problem(place, "Y009", "a key and its value cannot stand here", hint)
    if "<block end>" in said or "simple key" in said or "indicator" in said:
        return Problem(place, "Y009", "this cannot stand here", "check the indentation of this line and of those above")
    if "cannot start any token" in said:
        return Problem(place, "Y010", f'nothing can start with "{character}" here', "put the text in quotes")
    return Problem(place, "Y002", f"this is not YAML: {said}", "check this line and the one above")
