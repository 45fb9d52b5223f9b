"""What Qdrant's and Pinecone's servers answer, as far as the adapters ask.

Each keeps its points in a dict and ranks by dot product, so that the real
clients can be tested against it.  The shapes are those of the public APIs:
https://api.qdrant.tech and https://docs.pinecone.io/reference/api (2026-11-22).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from operator import mul
from typing import Any

from json_server import Asked

Point = dict[str, Any]


def alike(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the dot product."""
    return math.fsum(map(mul, one, other))


class FakeQdrant:
    """Collections and aliases of a Qdrant server; `key` is the one it takes."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.collections: dict[str, dict[object, Point]] = {}
        self.sizes: dict[str, int] = {}
        self.aliases: dict[str, str] = {}

    def __call__(self, asked: Asked) -> tuple[int, object]:
        """Answer one request."""
        if self.key and asked.headers.get("api-key") != self.key:
            return 401, {"status": {"error": f"Invalid key {self.key}-not"}}
        if asked.path == "/aliases":
            listed = [
                {"alias_name": alias, "collection_name": name}
                for alias, name in self.aliases.items()
            ]
            return self._ok({"aliases": listed})
        if asked.path == "/collections/aliases":
            return self._alias(asked.body["actions"])
        match = re.fullmatch(r"/collections/([^/]+)(/.*)?", asked.path)
        assert match is not None, asked
        return self._collection(asked, match[1], match[2] or "")

    def _collection(self, asked: Asked, name: str, rest: str) -> tuple[int, object]:
        name = self.aliases.get(name, name)
        if rest == "/exists":
            return self._ok({"exists": name in self.collections})
        if rest == "" and asked.method == "PUT":
            self.collections[name] = {}
            self.sizes[name] = asked.body["vectors"]["size"]
            return self._ok(result=True)
        if rest == "" and asked.method == "DELETE":
            self.collections.pop(name, None)
            return self._ok(result=True)
        if name not in self.collections:
            words = f"Not found: Collection `{name}` doesn't exist!"
            return 404, {"status": {"error": words}, "time": 0.0}
        return self._points(asked, name, rest)

    def _points(self, asked: Asked, name: str, rest: str) -> tuple[int, object]:
        points = self.collections[name]
        if asked.method == "PUT":
            points.update((point["id"], point) for point in asked.body["points"])
            return self._ok({"operation_id": 1, "status": "completed"})
        if rest == "/points":
            found = [points[key] for key in asked.body["ids"] if key in points]
            return self._ok(found)
        assert rest == "/points/query", asked
        query = asked.body["query"]["nearest"]
        if len(query) != self.sizes[name]:
            words = (
                "Wrong input: Vector dimension error: expected dim:"
                f" {self.sizes[name]}, got {len(query)}"
            )
            return 400, {"status": {"error": words}, "time": 0.0}
        filtered = asked.body.get("filter") or {"must_not": []}
        hidden = {key for rule in filtered["must_not"] for key in rule["has_id"]}
        ranked = sorted(
            (point for key, point in points.items() if key not in hidden),
            key=lambda point: -alike(query, point["vector"]),
        )
        scored = [
            {**point, "version": 1, "score": alike(query, point["vector"])}
            for point in ranked[: asked.body["limit"]]
        ]
        return self._ok({"points": scored})

    def _alias(self, actions: Sequence[Mapping[str, Any]]) -> tuple[int, object]:
        for action in actions:
            if "delete_alias" in action:
                self.aliases.pop(action["delete_alias"]["alias_name"])
            else:
                made = action["create_alias"]
                self.aliases[made["alias_name"]] = made["collection_name"]
        return self._ok(result=True)

    @staticmethod
    def _ok(result: object) -> tuple[int, object]:
        return 200, {"result": result, "status": "ok", "time": 0.0}


class FakePinecone:
    """The namespaces of one index; what is written is shown after `lag` fetches."""

    def __init__(self, dimension: int = 2, key: str = "", lag: int = 0) -> None:
        self.dimension = dimension
        self.key = key
        self.lag = lag
        self.namespaces: dict[str, dict[str, Point]] = {}
        self._hidden: dict[str, int] = {}

    def __call__(self, asked: Asked) -> tuple[int, object]:
        """Answer one request."""
        if self.key and asked.headers.get("api-key") != self.key:
            return 401, {"code": 16, "message": f"Invalid key {self.key}-not"}
        if asked.path == "/describe_index_stats":
            return 200, {"namespaces": {}, "dimension": self.dimension}
        body = asked.body or {}
        named = asked.query.get("namespace", [body.get("namespace", "")])[0]
        points = self.namespaces.setdefault(named, {})
        answer = {
            "/vectors/upsert": self._upsert,
            "/vectors/fetch": self._fetch,
            "/vectors/list": self._list,
            "/vectors/delete": self._delete,
            "/query": self._query,
        }[asked.path]
        return answer(asked, points)

    def _upsert(self, asked: Asked, points: dict[str, Point]) -> tuple[int, object]:
        vectors = asked.body["vectors"]
        for vector in vectors:
            size = len(vector["values"])
            if size != self.dimension:
                return self._mismatch(size)
            points[vector["id"]] = vector
            self._hidden[vector["id"]] = self.lag
        return 200, {"upsertedCount": len(vectors)}

    def _fetch(self, asked: Asked, points: dict[str, Point]) -> tuple[int, object]:
        found = {}
        for name in asked.query["ids"]:
            if name in points and self._hidden[name] <= 0:
                found[name] = points[name]
            elif name in points:
                self._hidden[name] -= 1
        return 200, {"vectors": found, "namespace": "", "usage": {"readUnits": 1}}

    def _list(self, asked: Asked, points: dict[str, Point]) -> tuple[int, object]:
        limit = int(asked.query.get("limit", ["100"])[0])
        start = int(asked.query.get("paginationToken", ["0"])[0])
        names = sorted(points)
        told: dict[str, object] = {
            "vectors": [{"id": name} for name in names[start : start + limit]],
            "namespace": "",
        }
        if start + limit < len(names):
            told["pagination"] = {"next": str(start + limit)}
        return 200, told

    def _delete(self, asked: Asked, points: dict[str, Point]) -> tuple[int, object]:
        for name in asked.body["ids"]:
            points.pop(name, None)
        return 200, {}

    def _query(self, asked: Asked, points: dict[str, Point]) -> tuple[int, object]:
        query = asked.body["vector"]
        if len(query) != self.dimension:
            return self._mismatch(len(query))
        wanted = (asked.body.get("filter") or {}).get("generation", {}).get("$eq")
        matching = [
            point
            for point in points.values()
            if wanted is None or point["metadata"].get("generation") == wanted
        ]
        matching.sort(key=lambda point: -alike(query, point["values"]))
        matches = [
            {**point, "score": alike(query, point["values"])}
            for point in matching[: asked.body["topK"]]
        ]
        return 200, {"matches": matches, "namespace": "", "usage": {"readUnits": 1}}

    def _mismatch(self, size: int) -> tuple[int, object]:
        words = f"Vector dimension {size} does not match the dimension of the index"
        return 400, {"code": 3, "message": f"{words} {self.dimension}", "details": []}
