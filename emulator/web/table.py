"""Which endpoint answers which path of which site, and what is said where none does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import encode
from emulator.web.contract import Failure, NotEmulated, Route, Site
from emulator.web.endpoint import Answer, Endpoint, refuse
from emulator.web.hosts import Place
from emulator.web.paths import compile_path, is_template

SHOWN_PATH_MAX = 200


class Table:
    """The endpoints of all sites that are served: an exact match first, and for sites whose rows have names
    in their paths a look through these after that."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self.sites: Mapping[str, Site] = {site.name: site for site in sites}
        self._rows: dict[tuple[str, str, str], tuple[Site, Route]] = {}
        self._endpoints: dict[tuple[str, str, str], Endpoint] = {}
        """Of the rows that were asked for: most never are, and no start need wait for what they compile."""
        self._methods: dict[tuple[str, str], list[str]] = {}
        self._templates: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        """Of the sites that have rows for more than one path each; the others are found by looking once."""
        for site in sites:
            for route in site.rows:
                if is_template(route.path):
                    templates = self._templates.setdefault(site.name, [])
                    templates.append((compile_path(route.path), route.path))
                self._rows[site.name, route.method, route.path] = site, route
                methods = self._methods.setdefault((site.name, route.path), [])
                methods.append(route.method)
                if route.method == "GET":
                    methods.append("HEAD")
                    self._rows[site.name, "HEAD", route.path] = site, route

    def find(self, site_name: str, method: str, path: str) -> Endpoint | None:
        """Who answers."""
        endpoint = self._endpoints.get((site_name, method, path))
        return self._make_ready(site_name, method, path) if endpoint is None else endpoint

    def _make_ready(self, site_name: str, method: str, path: str) -> Endpoint | None:
        """The endpoint of the row that a path fits, made where nobody asked for the row before."""
        known = (site_name, method, path)
        if known not in self._rows:
            known = (site_name, method, self._declared(site_name, path))
        found = self._rows.get(known)
        if found is None:
            return None
        site, route = found
        of_row = (site_name, route.method, route.path)
        endpoint = self._endpoints.get(of_row)
        if endpoint is None:
            endpoint = self._endpoints[of_row] = Endpoint(site, route)
        self._endpoints[known] = endpoint
        return endpoint

    def _declared(self, site_name: str, path: str) -> str:
        """The path of the row that a path fits, or the path itself."""
        for template, declared in self._templates.get(site_name, ()):
            if template.fullmatch(path):
                return declared
        return path

    def refuse_path(self, site: Site, method: str, place: Place, sandbox: Sandbox) -> Answer:
        """The answer to what is not in the table: which methods there are, or why it is missing."""
        path = place.path
        methods = self._methods.get((site.name, self._declared(site.name, path)))
        if methods is not None:
            allow = ", ".join([*methods, "OPTIONS"]).encode()
            if method == "OPTIONS":
                return Answer(204, b"", [(b"allow", allow)], None, 0, False)
            for missing in site.not_emulated:
                # A method of its own that is left out of a path which is there otherwise.
                if missing.method == method and _matches(missing, method, path):
                    note_missing(place, method)
                    return _refuse_missing(site, missing, f"{method} {path}", sandbox)
            answer = refuse(site, Failure.WRONG_METHOD, f"{method} {path}", sandbox)
            answer.headers.append((b"allow", allow))
            return answer
        shown = path[:SHOWN_PATH_MAX]
        if any(row.matches(path) for row in site.sockets):
            expected = f"{method} {shown}: a WebSocket handshake is expected."
            return refuse(site, Failure.WRONG_METHOD, expected, sandbox)
        for missing in site.not_emulated:
            if _matches(missing, method, path):
                note_missing(place, method)
                return _refuse_missing(site, missing, f"{method} {shown}", sandbox)
        note_missing(place, method)
        return refuse(site, Failure.UNKNOWN_PATH, f"{method} {shown}", sandbox)

    def refuse_site(self, name: str, method: str, place: Place) -> Answer:
        """The answer where a site is not served."""
        note_missing(place, method)
        names = ", ".join(self.sites)
        body = encode({"code": -1, "msg": f"Site {name!r} is not served by this emulator. Served: {names}."})
        return Answer(404, body, [], -1, 0, False)


def note_missing(place: Place, method: str) -> None:
    """Let it be counted, where somebody counts, that nobody answers this."""
    if place.called is not None:
        place.called.note_missing(f"{method} {place.path[:SHOWN_PATH_MAX]}")


def _refuse_missing(site: Site, missing: NotEmulated, asked: str, sandbox: Sandbox) -> Answer:
    answer = refuse(site, Failure.NOT_EMULATED, f"{asked}: {missing.why}", sandbox)
    if missing.gone:
        answer.status = 410
    return answer


def _matches(missing: NotEmulated, method: str, path: str) -> bool:
    if missing.method not in ("*", method):
        return False
    if missing.path.endswith("*"):
        return path.startswith(missing.path[:-1])
    return path == missing.path
