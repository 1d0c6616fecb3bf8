"""What an app brings: tokens, a keychain."""

import asyncio
import json
import urllib.request
from typing import Dict, Optional

import fieldpost


def password_session(url: str, key: str, email: str, password: str) -> dict:
    """What GoTrue answers to a password."""
    request = urllib.request.Request(
        f"{url}/auth/v1/token?grant_type=password",
        data=json.dumps({"email": email, "password": password}).encode(),
        headers={"apikey": key, "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class Provider:
    """A session that the app owns."""

    def __init__(self, session: dict, first: str) -> None:
        self.session = session
        self.then = first
        self.asked = 0
        self.refused = 0

    async def token(self, refused: Optional[str]) -> fieldpost.SessionToken:
        self.asked += 1
        if self.then == "signed_out":
            raise fieldpost.TokenError.SignedOut()
        if self.then == "throws":
            raise RuntimeError("the app has a fault")
        if self.then == "never":
            await asyncio.Event().wait()
        if refused is not None:
            self.refused += 1
            self.then = "token"
        token = self.session["access_token"]
        if self.then == "refused":
            # The right claims, and a signature that the server does not know.
            token = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
        return fieldpost.SessionToken(person_id=self.session["user"]["id"], access_token=token)


class Keychain:
    """A keychain in memory."""

    def __init__(self) -> None:
        self.secrets: Dict[str, str] = {}
        self.then = "open"

    def _check(self) -> None:
        if self.then == "locked":
            raise fieldpost.SecretFailure.Unavailable("the device is locked")

    async def get(self, name: str) -> Optional[str]:
        self._check()
        return self.secrets.get(name)

    async def put(self, name: str, secret: str) -> None:
        self._check()
        self.secrets[name] = secret

    async def remove(self, name: str) -> None:
        self._check()
        self.secrets.pop(name, None)
