"""Markdown understood: front matter set aside, the rest as sections of whole-line blocks.

Text comes in decoded, its BOM cut and its newlines line feeds; nothing is ever rebuilt from
tokens, every range points back into that text.
"""

from askmd.markdown import front_matter
from askmd.markdown.sections import body_start, parse, split_sections

__all__ = ["body_start", "front_matter", "parse", "split_sections"]
