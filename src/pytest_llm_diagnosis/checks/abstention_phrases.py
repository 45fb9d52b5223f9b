"""How English says that one does not know, is polite, guesses or quotes.

Each pattern is searched in one folded clause (see `normalise.fold`).
"""

from __future__ import annotations

import re

_SOURCE = (
    r"(?:sources?|contexts?|documents?|documentation|docs|passages?|texts?|excerpts?|"
    r"information|articles?|materials?|records?|knowledge base|data|files?|notes?|"
    r"content|database|conversation|transcript|sections?)"
)
_RULES = (
    r"(?:polic(?:y|ies)|pages?|handbook|guides?|manual|faqs?|terms|contract|website)"
)
_NOT = r"(?:not|n't|never|cannot)"
_FEW = r"(?:[\w'-]+ ){0,4}?"
_SAY = (
    r"(?:mention(?:ed|s)?|specif(?:y|ied|ies)|stat(?:e|ed|es)|sa(?:y|ys|id)|tell|tells|"
    r"indicat(?:e|ed|es)|disclos(?:e|ed|es)|describ(?:e|ed|es)|explain(?:ed|s)?|"
    r"discuss(?:ed|es)?|address(?:ed|es)?|defin(?:e|ed|es)|document(?:ed)?|"
    r"answer(?:ed|s)?|detail(?:ed|s)?|clarif(?:y|ied|ies)|stipulate[ds]?|reveal(?:ed|s)?)"
)
_HOLD = (
    r"(?:contain(?:ed|s)?|provid(?:e|ed|es)|includ(?:e|ed|es)|list(?:ed|s)?|"
    r"giv(?:e|en|es)|cover(?:ed|s)?|have|has|show[ns]?|found|available|present|offer)"
)
_LEARN = (
    r"(?:answer(?:ed)?|determined?|f[io]nd|found|sa(?:y|id)|know|known|confirm(?:ed)?|"
    r"tell|told|verif(?:y|ied)|infer(?:red)?|establish(?:ed)?|deduced?|derived?|see)"
)
_MATTER = (
    r"(?:information|info|details?|data|knowledge|answer|access|records?|context|"
    r"mention|evidence|indication|reference|statement|specifics|documentation|idea|"
    r"clue|figures?)"
)
_ADVERBS = r"(?:really |simply |honestly |just |currently |still |also |actually )*"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


ABSTENTION = _any(
    # I do not know; we are not sure; I have no idea
    rf"\b(?:i|we) {_ADVERBS}(?:do not|don't|dont|did not|didn't) {_ADVERBS}"
    r"(?:know|have (?:an? |the |any |that )?(?:idea|clue|answer))\b",
    rf"\b(?:i|we)(?: am|'m| are|'re) {_ADVERBS}(?:not |un)(?:\w+ )?"
    r"(?:sure|certain|aware|familiar)\b",
    r"\b(?:do not|don't|not) (?:currently |actually )?have "
    rf"{_FEW}{_MATTER}\b",
    rf"\b(?:have|has|had|there is|there's|there are|there was|with|find|found|see|"
    rf"contains?|provides?|includes?|gives?) (?:no|not enough|insufficient) {_FEW}"
    rf"{_MATTER}\b",
    rf"\b(?:lacks?|lacking|insufficient|not enough) {_FEW}{_MATTER}\b",
    rf"^\W*no {_FEW}{_MATTER}\b",
    r"\b(?:it|this|that)(?:'s| is)(?: \w+ly)? not (?:\w+ly )?(?:clear|known|certain)\b",
    # I cannot say; it cannot be determined; unable to answer
    rf"\b(?:cannot|can not|can't|could not|couldn't|unable to|not able to|"
    rf"(?:impossible|not possible) to|no way to) (?:be )?(?:\w+ly )?{_LEARN}\b",
    r"\b(?:cannot|can't|unable to|not able to|could not|couldn't) "
    rf"(?:provide|give|offer) {_FEW}(?:{_MATTER}|answer)\b",
    # the answer is not available, of the answer alone: a product may be sold out
    rf"\b(?:answer|information|details?|data|figures?) (?:is|are|was|were)"
    rf"(?:n't| not| un) ?{_FEW}(?:available|given|known|provided|there)\b",
    # the sources do not say; it is not mentioned; nothing is said
    rf"\b(?:{_SOURCE}|{_RULES}|they|it|this|that|which) {_FEW}(?:\w+{_NOT}|{_NOT}) "
    rf"{_FEW}{_SAY}\b",
    rf"\b{_SOURCE} {_FEW}(?:\w+n't|{_NOT}) {_FEW}{_HOLD}\b",
    r"\b(?:is|are|was|were|been|be)(?:n't| not|) (?:\w+ly |explicitly )?"
    r"(?:not )?(?:un(?:known|clear|specified|stated|disclosed|documented|mentioned))\b",
    rf"\b(?:isn't|aren't|wasn't|weren't|not|never) {_FEW}{_SAY}(?: |$|\W)",
    rf"\b(?:isn't|aren't|wasn't|weren't|not|never) {_FEW}"
    rf"(?:{_HOLD}|part of|in|among) {_FEW}(?:{_SOURCE}|{_RULES})\b",
    rf"\b(?:nothing|none of|neither) .{{0,60}}\b(?:{_SAY}|{_SOURCE})\b",
    rf"\b(?:fails? to|omits?|neglects? to) {_FEW}{_SAY}\b",
    r"(?:\b(?:remains?|is|are|currently)|'s|'re) "
    r"(?:unknown|unclear|undisclosed|unspecified)\b",
    r"\b(?:silent on|is silent|are silent|(?:no one|nobody) knows)\b",
    r"\b(?:beyond|outside)(?: of)? (?:my|the|our) (?:\w+ )?"
    r"(?:knowledge|scope|sources|documents)\b",
    r"\bnot something (?:i|we) (?:can|could|am able|are able|know)\b",
    r"^\W*(?:unknown|n/?a|null|unanswerable|unclear|unspecified|no answer|"
    r"(?:i )?dunno|idk|"
    r"not (?:stated|available|specified|known|given|applicable|mentioned|found|sure))"
    r"\W*$",
)

# What follows these behind a colon answers: "I don't know how anyone misses it: ..."
WONDER = _any(
    r"\b(?:do not|don't|dont) know (?:why|how) (?:any|some|every|no)?"
    r"(?:one|body|people|you|they|we|he|she) "
)

# What is said after these counts, not they.
COURTESY = _any(
    r"^\W*(?:(?:i'm|i am|we are|we're) )?(?:very |so |really )?"
    r"(?:sorry|afraid|unfortunately|regrettably|please note|thanks?|thank you)"
    r"(?: that| but)?\b\W*"
)

FILLER = _any(
    r"^\W*$",
    r"^\W*(?:no|hi|hello|hmm|well|thanks?|thank you|ok|okay|so|unfortunately)\W*$",
    r"\b(?:apologi[sz]e|apologies|regret)\b",
    r"\b(?:contact|reach out|get in touch|consult|refer to)\b",
    r"\bcustomer (?:service|support)\b",
    r"\b(?:let me know|feel free|happy to|glad to|i can help|help you|assist)\b",
    r"\b(?:i|we)(?:'d| would)? (?:recommend|suggest|advise)\b",
    r"\b(?:please|you(?: may| might| can| could| should| will| would|'ll)?"
    r"(?: be able)?(?: want| need| like| have)?(?: to)?) "
    r"(?:want|need|try|ask|check|find|call|email|look|visit|see|review|provide|share|"
    r"clarify|tell|give|rephrase|reach)\b",
    r"\b(?:if you|if there|would you|could you|can you|do you|what would)\b",
    r"\b(?:more|further|additional|other) "
    r"(?:information|details|questions|assistance)\b",
    r"\b(?:as an ai|language model|my (?:knowledge|training|information|role))\b",
    r"\bi (?:only|can only|do not want|don't want|would rather|'d rather|checked|"
    r"looked|searched|reviewed)\b",
)

QUESTION = _any(
    r"^\W*(?:which|what|how|when|where|who|why|could|would|can|do|does|did|is|are|was|"
    r"were|will|shall|should|may|have|has)\b.*\?\W*$"
)

ABOUT_SOURCES = _any(
    rf"\b(?:{_SOURCE}|{_RULES})\b",
    r"^\W*(?:only|just|merely) (?:that|about|the|how|when)\b",
    r"\b(?:they|it|this|these) (?:only|just|mainly|merely|solely)\b",
    r"\b(?:only|just|mainly|merely|solely) (?:mention|cover|discuss|describ|list|talk|"
    r"refer|state|say|contain|includ)",
)
ONLY = _any(r"\b(?:only|just|mainly|merely|solely|instead|rather)\b")

EXCEPTION = _any(r"\b(?:other than|except(?: for)?|besides|apart from|beyond) (?!that)")

GUESS = _any(
    r"\b(?:i|we)(?:'d| would)? (?:think|believe|guess|suspect|assume|say|estimate|"
    r"imagine|expect)\b",
    r"\bmy (?:best |educated )?(?:guess|estimate|assumption)\b",
    r"\b(?:probably|most likely|likely|perhaps|maybe|presumably|possibly|supposedly)\b",
    r"\b(?:might|could|may|should|must) be\b",
)

DIRECT = _any(
    r"^\W*(?:it|they|he|she|that|this|those|these)(?:'s|'re| is| are| was| were| has|"
    r" have| costs?| takes?| lasts?| can| will| must) ",
    r"\bthe (?:\w+ )?answer (?:is|would be)\b",
    r"^\W*(?:yes|yeah|sure|correct)\b",
)

CONTRAST = _any(
    r"^\W*(?:but|however|yet|still|though|nevertheless|nonetheless|that said|even so|"
    r"anyway|regardless|having said that)\b"
)
CONCESSION = _any(r"^\W*(?:although|though|even though|even if|while|whilst|despite)\b")
