"""Providers of a config to variants, by litellm's names for the same models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Json, JsonObject

from .values import KeptError, Names, entries, listed, said

APPLICATION = "application:answer"
"""What an imported custom provider calls, until its author writes it."""

# What stands before the model's name, at promptfoo and at litellm.
_NAMES: Mapping[str, str] = {
    "openai": "openai",
    "openai:chat": "openai",
    "openai:completion": "text-completion-openai",
    "openai:responses": "openai/responses",
    "azure:chat": "azure",
    "azure:completion": "azure",
    "azureopenai:chat": "azure",
    "anthropic": "anthropic",
    "anthropic:messages": "anthropic",
    "bedrock": "bedrock",
    "google": "gemini",
    "vertex": "vertex_ai",
    "mistral": "mistral",
    "cohere": "cohere_chat",
    "groq": "groq",
    "xai": "xai",
    "deepseek": "deepseek",
    "perplexity": "perplexity",
    "openrouter": "openrouter",
    "togetherai": "together_ai",
    "fireworks": "fireworks_ai",
    "cerebras": "cerebras",
    "databricks": "databricks",
    "watsonx": "watsonx",
    "sagemaker": "sagemaker",
    "replicate": "replicate",
    "huggingface:text-generation": "huggingface",
    "huggingface:chat": "huggingface",
    "ollama": "ollama",
    "ollama:chat": "ollama_chat",
    "ollama:completion": "ollama",
    "hyperbolic": "hyperbolic",
    "nscale": "nscale",
    "aimlapi:chat": "aiml",
    "aimlapi": "aiml",
    "cometapi:chat": "cometapi",
    "cometapi": "cometapi",
    "github": "github",
    "litellm": "",
}
_NOT_TEXT = re.compile(
    r":(?:image|embedding|embeddings|realtime|live|moderation|audio|speech|"
    r"transcription|video|nova-sonic|token-classification|agents?|assistant|kb)\b"
)
_CUSTOM = re.compile(r"(?:file|package|https?|wss?|exec|python|golang|ruby|mcp)\b:?")
_PARAMS: Mapping[str, str] = {
    "temperature": "temperature",
    "max_tokens": "max_tokens",
    "maxOutputTokens": "max_tokens",
    "max_completion_tokens": "max_completion_tokens",
    "max_output_tokens": "max_tokens",
    "top_p": "top_p",
    "topP": "top_p",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "seed": "seed",
    "stop": "stop",
    "response_format": "response_format",
    "tool_choice": "tool_choice",
    "reasoning_effort": "reasoning_effort",
}
_BASES = ("apiBaseUrl", "api_base", "baseUrl", "apiHost")
_ENVIRONMENT = re.compile(r"\{\{\s*env\.(\w+)\s*\}\}|\$\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A variant with what could not be said of it; without keys it is a comment."""

    name: str
    written: str
    keys: JsonObject
    notes: tuple[str, ...] = ()
    tools: tuple[JsonObject, ...] = ()


def providers_of(config: JsonObject) -> list[Provider]:
    """Return the providers (or targets) of a config, each under its own name."""
    names = Names()
    given = config.get("providers", config.get("targets"))
    return [_provider(item, names) for item in listed(given)]


def _provider(item: Json, names: Names) -> Provider:
    identifier, options = _read(item)
    label = said(options.get("label") or identifier.split("/")[-1])
    name = names.unique(_variant_name(label))
    notes: list[str] = []
    try:
        keys = _keys(identifier, entries(options.get("config")), notes)
    except KeptError as reason:
        keys, notes = {}, [str(reason)]
    if "prompts" in options:
        asked = ", ".join(map(said, listed(options["prompts"])))
        notes.append(f"promptfoo asks it these prompts alone: {asked}")
    notes += [f"{key} is not kept" for key in ("transform", "env") if key in options]
    return Provider(
        name=name,
        written=identifier,
        keys=keys,
        notes=tuple(notes),
        tools=tuple(_tools(entries(options.get("config")))),
    )


def _read(item: Json) -> tuple[str, JsonObject]:
    """Return the id and the options; an old form maps the one to the other."""
    given = entries(item)
    if not given:
        return said(item), {}
    if "id" in given:
        return said(given["id"]), given
    identifier = next(iter(given))
    return identifier, entries(given[identifier])


def _variant_name(label: str) -> str:
    name = re.sub(r"[^\w.+-]+", "-", label, flags=re.ASCII).strip("-.+")
    # 'all' means every variant.
    return f"model-{name}" if name == "all" else name or "model"


def _keys(identifier: str, config: JsonObject, notes: list[str]) -> JsonObject:
    if _CUSTOM.match(identifier):
        notes.append(f"write {APPLICATION}, which answers as {identifier} does")
        return {"call": APPLICATION}
    keys: dict[str, Json] = {"model": model_name(identifier)}
    base = next((config[key] for key in _BASES if config.get(key)), None)
    if base is not None:
        url = _environment(said(base))
        keys["api_base"] = url if "://" in url or url[0] == "$" else f"https://{url}"
    key = _key(config, notes)
    if key:
        keys["api_key"] = key
    params = {ours: config[key] for key, ours in _PARAMS.items() if key in config}
    params = {key: value for key, value in params.items() if not _is_file(value)}
    if params:
        keys["params"] = params
    kept = {*_PARAMS, *_BASES, "apiKey", "apiKeyEnvar"}
    lost = sorted(key for key in config if key not in kept or _is_file(config[key]))
    lost = [key for key in lost if key != "tools" or not list(_tools(config))]
    if lost:
        notes.append(f"not kept: {', '.join(lost)}")
    return keys


def model_name(identifier: str) -> str:
    """Return litellm's name of a provider's model.

    Raises `KeptError` where it answers with no text, or litellm has no such.
    """
    if _NOT_TEXT.search(identifier):
        raise KeptError("it does not answer a prompt with text")
    parts = identifier.split(":")
    for length in (2, 1):
        head, rest = ":".join(parts[:length]), ":".join(parts[length:])
        if head in _NAMES and rest:
            return f"{_NAMES[head]}/{rest}".removeprefix("/")
    raise KeptError("no model of litellm is known to be the same")


def _key(config: JsonObject, notes: list[str]) -> str:
    written = said(config.get("apiKey", ""))
    if written:
        filled = _environment(written)
        if re.fullmatch(r"\$\{\w+\}", filled):
            return filled
        notes.append("the key stood in the config and is left out: name a variable")
        return ""
    variable = said(config.get("apiKeyEnvar", ""))
    return f"${{{variable}}}" if re.fullmatch(r"\w+", variable) else ""


def _environment(text: str) -> str:
    return _ENVIRONMENT.sub(lambda found: f"${{{found[1] or found[2]}}}", text)


def _is_file(value: Json) -> bool:
    return "file://" in said(value)


def _tools(config: JsonObject) -> list[JsonObject]:
    """Return the tools that are written as OpenAI's chat completions take them."""
    tools = [entries(tool) for tool in listed(config.get("tools"))]
    fit = all(
        tool.get("type") == "function"
        and isinstance(entries(tool.get("function")).get("name"), str)
        for tool in tools
    )
    return tools if fit else []


def tool_names(tools: tuple[JsonObject, ...]) -> tuple[str, ...]:
    """Return the names of tools."""
    return tuple(said(entries(tool["function"])["name"]) for tool in tools)
