"""Variants files: extends, kinds, files, variables, and selections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_files import UNTIMED, shown, write
from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.records import (
    Application,
    Endpoint,
    Examples,
    Retrieve,
    Variant,
)
from pytest_llm_diagnosis.source import MapNode, parse
from pytest_llm_diagnosis.variants import (
    VariantsFile,
    find_variants_file,
    load_variants,
    resolve_selection,
)
from pytest_llm_diagnosis.variants.extending import Chains
from pytest_llm_diagnosis.variants.outlining import Layer

PATH = Path("llm_variants.yaml")
HERE = Location(path=PATH)


def load(
    folder: Path,
    text: str,
    environment: Mapping[str, str] | None = None,
    selection: str | None = "all",
) -> VariantsFile:
    """Load a variants file; without an environment as for a replay."""
    path = folder / "llm_variants.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load_variants(
        path,
        folder,
        environment or {},
        live=environment is not None,
        selection=selection,
    )


def variant(folder: Path, keys: str) -> Variant:
    """Return one variant with a model and these keys."""
    return load(folder, f"variants: {{v: {{model: m, {keys}}}}}").variants["v"]


def told(
    folder: Path, text: str, environment: Mapping[str, str] | None = None
) -> list[str]:
    """Return what is wrong with a variants file."""
    with pytest.raises(InputError) as caught:
        load(folder, text, environment)
    return shown(folder, caught.value)


DESIGN = """\
    default: base
    variants:
      base: {model: openai/smollm2, api_base: "${URL}", params: {temperature: 0, n: 1}}
      instructed: {extends: base, system: prompts/house_style.md}
      few_shot: {extends: base, examples: 3}
      rag: {extends: base, retrieve: {documents: "docs/**/*.md", top_k: 2}}
      long_context: {extends: base, context: "docs/**/*.md"}
      tuned: {extends: base, model: openai/smollm2-house, params: {n: 2}}
      tuned_rag: {extends: rag, model: openai/smollm2-house}
      app: {call: "northwind.assistant:answer"}
    """


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Make the files that the design's example names."""
    write(
        tmp_path,
        prompts__house_style_md="",
        docs__b_md="# B\ntwo\n",
        docs__a_md="# A\none\n",
        docs__sub__c_md="# C\nthree\n",
    )
    (tmp_path / "prompts" / "house_style.md").write_text("Be brief.\n")
    return tmp_path


def test_the_file_of_the_design(company: Path) -> None:
    """Every variant has its kind, and what it takes over."""
    file = load(company, DESIGN, {"URL": "http://127.0.0.1:9"})
    assert file.default == "base"
    assert {name: one.kind for name, one in file.variants.items()} == {
        "base": "prompt",
        "instructed": "prompt",
        "few_shot": "examples",
        "rag": "retrieval",
        "long_context": "long_context",
        "tuned": "weights",
        "tuned_rag": "weights",
        "app": "app",
    }
    base = file.variants["base"]
    assert base.written == Endpoint(
        model="openai/smollm2", api_base="${URL}", params={"temperature": 0, "n": 1}
    )
    assert base.live == Endpoint(
        model="openai/smollm2",
        api_base="http://127.0.0.1:9",
        params={"temperature": 0, "n": 1},
    )
    assert base.location.line == 3
    assert file.variants["instructed"].system == "Be brief."
    assert file.variants["few_shot"].examples == Examples(count=3)
    tuned = file.variants["tuned"].live
    assert tuned is not None
    assert tuned.params == {"temperature": 0, "n": 2}
    assert tuned.api_base == "http://127.0.0.1:9"
    assert file.variants["tuned_rag"].retrieve == file.variants["rag"].retrieve
    app = file.variants["app"]
    assert app.call == "northwind.assistant:answer"
    assert (app.written, app.live) == (None, None)


def test_documents_are_found_and_sorted(company: Path) -> None:
    """A pattern names files in the order of their paths, links resolved."""
    documents = (
        company / "docs" / "a.md",
        company / "docs" / "b.md",
        company / "docs" / "sub" / "c.md",
    )
    found = variant(company, "retrieve: {documents: 'docs/**/*.md', top_k: 2}")
    assert found.retrieve == Retrieve(documents=documents, top_k=2)
    found = variant(company, "retrieve: {documents: [docs/b.md, docs/*.md]}")
    assert found.retrieve == Retrieve(documents=documents[:2], top_k=3)


def test_a_context_names_its_files(company: Path) -> None:
    """The whole corpus stands below the path of each file."""
    assert variant(company, "context: 'docs/**/*.md'").context == (
        "# docs/a.md\n\n# A\none\n\n# docs/b.md\n\n# B\ntwo\n\n"
        "# docs/sub/c.md\n\n# C\nthree"
    )


def test_examples_from_a_file(tmp_path: Path) -> None:
    """Pairs become turns of user and assistant."""
    write(tmp_path, shots_yaml="- {prompt: a, ideal: b}\n- {prompt: c, ideal: d}\n")
    assert variant(tmp_path, "examples: shots.yaml").examples == Examples(
        count=2,
        messages=(
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
            {"role": "assistant", "content": "d"},
        ),
    )
    assert variant(tmp_path, "examples: 0").examples is None


def test_other_keys(tmp_path: Path) -> None:
    """Revision may be a number; a script is a file; a key is never shown."""
    found = variant(tmp_path, "revision: 2, max_concurrency: 4, api_key: '${KEY}'")
    assert (found.revision, found.max_concurrency) == ("2", 4)
    write(tmp_path, answers_yaml="rules: []")
    scripted = load(tmp_path, "variants: {v: {script: answers.yaml}}").variants["v"]
    assert scripted.script == tmp_path / "answers.yaml"
    assert scripted.written is None
    live = load(
        tmp_path, "variants: {v: {model: m, api_key: '${K}'}}", {"K": "sk-secret"}
    ).variants["v"]
    assert live.live is not None
    assert live.live.api_key == "sk-secret"
    assert "sk-secret" not in repr(live)


def test_a_lane_is_a_way_to_an_endpoint(tmp_path: Path) -> None:
    """It is inherited with the endpoint, and means nothing without one."""
    text = """\
        variants:
          b: {model: m, lane: litellm}
          v: {extends: b, model: n}
          app: {extends: b, call: "a:b"}
        """
    found = load(tmp_path, text).variants
    lanes = {name: one.lane for name, one in found.items()}
    assert lanes == {"b": "litellm", "v": "litellm", "app": None}
    assert variant(tmp_path, "revision: 2").lane is None
    assert told(tmp_path, "variants: {v: {call: 'a:b', lane: direct}}") == [
        "llm_variants.yaml:1: 'lane' and 'call' are both given",
        "  a lane is a way to a model's endpoint",
    ]


# -- extends ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "kind"),
    [
        ("v: {model: m}", "prompt"),
        ("v: {model: m, system: s}", "prompt"),
        ("v: {model: m, retrieve: {documents: d.md}}", "retrieval"),
        ("v: {model: m, context: d.md, examples: 2}", "long_context"),
        ("v: {model: m, retrieve: {documents: d.md}, context: d.md}", "retrieval"),
        ("b: {model: m}, v: {extends: b, model: m}", "prompt"),
        ("b: {model: m}, v: {extends: b, model: n, examples: 2}", "weights"),
        ("b: {model: m, examples: 2}, v: {extends: b, params: {}}", "examples"),
        ("b: {model: m, examples: 2}, v: {extends: b, system: s}", "prompt"),
        ("b: {model: m}, v: {extends: b, examples: 0}", "prompt"),
        ("b: {model: m}, v: {extends: b, call: 'a:b'}", "app"),
        ("v: {model: m, kind: weights}", "weights"),
        ("b: {model: m, kind: weights}, v: {extends: b, revision: x}", "weights"),
        ("b: {model: m, kind: weights}, v: {extends: b, examples: 2}", "examples"),
        ("a: {model: m}, b: {extends: a, model: n}, v: {extends: b}", "weights"),
    ],
)
def test_the_kind_is_what_the_nearest_layer_gives(
    tmp_path: Path, layers: str, kind: str
) -> None:
    """What a variant adds to the one it extends decides, unless it is stated."""
    write(tmp_path, d_md="# D\nx\n")
    assert load(tmp_path, f"variants: {{{layers}}}").variants["v"].kind == kind


def test_the_nearest_value_wins(tmp_path: Path) -> None:
    """Along a chain the nearest value of a key holds; params merge through."""
    found = load(
        tmp_path,
        """\
        variants:
          c: {extends: b, params: {x: 3}}
          b: {extends: a, params: {y: 2}, system: b}
          a: {model: m, params: {x: 1, z: 1}, system: a, revision: r}
        """,
    ).variants["c"]
    assert found.written == Endpoint(model="m", params={"x": 3, "y": 2, "z": 1})
    assert (found.system, found.revision) == ("b", "r")


def test_a_call_drops_the_inherited_model(tmp_path: Path) -> None:
    """And a model an inherited call, so that one thing is asked."""
    found = load(
        tmp_path,
        """\
        variants:
          base: {model: m, api_base: u, params: {x: 1}, system: s}
          app:
            extends: base
            call: a.b:c
          back: {extends: app, model: n}
        """,
    ).variants
    assert (found["app"].call, found["app"].written) == ("a.b:c", None)
    assert found["app"].system == "s"
    assert found["app"].location.line == 5
    assert (found["back"].call, found["back"].written) == (None, Endpoint(model="n"))


REMOTE = """\
    variants:
      app:
        call: "${APP_URL}/answer"
        headers: {Authorization: "Bearer ${TOKEN}", X-Team: shop}
        params: {tenant: "${TENANT}", depth: 1}
      deep: {extends: app, params: {depth: 2}, headers: {X-Team: test}}
      local: {extends: app, call: "a:b"}
      model: {extends: app, model: m}
"""
SET = {"APP_URL": "http://127.0.0.1:9", "TOKEN": "t", "TENANT": "north"}


def test_a_remote_application_is_filled_in(tmp_path: Path) -> None:
    """Its URL, headers and params; as written it goes into keys."""
    found = load(tmp_path, REMOTE, SET, selection="deep").variants
    deep = found["deep"]
    assert deep.live_app == Application(
        target="http://127.0.0.1:9/answer",
        headers={"Authorization": "Bearer t", "X-Team": "test"},
        params={"tenant": "north", "depth": 2},
    )
    assert (deep.call, deep.kind, deep.is_remote) == ("${APP_URL}/answer", "app", True)
    assert deep.headers["Authorization"] == "Bearer ${TOKEN}"
    assert deep.params == {"tenant": "${TENANT}", "depth": 2}
    assert found["app"].live_app is None


def test_headers_stay_with_their_url(tmp_path: Path) -> None:
    """A token is for the URL that it stands beside; params are taken over."""
    found = load(tmp_path, REMOTE, SET, selection="local").variants
    assert found["local"].headers == {}
    assert found["local"].live_app == Application(
        target="a:b", params={"tenant": "north", "depth": 1}
    )
    assert found["model"].headers == {}
    assert found["model"].params == {}
    assert found["model"].written is not None


@pytest.mark.parametrize(
    ("url", "lines"),
    [
        (
            "localhost:8000",
            [
                (
                    "llm_variants.yaml:3: 'call' must be a URL, but "
                    "'${APP_URL}/answer' does not begin with http:// or https://"
                ),
                (
                    "  like http://127.0.0.1:8000/answer; its variables were filled in "
                    "from the environment"
                ),
            ],
        ),
        (
            "",
            [
                "llm_variants.yaml:3: the variable 'APP_URL' is not set",
                "  set it: export APP_URL=...",
            ],
        ),
    ],
)
def test_a_url_from_the_environment_is_looked_at(
    tmp_path: Path, url: str, lines: list[str]
) -> None:
    """What is wrong with it is said without showing what the variable holds."""
    text = 'variants:\n  app:\n    call: "${APP_URL}/answer"\n'
    assert told(tmp_path, text, {"APP_URL": url}) == lines
    assert told_nothing(tmp_path, text)


def told_nothing(folder: Path, text: str) -> bool:
    """Whether a file is right as long as nothing is called."""
    return bool(load(folder, text).variants)


NAMES = ["a", "b", "c", "d", "e"]


@UNTIMED
@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES), max_size=5))
def test_any_graph_of_extends_ends(parents: dict[str, str]) -> None:
    """A chain either reaches its root or is reported; circles are told once."""
    layers = {}
    for name in NAMES:
        text = f"{{extends: {parents[name]}}}" if name in parents else "{model: m}"
        node = parse(text, PATH)
        assert isinstance(node, MapNode)
        layers[name] = Layer(name, HERE, node, frozenset())
    told_of: dict[frozenset[str], str] = {}
    for name in NAMES:
        seen = [name]
        while seen[-1] in parents and parents[seen[-1]] not in seen:
            seen.append(parents[seen[-1]])
        if seen[-1] not in parents:
            assert Chains(layers, PATH).merged(name).node["model"] == "m"
            continue
        circle = frozenset(seen[seen.index(parents[seen[-1]]) :])
        with pytest.raises(InputError) as caught:
            Chains(layers, PATH).merged(name)
        (problem,) = caught.value.problems
        assert told_of.setdefault(circle, problem.finding) == problem.finding


# -- variables ----------------------------------------------------------------


def test_variables_are_filled_wherever_text_stands(tmp_path: Path) -> None:
    """Model, address, key and nested settings; `written` keeps the names."""
    text = """\
        variants:
          v:
            model: openai/${MODEL}
            api_base: http://${HOST}:${PORT}/v1
            params: {headers: ["${HOST}", {x: "${PORT}"}], n: 1}
            system: ${MODEL} stays
        """
    found = load(tmp_path, text, {"MODEL": "m", "HOST": "h", "PORT": "1"}).variants["v"]
    assert found.live == Endpoint(
        model="openai/m",
        api_base="http://h:1/v1",
        params={"headers": ["h", {"x": "1"}], "n": 1},
    )
    assert found.written is not None
    assert found.written.api_base == "http://${HOST}:${PORT}/v1"
    assert found.system == "${MODEL} stays"


def test_a_replay_needs_no_variable(company: Path) -> None:
    """Recorded answers are replayed without keys and without addresses."""
    file = load(company, DESIGN)
    assert all(one.live is None for one in file.variants.values())


def test_only_chosen_variants_need_their_variables(tmp_path: Path) -> None:
    """Whoever has one provider's key can run that provider's variants."""
    text = """\
        default: a
        variants:
          a: {model: m, api_key: "${A}"}
          b: {model: m, api_key: "${B}"}
        """
    for selection in ("a", None, "a,a", "nonsense,a"):
        found = load(tmp_path, text, {"A": "x"}, selection).variants
        assert found["b"].live is None
    with pytest.raises(InputError, match=":4: the variable 'B' is not set"):
        load(tmp_path, text, {"A": "x"}, "all")


# -- what is wrong ------------------------------------------------------------


@pytest.mark.parametrize(
    ("variants", "lines"),
    [
        (
            "v: {extends: bas}\n  base: {model: m}",
            [
                "2: 'extends' names an unknown variant 'bas'",
                "  did you mean 'base'? variants: v, base",
            ],
        ),
        (
            "a: {extends: b}\n  b: {extends: c}\n  c: {extends: b}",
            ["3: 'extends' goes in a circle: b -> c -> b"],
        ),
        ("a: {extends: a}", ["2: 'extends' goes in a circle: a -> a"]),
        (
            "v: {system: s}",
            [
                "2: variant 'v' has nothing to ask",
                "  give it 'model' or 'call', or let it extend a variant that has one",
            ],
        ),
        (
            "v: {model: m, call: 'a:b'}",
            [
                "2: 'model' and 'call' are both given",
                "  a variant asks one of them",
            ],
        ),
        (
            "v: {call: northwind.answer}",
            [
                "2: 'call' must be module:attribute, got 'northwind.answer'",
                (
                    "  like northwind.assistant:answer, or a URL like "
                    "http://127.0.0.1:8000/answer"
                ),
            ],
        ),
        (
            "v: {call: 'ftp://host/answer'}",
            [
                "2: 'call' must be module:attribute, got 'ftp://host/answer'",
                (
                    "  like northwind.assistant:answer, or a URL like "
                    "http://127.0.0.1:8000/answer"
                ),
            ],
        ),
        (
            "v: {call: 'http:///answer'}",
            [
                (
                    "2: 'call' must be a URL, but 'http:///answer' names no host that "
                    "can be asked"
                ),
                "  like http://127.0.0.1:8000/answer",
            ],
        ),
        (
            "v: {call: 'http://me:pass@host/answer'}",
            [
                (
                    "2: 'call' must be a URL, but 'http://me:pass@host/answer' holds a "
                    "user's name; send it in 'headers'"
                ),
            ],
        ),
        (
            "v: {call: 'http://host:99999/answer'}",
            [
                (
                    "2: 'call' must be a URL, but 'http://host:99999/answer' is none: "
                    "Port out of range 0-65535"
                ),
            ],
        ),
        (
            "v: {call: 'a:b', headers: {X-A: b}}",
            [
                "2: 'headers' go with a 'call' that is a URL",
                "  a model takes them as params: {extra_headers: {...}}",
            ],
        ),
        (
            "v: {call: 'http://host/', headers: {'X A': b}}",
            [
                "2: the header 'X A' cannot be sent",
                "  a name is one word, a value is one line of text",
            ],
        ),
        (
            'v: {call: "http://host/", headers: {X-A: "b\\nc"}}',
            ["2: the header 'X-A' cannot be sent"],
        ),
        (
            "v: {call: 'http://host/', headers: {Content-Type: x}}",
            ["2: the header 'Content-Type' is set by what is sent", "  leave it out"],
        ),
        (
            "v: {model: m, context: 'dcs/*.md'}",
            [
                "2: no file matches 'dcs/*.md'",
                "  patterns are relative to the folder of this file",
            ],
        ),
        (
            "v: {model: m, retrieve: {documents: /etc/*}}",
            ["2: '/etc/*' leads out of the root folder"],
        ),
        (
            "v: {model: m, context: '../*'}",
            ["2: '../*' leads out of the root folder"],
        ),
        (
            "v: {model: m, system: missing.md}",
            ["2: system file 'missing.md' does not exist"],
        ),
        (
            "v: {model: m, examples: missing.yaml}",
            ["2: examples file 'missing.yaml' does not exist"],
        ),
        (
            "v: {script: missing.yaml}",
            ["2: script file 'missing.yaml' does not exist"],
        ),
        ("v: {modle: m}", ["2: unknown key 'modle' in 'v'"]),
        ("v: {model: 5}", ["2: 'model' in 'v' must be text, got 5"]),
        ("v: text", ["2: 'v' in 'variants' must be a mapping, got 'text'"]),
        (
            "all: {model: m}",
            ["2: a variant cannot be named 'all'", "  'all' means every variant"],
        ),
        ("a/b: {model: m}", ["2: a variant cannot be named 'a/b'"]),
        ("'': {model: m}", ["2: a variant cannot be named ''"]),
    ],
)
def test_what_is_wrong(tmp_path: Path, variants: str, lines: list[str]) -> None:
    """Each finding names the line, and what would be right."""
    write(tmp_path, outside_md="x")
    root = tmp_path / "root"
    root.mkdir()
    found = told(root, f"variants:\n  {variants}\n")
    assert found[: len(lines)] == [f"llm_variants.yaml:{lines[0]}", *lines[1:]]
    assert sum(not line.startswith(" ") for line in found) == 1


@pytest.mark.parametrize(
    ("api_base", "lines"),
    [
        (
            "${URLS}",
            ["2: the variable 'URLS' is not set", "  did you mean 'URL'?"],
        ),
        (
            "${ZZZZZZ}",
            ["2: the variable 'ZZZZZZ' is not set", "  set it: export ZZZZZZ=..."],
        ),
        ("${EMPTY}", ["2: the variable 'EMPTY' is not set"]),
        ("${A-B}", ["2: '${A-B}' does not name a variable"]),
        ("${}", ["2: '${}' does not name a variable"]),
    ],
)
def test_an_unset_variable_is_told_once(
    tmp_path: Path, api_base: str, lines: list[str]
) -> None:
    """The line that names it, however many variants extend it; never a value."""
    text = (
        f'variants:\n  a: {{model: m, api_base: "{api_base}"}}\n  b: {{extends: a}}\n'
    )
    found = told(tmp_path, text, {"URL": "secret", "EMPTY": ""})
    assert found[: len(lines)] == [f"llm_variants.yaml:{lines[0]}", *lines[1:]]
    assert sum(not line.startswith(" ") for line in found) == 1
    assert "secret" not in "\n".join(found)


def test_all_problems_of_a_file_are_told(tmp_path: Path) -> None:
    """One run of pytest shows everything there is to mend."""
    text = """\
        default: bse
        variants:
          base: {model: m, modle: x, api_base: "${NOPE}"}
          rag: {extends: base, retrieve: {documents: no.md}, system: no.md}
          loop: {extends: loop}
          lost: {extends: bas}
        other: 1
        """
    found = told(tmp_path, text, {})
    assert [line.split(": ", 1)[1] for line in found if line[0] != " "] == [
        "unknown variant 'bse'",
        "unknown key 'modle' in 'base'",
        "the variable 'NOPE' is not set",
        "no file matches 'no.md'",
        "system file 'no.md' does not exist",
        "'extends' goes in a circle: loop -> loop",
        "'extends' names an unknown variant 'bas'",
        "unknown key 'other'",
    ]


def test_a_broken_examples_file_is_told_at_its_own_line(tmp_path: Path) -> None:
    """The problem is in that file, not in the variants file."""
    write(tmp_path, shots_yaml="- prompt: a\n- {prompt: b, ideal: c}\n")
    assert told(tmp_path, "variants: {v: {model: m, examples: shots.yaml}}") == [
        "shots.yaml:1: item 1 has no 'ideal'"
    ]


# -- selections and places ----------------------------------------------------


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ("all", ("base", "rag", "app")),
        (" all ", ("base", "rag", "app")),
        ("rag", ("rag",)),
        ("rag,base", ("rag", "base")),
        (" rag , base, rag,", ("rag", "base")),
        (None, ("rag", "base")),
    ],
)
def test_selections(tmp_path: Path, selection: str | None, names: tuple[str]) -> None:
    """Names in the order asked for, once each; `all` in the file's order."""
    file = load(
        tmp_path,
        "default: rag,base\n"
        "variants: {base: {model: m}, rag: {model: m}, app: {call: 'a:b'}}",
    )
    assert resolve_selection(selection, file) == names


def test_no_default_selects_nothing(tmp_path: Path) -> None:
    """Without a choice nothing is called and nothing costs."""
    file = load(tmp_path, "variants: {base: {model: m}}")
    assert resolve_selection(None, file) == ()


@pytest.mark.parametrize("selection", ["rga,nope", "rga, nope ,base"])
def test_unknown_names_are_answered_with_the_list(
    tmp_path: Path, selection: str
) -> None:
    """All unknown names at once, each with the nearest."""
    file = load(tmp_path, "variants: {base: {model: m}, rag: {model: m}}")
    with pytest.raises(InputError) as caught:
        resolve_selection(selection, file)
    assert shown(tmp_path, caught.value) == [
        "llm_variants.yaml:1: unknown variant 'rga'",
        "  did you mean 'rag'? variants: base, rag, all",
        "llm_variants.yaml:1: unknown variant 'nope'",
        "  variants: base, rag, all",
    ]


@pytest.mark.parametrize("selection", ["", " ", ","])
def test_an_empty_selection_is_a_mistake(tmp_path: Path, selection: str) -> None:
    """It is not silently nothing."""
    file = load(tmp_path, "variants: {base: {model: m}}")
    with pytest.raises(InputError, match="unknown variant"):
        resolve_selection(selection, file)


def test_the_nearest_file_upwards_is_found(tmp_path: Path) -> None:
    """From the eval file's folder to the root, and never above it."""
    root = tmp_path / "root"
    folder = root / "a" / "b"
    folder.mkdir(parents=True)
    eval_path = folder / "x.eval.yaml"
    (tmp_path / "llm_variants.yaml").write_text("")
    assert find_variants_file(eval_path, root) is None
    (root / "llm_variants.yaml").write_text("")
    assert find_variants_file(eval_path, root) == root / "llm_variants.yaml"
    (root / "a" / "llm_variants.yaml").write_text("")
    assert find_variants_file(eval_path, root) == root / "a" / "llm_variants.yaml"
    (folder / "llm_variants.yaml").mkdir()
    assert find_variants_file(eval_path, root) == root / "a" / "llm_variants.yaml"
    assert find_variants_file(eval_path, root, "other.yaml") is None
    assert find_variants_file(tmp_path / "x.eval.yaml", root) is not None
