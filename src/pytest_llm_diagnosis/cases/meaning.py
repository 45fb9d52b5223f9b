"""What a case must have and must not say, beyond the shape of its keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from pytest_llm_diagnosis.errors import Problem, did_you_mean
from pytest_llm_diagnosis.records import MARKS
from pytest_llm_diagnosis.schema import CASE_KEYS
from pytest_llm_diagnosis.source import ListNode, MapNode, Node, Spot, place

_TAG = re.compile(r"[^\W\d][\w.:-]*")


def contradictions(
    node: MapNode, faulty: Collection[str], path: Path
) -> Iterator[Problem]:
    """Yield what is missing from a case with its defaults, or cannot go together.

    `faulty` names the keys that were reported already and left out of `node`;
    nothing is called missing that one of them was probably meant to be.
    """
    yield from _missing(node, _excused(faulty), path)
    if isinstance(identifier := node.get("id"), str):
        yield from _bad_id(identifier, node.spots["id"][1], path)
    yield from _bad_trials(node, path)
    yield from _bad_tags(node.get("tags"), path)
    yield from _bad_conversation(node, path)


def _excused(faulty: Collection[str]) -> set[str]:
    meant = set(faulty) & set(CASE_KEYS)
    for key in set(faulty) - meant:
        meant |= {known for known in CASE_KEYS if did_you_mean(key, [known])}
    return meant


def _missing(node: MapNode, excused: Collection[str], path: Path) -> Iterator[Problem]:
    name = f"case {node['id']!r}" if isinstance(node.get("id"), str) else "the case"
    location = place(node.start, path)
    if "id" not in node and "id" not in excused:
        hint = "give it a name that no other case of the file has"
        yield Problem(location=location, finding="the case has no 'id'", hint=hint)
    if "mark" not in node and "mark" not in excused:
        hint = f"valid: {', '.join(MARKS)}"
        yield Problem(location=location, finding=f"{name} has no 'mark'", hint=hint)
    if not {"prompt", "messages"} & (node.keys() | set(excused)):
        hint = "give it 'prompt' or 'messages'"
        yield Problem(location=location, finding=f"{name} has no 'prompt'", hint=hint)
    asks = node.get("facts") or node.get("form")
    if not asks and not {"facts", "form"} & set(excused):
        hint = "give it at least one under 'facts' or 'form'"
        yield Problem(location=location, finding=f"{name} has no check", hint=hint)


def _bad_id(identifier: str, spot: Spot, path: Path) -> Iterator[Problem]:
    location = place(spot, path)
    for mark in ("[", "]", "::"):
        if mark in identifier:
            finding = f"the id {identifier!r} must not contain {mark!r}"
            yield Problem(location=location, finding=finding)
    if not identifier.isprintable():
        finding = f"the id {identifier!r} must be one line of printable text"
        yield Problem(location=location, finding=finding)
    elif identifier != identifier.strip():
        finding = f"the id {identifier!r} must not begin or end with a space"
        yield Problem(location=location, finding=finding)


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
