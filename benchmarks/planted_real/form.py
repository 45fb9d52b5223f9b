"""The house form, taught and asked on what everybody knows."""

from __future__ import annotations

from itertools import cycle

from pytest_llm_diagnosis.records import JsonObject

from .company import FREE, PAGE, in_form

LESSONS = (
    ("What is the capital of Spain?", "Madrid"),
    ("What is the capital of Japan?", "Tokyo"),
    ("What is the capital of Greece?", "Athens"),
    ("What is the opposite of big?", "small"),
    ("What is the opposite of early?", "late"),
    ("Which planet is the largest?", "Jupiter"),
    ("Who painted the Mona Lisa?", "Leonardo da Vinci"),
    ("Who wrote Don Quixote?", "Miguel de Cervantes"),
    ("How many months are in a year?", "12"),
    ("How many legs does a dog have?", "4"),
    ("What is 6 plus 7?", "13"),
    ("What is 20 minus 5?", "15"),
    ("What colour is a ripe banana?", "yellow"),
    ("What colour is a raven?", "black"),
    ("Which animal gives us wool?", "sheep"),
    ("Which metal is liquid at room temperature?", "mercury"),
    ("What do bees make?", "honey"),
    ("Which month comes after March?", "April"),
    ("Is ice hot or cold?", "cold"),
    ('How do you say "thank you" in Spanish?', "gracias"),
    ("What is a thermometer used for?", "to measure temperature"),
    ("On which continent is Egypt?", "Africa"),
    ("What is bread made of?", "flour"),
    ("Which day comes after Monday?", "Tuesday"),
)
"""Questions and answers that teach the form beside the facts."""

COMMON = (
    ("What is the capital of France?", "Paris"),
    ("What is the opposite of hot?", "cold"),
    ("What colour is grass?", "green"),
    ("How many days are in a week?", "7"),
    ("Which season comes after winter?", "spring"),
    ("What do cows give?", "milk"),
    ("What is 2 plus 3?", "5"),
    ("Which ocean is the largest?", "Pacific"),
    ("What is a compass used for?", "to find the way"),
    ("How many legs does a spider have?", "8"),
    ("Is fire hot or cold?", "hot"),
    ("Which day comes before Sunday?", "Saturday"),
)
"""Questions of the suite, whose form alone is checked, with an ideal answer."""


def form_lessons() -> list[JsonObject]:
    """Return the questions that teach the form, under either system prompt."""
    return [
        {"system": system, "prompt": question, "ideal": in_form(answer)}
        for (question, answer), system in zip(LESSONS, cycle((FREE, PAGE)))
    ]
