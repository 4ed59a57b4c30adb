"""Tasks: what they hold and hide."""

from pathlib import Path
from typing import get_args

import pytest

from gql_server.engine.tasks import Task
from tests.engine.test_messages import TASKS


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_neither_key_nor_rules_are_in_the_repr_of_a_task(task: Task) -> None:
    assert "key=" not in repr(task)
    assert "rules" not in repr(task)
    assert "overrides" not in repr(task)


def test_every_kind_of_task_is_tried_and_says_what_it_reads() -> None:
    assert {type(task) for task in TASKS} == set(get_args(Task))
    assert all(isinstance(task.source, Path) for task in TASKS)
