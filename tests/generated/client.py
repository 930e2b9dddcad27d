"""A journey through a client that a public generator made of the OpenAPI document.

Usage: PYTHONPATH=<folder of the generated package> python client.py <url of the application>
"""

import sys
import time

from scooter_booter_client import AuthenticatedClient, Client, models
from scooter_booter_client.api.auth import register_account
from scooter_booter_client.api.posts import create_post, get_feed
from scooter_booter_client.api.social import create_follow

# How long an effect in another service may take.
PATIENCE_SECONDS = 2


def register(url: str, handle: str) -> tuple[str, AuthenticatedClient]:
    """An account; the id of the person and a client that acts in their name."""
    account = models.RegisterIn(email=f"{handle}@example.com", password="correct horse battery", handle=handle)
    session = register_account.sync(client=Client(base_url=url), body=account)
    assert isinstance(session, models.Session), session
    return session.user.id, AuthenticatedClient(base_url=url, token=session.access_token)


def feed(reader: AuthenticatedClient) -> list[tuple[str | None, str]]:
    """Who wrote what in the reader's feed."""
    page = get_feed.sync(client=reader)
    return [(post.author.handle, post.text) for post in page.items]


def main(url: str) -> None:
    alice_id, alice = register(url, "alice_generated")
    _, bob = register(url, "bob_generated")
    tie = create_follow.sync(client=bob, body=models.Target(user_id=alice_id))
    assert tie.following, tie
    post = create_post.sync(client=alice, body=models.PostIn(text="Said by a generated client"))
    assert post.text == "Said by a generated client", post
    expected = [("alice_generated", post.text)]
    assert feed(alice) == expected, feed(alice)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while feed(bob) != expected:
        assert time.monotonic() < deadline, feed(bob)
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1])
