"""YAML as text with comments, which our own reader reads back the same."""

from __future__ import annotations

import textwrap

import yaml

from pytest_llm_diagnosis.records import Json, JsonObject
from pytest_llm_diagnosis.source import resolve

_WIDTH = 88


class _Dumper(yaml.SafeDumper):
    """Writes every value in full; text that would read as another value quoted."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - YAML's name
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - YAML's signature
        # Lists stand deeper than their key.
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if not all(char.isprintable() or char == "\n" for char in text):
        # Unicode has line ends that the readers of YAML fold.
        style = '"'
    elif "\n" in text:
        style = "|"
    elif not isinstance(resolve(text), str):
        # YAML 1.2, which is read here, has numbers that PyYAML takes for text.
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(value: Json, indent: int = 0) -> str:
    """Return a value as YAML in block style, every line indented."""
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH - indent,
        default_flow_style=False,
    )
    # Behind a text that ends in empty lines PyYAML ends the document.
    end = "\n...\n"
    text = f"{text.removesuffix(end)}\n" if text.endswith(end) else text
    return textwrap.indent(text, " " * indent)


def comment(text: str, indent: int = 0, *, wrap: bool = True) -> str:
    """Return text as comment lines; what is not printable is left out.

    YAML that is to stay YAML when it is uncommented is not wrapped.
    """
    room = _WIDTH - indent - 2
    lines: list[str] = []
    for line in text.splitlines():
        shown = "".join(char for char in line if char.isprintable()).rstrip()
        if not wrap:
            lines.append(shown)
            continue
        lead = shown[: len(shown) - len(shown.lstrip())][: room // 2]
        lines += textwrap.wrap(
            shown.lstrip(), room, initial_indent=lead, subsequent_indent=lead
        ) or [""]
    start = " " * indent
    return "".join(f"{start}# {line}".rstrip() + "\n" for line in lines)


def item(keys: JsonObject, indent: int = 2) -> str:
    """Return a mapping as one item of a list."""
    inner = yaml_text(keys, indent + 2)
    return f"{' ' * indent}- {inner[indent + 2 :]}"
