"""Theorems of the room signs, which are TeX mixed with words, as HTML with MathML.

Room signs set no marks around mathematics, so that they read well as they are: "w_0 uniform in the
ball of radius \\alpha". What is a word is told here by its letters and its neighbours.
"""

import html
import re

from docutils.utils.math.latex2mathml import tex2mathml
from markupsafe import Markup, escape

ACCENTS = {r"\'e": "é"}
# Formulas are broken before these, for narrow screens; a quad is a break by itself.
BREAKS = r"(?=\\Rightarrow\b|\\implies\b)|\\quad"
END = ",.;:)"


def pieces(theorem):
    """Words and formulas of a theorem.

    Parameters
    ----------
    theorem : str
        As in a room sign.

    Returns
    -------
    list of (bool, str)
        Whether a piece is mathematics, and its text, in order.
    """
    for accent, letter in ACCENTS.items():
        theorem = theorem.replace(accent, letter)
    tokens = _tokens(theorem)
    found = []
    for token, word in zip(tokens, _are_words(tokens), strict=True):
        # A colon or a semicolon ends a formula as a word does.
        ended = found and not word and found[-1][1][-1] in ":;"
        if found and found[-1][0] != word and not ended:
            found[-1][1] += f" {token}"
        else:
            found.append([not word, token])
    return [part for math, text in found for part in (_parts(text) if math else [(False, text)])]


def to_html(theorem):
    """A theorem as HTML: its words escaped, its formulas as MathML.

    Parameters
    ----------
    theorem : str

    Returns
    -------
    markupsafe.Markup

    Raises
    ------
    docutils.utils.math.MathError
        A formula is no TeX that docutils knows.
    """
    made = Markup()
    for math, text in pieces(theorem):
        space = "" if not made or text[0] in END else " "
        made += space + (_mathml(text) if math else escape(text))
    return made


def _mathml(formula):
    """MathML without its indentation, and without entities that HTML knows and XML does not."""
    made = tex2mathml(
        re.sub("'+", lambda found: f"^{{{found[0]}}}", formula).replace("'", r"\prime ")
    )
    text = re.sub(r"\n\s*", "", made).replace("<math ", '<math displaystyle="true" ', 1)
    return Markup(re.sub(r"&(?!lt;|gt;|amp;|#)\w+;", lambda name: html.unescape(name[0]), text))


def _tokens(text):
    """Split at spaces outside braces."""
    tokens, depth = [""], 0
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if letter == " " and depth == 0:
            tokens.append("")
        else:
            tokens[-1] += letter
    return [token for token in tokens if token]


def _are_words(tokens):
    """Whether each token is prose."""
    words = [_is_word(token) for token in tokens]
    for i, token in enumerate(tokens):
        core, following = token.strip("(" + END), tokens[i + 1] if i + 1 < len(tokens) else ""
        after = not following or words[i + 1]
        if core == "a":  # the article: "one winner S a sample"
            words[i] = after
        elif re.fullmatch(r"\d[\d.]*[a-z]?(-\d+)?", core):  # "Theorem 3.1 asks", not "least 1 - p"
            after = after or token[-1] in ":;" or following[0] in "(0123456789"
            words[i] = (i == 0 or words[i - 1]) and after
    return words


def _is_word(token):
    """Whether a token is prose whatever stands beside it."""
    if re.fullmatch(r"\(+[a-z]\)[:,]?", token):  # (a), (b): parts of a theorem
        return True
    core = token.strip("(" + END)
    if re.fullmatch(r"[A-Z]\d+", core):  # names of statements: T2
        return True
    parts = re.split("['-]", core)  # L-layer, Semi-infinite
    letters = all(part.isalpha() for part in parts)
    return letters and any(part[1:].islower() or len(part) > 2 for part in parts)


def _parts(formula):
    """A formula in parts, the punctuation that ends each taken off."""
    found = []
    for part in filter(None, map(str.strip, re.split(BREAKS, formula))):
        body, end = part, ""
        while body[-1] in END and not (body[-1] == ")" and body.count("(") >= body.count(")")):
            body, end = body[:-1], body[-1] + end
        found += [(True, body)] + ([(False, end)] if end else [])
    return found
