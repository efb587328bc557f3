"""`kerasnlp-lab explain`: attention and the contribution of each word."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kerasnlp_lab.cli.json_output import Json, print_json, writes_unicode
from kerasnlp_lab.cli.options import import_tensorflow
from kerasnlp_lab.display import printable
from kerasnlp_lab.errors import RunError, check_option

if TYPE_CHECKING:
    from kerasnlp_lab.explanation import Alignment, Explanation

__all__ = ["explain"]

BAR = 20
MOST = 20  # classes to print


def explain(
    model: Annotated[Path, typer.Argument(help="A run directory.")],
    text: Annotated[str, typer.Argument(help="The text, or the first text of a pair.")],
    second_text: Annotated[
        str | None, typer.Argument(help="The second text, for a model of pairs.")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(help="The class to explain (default: the predicted or likeliest one)."),
    ] = None,
    layer: Annotated[
        int | None, typer.Option(min=1, help="The layer to draw (default: attention rollout).")
    ] = None,
    head: Annotated[
        int | None, typer.Option(min=1, help="The head of that layer (default: the mean of all).")
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Draw lines between words instead of a matrix.")
    ] = False,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Draw the model's word pieces instead of words.")
    ] = False,
    to: Annotated[
        Path, typer.Option(help="The folder for explanation.html and explanation.png.")
    ] = Path("explanation"),
    as_json: Json = False,
) -> None:
    """Show a model's attention and the contribution of each word.

    For a model that writes texts, show which characters it looked at as it wrote each of its own.
    Otherwise for Transformers, recurrent networks and BERTs. Contributions are integrated
    gradients, from a text of neutral tokens to this one. The page shows every layer and head.
    Earlier files in the folder are replaced.
    """
    import_tensorflow()
    from kerasnlp_lab.evaluation.fonts import without_font
    from kerasnlp_lab.evaluation.plots import png_bytes
    from kerasnlp_lab.explanation import (
        Alignment,
        alignment_figure,
        alignment_page,
        explain_run,
        explanation_figure,
        explanation_page,
    )
    from kerasnlp_lab.paths import write_whole

    if (model / "saved_model.pb").is_file():
        raise RunError(
            f"{model} is an export, which only answers: explain the run it was made from"
        )
    given = text if second_text is None else (text, second_text)
    explanation = explain_run(model, given, label=label)
    if isinstance(explanation, Alignment):
        refused = {"--layer": layer, "--head": head, "--lines": lines, "--tokens": tokens}
        for flag, value in refused.items():
            check_option(flag, value, not value, "left out for a model that writes texts")
        figure, page = alignment_figure(explanation), alignment_page(explanation)
    else:
        figure = explanation_figure(explanation, layer=layer, head=head, lines=lines, tokens=tokens)
        page = explanation_page(explanation)
    picture = png_bytes(figure)
    to.mkdir(parents=True, exist_ok=True)
    write_whole(to / "explanation.html", page)
    write_whole(to / "explanation.png", picture)
    if isinstance(explanation, Alignment):
        _print_alignment(explanation, to, as_json)
    elif as_json:
        print_json(_document(explanation, to))
    else:
        _print_explanation(explanation)
        layers = explanation.attention.size and not explanation.pools
        shown = "every layer and head" if layers else "the coloured text"
        print(f"{to / 'explanation.html'}: {shown}; {to / 'explanation.png'}")
    if missing := without_font([figure]):
        print(
            f"no installed font has {missing[:20]}: the picture shows boxes there, the page uses "
            "the browser's fonts; install a font that has them (Noto covers every script)",
            file=sys.stderr,
        )


def _print_alignment(alignment: Alignment, to: Path, as_json: bool) -> None:
    """Prints the output and a line for each of its characters, or all as JSON."""
    page, picture = to / "explanation.html", to / "explanation.png"
    if as_json:
        print_json(alignment.as_json() | {"page": page, "picture": picture})
        return
    print(f"{printable(alignment.output)}  {alignment.score:.3f}")
    print(
        "what the model looked at most as it wrote each character, and the share of its attention:"
    )
    print(*alignment.lines(), sep="\n")
    print(f"{page}: the whole alignment; {picture}")


def _document(explanation: Explanation, to: Path) -> dict[str, Any]:
    values, check = explanation.word_contributions.tolist(), explanation.completeness
    shares = explanation.pool_shares
    words = [
        {
            **vars(explanation.words[index]),
            "start": explanation.words[index].start - part.start,
            "end": explanation.words[index].end - part.start,
            **({"of": part.name} if part.name else {}),
            "contribution": values[index],
            "attention": None if shares is None else float(shares[index]),
        }
        for part in explanation.parts
        for index in part.words
    ]
    texts = [part.text for part in explanation.parts]
    return {
        **dict(zip(("text", "second_text"), texts, strict=False)),
        "label": explanation.label,
        "probabilities": explanation.probabilities,
        "words": words,
        "completeness": {**vars(check), "error": check.error},
        "window": explanation.window,
        "page": to / "explanation.html",
        "picture": to / "explanation.png",
    }


def _print_explanation(explanation: Explanation) -> None:
    """Prints the answer, the window, a line a word, and the completeness check."""
    from rich.cells import cell_len

    from kerasnlp_lab.display import shown_names

    names = list(explanation.probabilities)
    shown = dict(zip(names, shown_names(names), strict=True))
    surest = sorted(shown, key=explanation.probabilities.__getitem__, reverse=True)
    parts = [f"{shown[name]} {explanation.probabilities[name]:.3f}" for name in surest[:MOST]]
    if more := len(surest) - len(parts):
        parts.append(f"and {more:,} more classes")
    print("  ".join(parts))
    if explanation.window and explanation.window[1] > 1:
        number, count = explanation.window
        print(f"read in {count} windows; window {number} speaks most for the class:")
    shares = explanation.pool_shares
    also = "" if shares is None else "; each word's share of the attention"
    print(f"contributions to {shown[explanation.label]}, and against it (-){also}:")
    values = explanation.word_contributions
    block = "█" if writes_unicode() else "#"
    most = max(abs(values).max(), 1e-9)
    texts = [printable(word.text) for word in explanation.words]
    width = min(30, max(map(cell_len, texts)))
    for part in explanation.parts:
        if part.name:
            print(f"{printable(part.name)}:")
        for index in part.words:
            text, value = texts[index], values[index]
            name = f"{text}{' ' * (width - cell_len(text))}"
            if not explanation.words[index].tokens:
                print(f"  {name}  not read")
                continue
            bar = block * round(BAR * abs(value) / most)
            share = "" if shares is None else f"{shares[index]:6.1%}  "
            print(f"  {name}  {value:+.4f}  {share}{'-' if value < 0 and bar else ''}{bar}")
    print(explanation.completeness)
