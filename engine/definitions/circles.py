"""Circles in what depends on what."""

from collections.abc import Iterator, Mapping


def circles(edges: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Each circle once, from the node that comes first. No recursion: a chain may be as long as there are files."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = [] if start in done else [(start, iter(edges[start]))]
        while stack:
            node, rest = stack[-1]
            if node not in path:
                path.append(node)
            following = next(rest, None)
            if following is None:
                done.add(path.pop())
                stack.pop()
            elif following in path:
                yield tuple(path[path.index(following) :])
            elif following not in done and following in edges:
                stack.append((following, iter(edges[following])))
