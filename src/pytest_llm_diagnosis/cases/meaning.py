"""What a case must have and must not say, beyond the shape of its keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from pytest_llm_diagnosis.errors import Problem
from pytest_llm_diagnosis.records import MARKS
from pytest_llm_diagnosis.schema import CASE_KEYS, meant
from pytest_llm_diagnosis.source import ListNode, MapNode, Node, Spot, place

_RESERVED = ("[", "]", "::")
_TAG = re.compile(r"[^\W\d][\w.:-]*")


def contradictions(
    node: MapNode, faulty: Collection[str], path: Path
) -> Iterator[Problem]:
    """Yield what is missing from a case with its defaults, or cannot go together.

    `faulty` names the keys that were reported already and left out of `node`;
    nothing is called missing that one of them was probably meant to be.
    """
    yield from _missing(node, meant(faulty, CASE_KEYS), path)
    if isinstance(identifier := node.get("id"), str):
        yield from _bad_id(identifier, node.spots["id"][1], path)
    yield from _bad_trials(node, path)
    yield from _bad_tags(node.get("tags"), path)
    yield from _bad_conversation(node, path)


def _missing(node: MapNode, excused: set[str], path: Path) -> Iterator[Problem]:
    given = node.keys() | excused
    name = f"case {node['id']!r}" if isinstance(node.get("id"), str) else "the case"
    if "id" not in given:
        hint = "give it a name that no other case of the file has"
        yield _lacking(node, "the case has no 'id'", hint, path)
    if "mark" not in given:
        hint = f"valid: {', '.join(MARKS)}"
        yield _lacking(node, f"{name} has no 'mark'", hint, path)
    if "prompt" not in given and "messages" not in given:
        hint = "give it 'prompt' or 'messages'"
        yield _lacking(node, f"{name} has no 'prompt'", hint, path)
    asks = node.get("facts") or node.get("form")
    if not asks and "facts" not in excused and "form" not in excused:
        hint = "give it at least one under 'facts' or 'form'"
        yield _lacking(node, f"{name} has no check", hint, path)


def _lacking(node: MapNode, finding: str, hint: str, path: Path) -> Problem:
    return Problem(location=place(node.start, path), finding=finding, hint=hint)


def _bad_id(identifier: str, spot: Spot, path: Path) -> Iterator[Problem]:
    reserved = [mark for mark in _RESERVED if mark in identifier]
    hint = "pytest names the item file::id[variant]"
    if reserved:
        finding = f"the id {identifier!r} must not contain {reserved[0]!r}"
    elif not identifier.isprintable():
        finding = f"the id {identifier!r} must be one line of printable text"
    elif identifier != identifier.strip():
        finding = f"the id {identifier!r} must not begin or end with a space"
    else:
        return
    yield Problem(location=place(spot, path), finding=finding, hint=hint)


def _bad_trials(node: MapNode, path: Path) -> Iterator[Problem]:
    trials, pass_at = node.get("trials", 1), node.get("pass_at", 1)
    if not isinstance(trials, int | float) or not isinstance(pass_at, int | float):
        return
    if pass_at > trials:
        location = place(node.spots["pass_at"][1], path)
        finding = f"'pass_at' is {pass_at}, but 'trials' is {trials}"
        hint = "'pass_at' counts the trials that must pass"
        yield Problem(location=location, finding=finding, hint=hint)


def _bad_tags(tags: Node, path: Path) -> Iterator[Problem]:
    if not isinstance(tags, ListNode):
        return
    for tag, spot in zip(tags, tags.spots, strict=True):
        if not _TAG.fullmatch(str(tag)) or tag in {"and", "or", "not"}:
            finding = f"the tag {tag!r} cannot be a marker"
            hint = "use letters, digits, '_', '-', '.', and begin with a letter"
            yield Problem(location=place(spot, path), finding=finding, hint=hint)


def _bad_conversation(node: MapNode, path: Path) -> Iterator[Problem]:
    turns = node.get("messages")
    if not isinstance(turns, ListNode):
        return
    if "prompt" in node:
        location = place(node.spots["messages"][0], path)
        finding = "'prompt' and 'messages' are both given"
        yield Problem(location=location, finding=finding, hint="keep one of them")
    for index, turn in enumerate(turns):
        if isinstance(turn, MapNode):
            location = place(turns.spots[index], path)
            if turn.get("content") is None and not turn.get("tool_calls"):
                finding = f"turn {index + 1} says nothing"
                yield Problem(location=location, finding=finding, hint="give 'content'")
            if turn.get("role") == "system" and index:
                finding = "a system turn must be the first"
                yield Problem(location=location, finding=finding)
    if [turn.get("role") for turn in turns if isinstance(turn, MapNode)] == ["system"]:
        finding = "'messages' holds nothing but a system prompt"
        location = place(node.spots["messages"][0], path)
        yield Problem(location=location, finding=finding, hint="add a user turn")
