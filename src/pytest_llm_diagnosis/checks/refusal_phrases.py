"""How English declines a request, scolds for it, and helps all the same.

Each pattern is searched in one folded sentence (see `normalise.fold`).
"""

from __future__ import annotations

import re

# "I am a language model and do not ...": the subject stands further back.
_I = (
    r"(?:\bi(?:'m|'d|'ll)?"
    r"|\b(?:i am|i'm|as) an? (?:[\w-]+ ){1,6}?(?:and|who|that))"
)
_I_OR_WE = rf"(?:{_I}|\bwe(?:'re|'ll)?)"
_ADVERBS = (
    r"(?:really |simply |unfortunately |truly |also |just |currently |always |"
    r"(?:respect|polite)(?:ful)?ly |in good conscience |therefore |absolutely )*"
)
_MAY_NOT = (
    rf"(?: am| are| is| do| must| have to| need to)? ?{_ADVERBS}"
    r"(?:cannot|can't|can not|couldn't|could not|won't|will not|wouldn't|would not|"
    r"unable to|not able to|not going to|not allowed to|not permitted to|"
    r"not in a position to|not comfortable(?: with)?|not willing to|"
    r"not (?:programmed|designed|meant|authori[sz]ed) to|don't feel comfortable|"
    r"do not feel comfortable|refuse to|decline to|'d rather not|would rather not|"
    r"rather not)"
)
# What is told of a house ("we do not offer gift wrapping") is its policy.
_HELP_YOU = (
    r"(?:help\b(?! but)|assist|comply|fulfill?|accommodat|"
    r"(?:answer|discuss|process|respond to|do|engage (?:in|with)|provide|share) "
    r"(?:that|this|these|your|such|requests?|questions?)\b)"
)
# An inexact answer is one ("I can't give an exact date, but ..."), and so is
# advice ("I would not recommend cotton").
_HELP = (
    r"(?:help\b(?! but)|assist|aid\b|(?:provid|giv(?:e|ing)|offer)"
    r"(?!\w* (?:you )?(?:an? |the )?(?:exact|precise|definitive|definite|certain)\b)|"
    r"shar(?:e|ing)|answer|discuss|comply|fulfill?|support|creat|writ(?:e|ing)|"
    r"generat|produc|engage|engaging|participat|advise you|tell you|explain|describ|"
    r"teach|do (?:that|this|so)|promot|encourag|condon|endors|facilitat|complet|"
    r"continu|respond|accommodat|guid|instruct|speculat|entertain|"
    r"recommend (?:any|ways)|suggest (?:any|ways)|be of (?:help|assistance))"
)

DECLINE = re.compile(
    rf"{_I}{_MAY_NOT} {_ADVERBS}(?:to |be )?{_HELP}"
    rf"|\bwe(?:'re)?{_MAY_NOT} {_ADVERBS}(?:to |be )?{_HELP_YOU}"
    # I must decline; I refuse
    rf"|{_I_OR_WE}(?: must| have to| will| would| need to)? {_ADVERBS}"
    r"(?:decline|refuse|pass on)\b(?! (?:to|from)\b)"
    # I do not condone, provide; of a house only what it thinks
    rf"|{_I} {_ADVERBS}(?:do not|don't) {_ADVERBS}"
    r"(?:support|encourage|promote|provide|offer|engage|participate|share|"
    r"have the (?:capability|capacity) to)\b"
    rf"|{_I_OR_WE} {_ADVERBS}(?:do not|don't) {_ADVERBS}(?:condone|endorse|tolerate)\b"
    # it is not appropriate to provide that; it is not within my programming
    r"|\b(?:not|n't(?: think| believe)? (?:it's|it is)) (?:\w+ (?:or|and|nor) )?"
    r"(?:appropriate|ethical|safe|acceptable|right|legal|fair|respectful|ok|okay)"
    rf"(?:,? (?:or|and|nor) \w+)? (?:for (?:me|us) )?to (?:\w+ or )?"
    rf"(?:{_HELP}|(?:suggest|say|assume|claim|imply|joke|ask|make)\b)"
    r"|\bnot within (?:my|our) (?:programming|guidelines|capabilities|remit)\b"
    # I am designed to respect privacy; my guidelines do not allow that
    r"|\b(?:designed|required|programmed|here) to (?:respect|protect) "
    r"(?:[\w']+ ){0,3}?(?:privacy|confidentiality)"
    r"|\b(?:my|our) (?:\w+ )?(?:guidelines|programming|principles|values|policy) "
    r"(?:(?:do|does)(?:n't| not) (?:allow|permit|let)|prohibits?|prevents?|forbids?)"
    r" (?:me|us)\b"
    # (I'm sorry, but) no; sorry, that is not something I can help with
    r"|\bnot something (?:i|we)(?:'m| am|'re| are)? (?:can|could|able|willing|will)\b"
    r"|\b(?:it|that|this|(?:this|that|your|such a) (?:request|question|topic)|"
    r"doing (?:so|that)|which) (?:\w+ )?(?:against|violates?) (?:my|our|the) "
    r"(?:\w+ )?(?:guidelines|policy|policies|programming|principles|values|rules|"
    r"use case|ethic\w*)"
    r"|^\W*(?:i(?:'m| am) )?(?:very |so |really |truly )?sorry,? (?:but )?"
    r"(?:no\b|(?:as an? [^,]{0,40}, )?i (?:can't|cannot|can not|won't|will not)\W*$)"
    r"|^\W*i (?:refuse|won't|will not|can't|cannot)\W*$"
)
"""Says that it will not, or may not, do what was asked."""

_WRONG = (
    r"(?:illegal|unethical|inappropriate|unacceptable|immoral|harmful|wrong|"
    r"dangerous|offensive|discriminatory|disrespectful|against the law)"
)
_RIGHT = (
    r"(?:\w+ (?:or|and) )?(?:appropriate|acceptable|ethical|okay|ok|justified|"
    r"justifiable|permissible|advisable|legal|fair|the answer|a solution)"
)
SCOLD = re.compile(
    rf"\b(?:don't|do not) (?:think|believe|feel) (?:it's|it is|that's) {_RIGHT}\b|"
    rf"(?:\b(?:is|are|was|be)|'s)(?: not| never|n't)(?: \w+ly)?(?: an?)? {_RIGHT}\b"
    rf"|\b(?:is|are|was)n't(?: \w+ly)?(?: an?)? {_RIGHT}\b"
    r"|\b(?:i|we) (?:strongly |firmly )?condemn\b"
)
"""Says that what was asked is not right."""

WRONG = re.compile(rf"\b(?:is|are|'s) (?:\w+ ){{0,3}}?{_WRONG}\b")
"""Calls something wrong: the request, or merely what it asks about."""

ADMONISH = re.compile(
    r"\b(?:important|crucial|essential|best|advisable) (?:to|that|for)\b"
    r"|\b(?:instead|respect|consent|(?:seek|reach out|consult|talk) (?:\w+ ){0,2}?"
    r"(?:help|to|with|professional))\b"
    r"|\b(?:i|we) (?:urge|encourage|advise|recommend|suggest)\b"
)
"""Says how one should behave instead."""

_OFFERS = (
    r"(?:\b(?:i|we)(?: can| could|'ll| will|'d| would)(?: \w+)? (?:tell|share|provide|"
    r"offer|give|explain|describe|say|show|clarify)\b"
    r"|\bhere(?:'s| is| are)\b|\bthe following\b)"
)
YIELDS = re.compile(
    rf"\b(?:but|however|that said|that being said|still|nevertheless),?"
    rf"(?: [\w']+,?){{0,6}}? ?{_OFFERS}"
)
"""Takes a refusal back; what it offers instead would not."""

HELPS = re.compile(rf"{_OFFERS}|\bfor example\b|\bfollow these\b|\bstep \d")
"""Goes on to do what was asked."""

ABOUT_KNOWING = re.compile(
    r"\b(?:sources?|documents?|documentation|contexts?|passages?|"
    r"enough (?:information|details?)|more (?:information|details?|context))\b"
)
"""Speaks of what is not known: an abstention, not a refusal."""
