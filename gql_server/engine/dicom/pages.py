"""A page of a preview, with texts as long as a table shows."""

from dataclasses import replace
from typing import Final

from gql_server.domain.dicom import DicomProposal
from gql_server.engine.dicom.tasks import DicomPreviewed, PreviewDicomTask

SHOWN_CHARACTERS: Final = 256
"""Of each value: a page of the longest ones still fits a message of a child."""


def whole(task: PreviewDicomTask) -> PreviewDicomTask:
    """Return the task that also wants the rows before the page."""
    return replace(task, first=task.skip + task.first, skip=0)


def page_of(previewed: DicomPreviewed, task: PreviewDicomTask) -> DicomPreviewed:
    """Return the rows of the page that a task wants."""
    rows = previewed.proposals[task.skip : task.skip + task.first]
    return DicomPreviewed(proposals=tuple(map(_cropped, rows)), total=previewed.total)


def _cropped(proposal: DicomProposal) -> DicomProposal:
    return replace(proposal, original=_crop(proposal.original), proposed=_crop(proposal.proposed))


def _crop(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
