"""A member at a browser, as a drill needs one: signed in, with the token that forms carry."""

from dataclasses import dataclass
from urllib.parse import urlencode

from api.drills.site import OWNER, Site, Web, now
from engine.store import members


@dataclass(frozen=True, slots=True)
class Browser:
    """The session of one member."""

    cookie: str
    csrf: str

    def post(self, web: Web, path: str, **fields: object) -> tuple[int, str]:
        """Send a form; status 0 when nobody answered."""
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        return web.send("POST", path, urlencode({"csrf": self.csrf, **fields}).encode(), headers)

    def get(self, web: Web, path: str) -> tuple[int, str]:
        """Open a page."""
        return web.get(path, self.cookie)


def sign_in(site: Site, email: str = OWNER) -> Browser:
    """Sign a member in, as the link in their mail does."""
    with site.store.begin() as session:
        link = members.sign_in_link(session, members.find(session, email).id, now())
        signed_in = members.sign_in(session, link, now())
    return Browser(f"backcast={signed_in.token}", signed_in.csrf)
