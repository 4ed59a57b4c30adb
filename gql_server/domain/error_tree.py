"""The whole tree of errors: each by its code.

Branches stand in files of their own; whoever looks an error up by its code needs all of them.
"""

from gql_server.domain import dicom_errors
from gql_server.domain.error_codes import ErrorCode
from gql_server.domain.errors import Fact, GqlServerError

BRANCHES = (dicom_errors,)
"""Files that hold a branch of the tree, beside `errors.py`."""


def error_classes(base: type[GqlServerError] = GqlServerError) -> dict[ErrorCode, type[GqlServerError]]:
    """Return the class of each code, from a branch on."""
    found = {base.code: base} if "code" in vars(base) else {}
    return found | {code: leaf for error in base.__subclasses__() for code, leaf in error_classes(error).items()}


def error_of(code: str, facts: dict[str, Fact]) -> GqlServerError:
    """Rebuild an error that crossed a process boundary; ValueError where code and facts are none of ours."""
    try:
        return error_classes()[ErrorCode(code)](**facts)
    except (KeyError, TypeError) as error:
        raise ValueError(code) from error
