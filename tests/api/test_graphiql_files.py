"""GraphiQL is whole, unchanged and ours to serve."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from gql_server.api.graphiql_files import CONTENT_SECURITY_POLICY, LIBRARY_FILES, PAGE_FILES, read_graphiql_files

PREFIX = "/graphiql/"
# SHA-256 of what npm has under these versions; the wheel's copies may end with one line break more.
AS_PUBLISHED = {
    "graphiql.min.css": ("graphiql 2.4.7", "3ac6ccf8b4077271478b4887ec050ab9e66f0dc101a32ff3e2127b8f1d5ca6c3"),
    "graphiql.min.js": ("graphiql 2.4.7", "9ff2ca6842eea42d47fcf53a8e8cfec9b7912474f6c4275e904b7a39830e3995"),
    "graphql-ws.min.js": ("graphql-ws 5.12.1", "11986f83a00d26b06c80bbcb01ad2eb8734b7a92c95421584bec656f953f6eac"),
    "react-dom.production.min.js": (
        "react-dom 17.0.2",
        "9db33292007ab6c38527b39d5663e976a305564e19b2a5a8713ea2b2c00f505d",
    ),
    "react.production.min.js": ("react 17.0.2", "229bbf4d0e7488209564152c6723497f1ac3934136ca1684233d2fa88fa4146f"),
}


class Page(HTMLParser):
    """What a page asks for, with the digest it expects, and how many scripts stand in the page itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.expected: dict[str, str | None] = {}
        self.inline_scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get("src") if tag == "script" else given.get("href") if tag == "link" else None
        if address is not None and not address.startswith("data:"):
            self.expected[address] = given.get("integrity")
        self.inline_scripts += tag == "script" and "src" not in given


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(read_graphiql_files()["index.html"].content.decode())


@pytest.mark.parametrize("name", LIBRARY_FILES)
def test_the_page_asks_for_each_library_file_by_its_digest(page: Page, name: str) -> None:
    digest = hashlib.sha256(read_graphiql_files()[name].content).digest()

    assert page.expected[PREFIX + name] == "sha256-" + base64.b64encode(digest).decode()


@pytest.mark.parametrize("name", LIBRARY_FILES)
def test_a_library_file_is_what_its_makers_published(name: str) -> None:
    content = read_graphiql_files()[name].content
    version, published = AS_PUBLISHED[name]

    assert published in {hashlib.sha256(c).hexdigest() for c in (content, content.removesuffix(b"\n"))}, version


def test_all_the_page_asks_for_is_served_from_here(page: Page) -> None:
    served = {PREFIX + name for name in read_graphiql_files()}

    assert set(page.expected) <= served


def test_no_script_stands_in_the_page_itself(page: Page) -> None:
    assert page.inline_scripts == 0


@pytest.mark.parametrize("name", PAGE_FILES)
def test_a_file_of_ours_names_no_other_host(name: str) -> None:
    text = read_graphiql_files()[name].content.decode()

    assert not re.search(r"(https?:)?//\w+\.\w", text)


def test_the_style_sheet_loads_nothing_from_elsewhere() -> None:
    text = read_graphiql_files()["graphiql.min.css"].content.decode()
    loaded = re.findall(r"url\(['\"]?([^)'\"]{1,40})", text)

    assert loaded
    assert {address.split(":", 1)[0] for address in loaded} == {"data"}
    assert "@import" not in text


def test_the_policy_lets_no_script_but_files_run_and_nothing_leave() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split(";"))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert rules["connect-src"] == "'self'"


@pytest.mark.parametrize(
    ("name", "operation"),
    [("query.graphql", OperationType.QUERY), ("subscription.graphql", OperationType.SUBSCRIPTION)],
)
def test_an_example_is_one_operation_of_its_kind(name: str, operation: OperationType) -> None:
    (definition,) = parse(read_graphiql_files()[name].content.decode()).definitions

    assert isinstance(definition, OperationDefinitionNode)
    assert definition.operation is operation
